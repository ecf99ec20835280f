"""The exception queue: each filter finds what it says, and each count equals the list that it opens."""

from __future__ import annotations

import asyncio
import random
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dom.exceptions import CATALOGUE, ExceptionKind, ExceptionSeverity, OwnerRole
from dom.shared.access import UNLIMITED, Limits
from store import exceptions
from store.database import engine as database
from store.desk import queue
from store.desk.queue import ExceptionCounts, ExceptionFilter
from store.enums import ExceptionStatus
from tests.worlds import small
from tests.worlds.written import place

NOW = datetime.now(UTC)
ORDERS = {"web": ("queue-1", "dc-leeds"), "edi": ("queue-2", "wh-london")}
PEOPLE = ("Ada", "Ben")
MANY = 300


async def fill(engine: AsyncEngine) -> None:
    """Exceptions of every sort, of two channels' orders at two nodes and of no order."""
    chance = random.Random(7)
    about: list[str | None] = [None]
    for channel, (number, node) in ORDERS.items():
        order = small.order(number, A=1, channel=channel)
        await place(engine, order, node)
        about.append(order.order_id)
    async with engine.begin() as connection:
        for place_in_queue in range(MANY):
            kind = chance.choice(list(ExceptionKind))
            data = {"node_id": chance.choice(["dc-leeds", "st-york"])} if chance.random() < 0.3 else {}
            await exceptions.open_(connection, chance.choice(about), kind, f"q{place_in_queue}", "something", data)
        await connection.execute(
            text("""
            UPDATE exceptions SET
                opened_at = opened_at - make_interval(mins => (id * 97 % 4000)::int),
                due_at = due_at - make_interval(mins => (id * 97 % 4000)::int),
                owner = CASE id % 4 WHEN 0 THEN 'Ada' WHEN 1 THEN 'Ben' END,
                snoozed_until = CASE WHEN id % 5 = 0 THEN now() + make_interval(mins => (id % 7 * 60 - 120)::int) END,
                owner_role = CASE WHEN id % 11 = 0 THEN 'planner' ELSE owner_role END
            """)
        )
        await connection.execute(
            text("""
            UPDATE exceptions SET status = 'closed', closed_at = now(), snoozed_until = NULL,
                resolution = CASE WHEN id % 2 = 0 THEN 'done' END, resolved_by = CASE WHEN id % 2 = 0 THEN 'Ada' END
            WHERE id % 3 = 0
            """)
        )


LIMITS = st.builds(
    Limits,
    st.none() | st.frozensets(st.sampled_from(["web", "edi"]), max_size=2),
    st.none() | st.frozensets(st.sampled_from(["dc-leeds", "wh-london"]), max_size=2),
)
MAYBE = st.none() | st.booleans()
FILTERS = st.builds(
    ExceptionFilter,
    now=st.sampled_from([NOW - timedelta(hours=5), NOW, NOW + timedelta(hours=9)]),
    order_id=st.none() | st.just("web-queue-1"),
    kind=st.none() | st.sampled_from(ExceptionKind),
    severity=st.none() | st.sampled_from(ExceptionSeverity),
    owner_role=st.none() | st.sampled_from(OwnerRole),
    owner=st.none() | st.sampled_from(PEOPLE),
    unassigned=MAYBE,
    overdue=MAYBE,
    snoozed=MAYBE,
    status=st.none() | st.sampled_from(ExceptionStatus),
    channel=st.none() | st.sampled_from(["web", "edi"]),
    node_id=st.none() | st.sampled_from(["dc-leeds", "wh-london", "st-york"]),
    older_than=st.none() | st.sampled_from([timedelta(minutes=90), timedelta(days=2)]),
    limits=st.just(UNLIMITED) | LIMITS,
)
"""Half of what may be asked for is not, so that most of what is drawn finds something."""


async def listed(connection: AsyncConnection, wanted: ExceptionFilter) -> list[Any]:
    return list(await queue.page(connection, wanted, before=None, limit=10 * MANY))


async def each_count_is_its_list(connection: AsyncConnection, wanted: ExceptionFilter) -> ExceptionCounts:
    found = await queue.count(connection, wanted)
    assert found.total == len(await listed(connection, wanted))
    for part in ("kind", "severity", "owner_role", "owner", "overdue", "snoozed"):
        counts = getattr(found, part)
        assert sum(counts.values()) == found.total, part
        for value, units in counts.items():
            asked = {"unassigned": True} if value is None else {part: value}
            rows = await listed(connection, replace(wanted, **asked))
            assert len(rows) == units, (part, value)
            assert {row[part] for row in rows} == {value}
    return found


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=st.lists(FILTERS, min_size=1, max_size=4))
def test_every_count_equals_the_list_that_it_opens(world_url: str, asked: list[ExceptionFilter]) -> None:
    async def check() -> None:
        engine = database.create(world_url, 1)
        async with engine.connect() as connection:
            filled = await connection.scalar(text("SELECT EXISTS (SELECT FROM exceptions)"))
        if not filled:
            await fill(engine)
        async with engine.connect() as connection:
            for wanted in asked:
                await each_count_is_its_list(connection, wanted)
        await engine.dispose()

    asyncio.run(check())


async def test_every_filter_finds_what_it_says(world: AsyncEngine) -> None:
    await fill(world)
    later = NOW + timedelta(minutes=1)
    nothing = ExceptionFilter(later)
    async with world.connect() as connection:
        everything = await listed(connection, nothing)
        assert len(everything) == MANY
        assert {row["status"] for row in everything} == {"open", "closed"}

        def overdue(row: Any) -> bool:
            return row["status"] == "open" and row["due_at"] <= later and not snoozed(row)

        def snoozed(row: Any) -> bool:
            return row["status"] == "open" and row["snoozed_until"] is not None and row["snoozed_until"] > later

        of_channel = {channel: f"{channel}-{number}" for channel, (number, _) in ORDERS.items()}
        of_node = {node: f"{channel}-{number}" for channel, (number, node) in ORDERS.items()}
        expected: dict[str, tuple[Any, Any]] = {
            "order_id": ("web-queue-1", lambda row: row["order_id"] == "web-queue-1"),
            "kind": (ExceptionKind.PARCEL_LOST, lambda row: row["kind"] == "parcel_lost"),
            "severity": (ExceptionSeverity.MINOR, lambda row: row["severity"] == "minor"),
            "owner_role": (OwnerRole.PLANNER, lambda row: row["owner_role"] == "planner"),
            "owner": ("Ada", lambda row: row["owner"] == "Ada"),
            "unassigned": (False, lambda row: row["owner"] is not None),
            "overdue": (True, overdue),
            "snoozed": (True, snoozed),
            "status": (ExceptionStatus.CLOSED, lambda row: row["status"] == "closed"),
            "channel": ("edi", lambda row: row["order_id"] == of_channel["edi"]),
            "node_id": (
                "dc-leeds",
                lambda row: row["order_id"] == of_node["dc-leeds"] or row["data"].get("node_id") == "dc-leeds",
            ),
            "older_than": (timedelta(days=1), lambda row: row["opened_at"] <= later - timedelta(days=1)),
            "limits": (Limits.of(nodes=["wh-london"]), lambda row: row["order_id"] == of_node["wh-london"]),
        }
        assert set(expected) == {each.name for each in fields(ExceptionFilter)} - {"now"}
        for name, (value, holds) in expected.items():
            found = await listed(connection, replace(nothing, **{name: value}))
            wanted = [row["id"] for row in everything if holds(row)]
            assert [row["id"] for row in found] == wanted, name
            assert 0 < len(wanted) < MANY, name


async def test_what_belongs_to_the_kind_is_written_when_it_is_opened(world: AsyncEngine) -> None:
    async with world.begin() as connection:
        for kind in CATALOGUE:
            assert await exceptions.open_(connection, None, kind, f"of {kind}", "something")
        rows = await listed(connection, ExceptionFilter(NOW))
    found = {
        row["kind"]: (row["severity"], row["owner_role"], (row["due_at"] - row["opened_at"]).total_seconds() / 60)
        for row in rows
    }
    assert found == {kind: (info.severity, info.owner_role, info.due_in) for kind, info in CATALOGUE.items()}
