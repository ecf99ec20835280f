"""What people do with exceptions is bound to the version they saw, stands in the timeline, and is done once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.exceptions import ExceptionKind, OwnerRole
from dom.exceptions.desk import Assign, DeskCommand, HandOn, Reopen, Resolve, Snooze
from dom.shared.access import Limits
from dom.shared.errors import Conflict, DomError, InvalidInput, NotFound, Stale, StepNotPossible
from services import exceptions_desk
from services.exceptions_desk import Asked
from store import exceptions
from store.desk import queue
from store.desk.queue import ExceptionFilter
from store.exceptions import Reopening
from tests.worlds import small
from tests.worlds.books import rows
from tests.worlds.written import place

NOW = datetime.now(UTC)
ORDER = small.order("desk", A=1)
ADA = "Ada Byrne"


async def opened(engine: AsyncEngine, kind: ExceptionKind = ExceptionKind.PARCEL_LOST, key: str = "k") -> Asked:
    """An exception of an order, as somebody has seen it."""
    if not await rows(engine, "SELECT id FROM orders"):
        await place(engine, ORDER)
    async with engine.begin() as connection:
        assert await exceptions.open_(connection, ORDER.order_id, kind, key, "something")
    ((number, version),) = await rows(engine, "SELECT id, version FROM exceptions WHERE business_key = :key", key=key)
    return Asked(number, version, ADA, NOW)


async def do(engine: AsyncEngine, asked: Asked, command: DeskCommand) -> bool:
    async with engine.begin() as connection:
        return await exceptions_desk.change(connection, asked, command)


async def standing(engine: AsyncEngine, asked: Asked) -> dict[str, Any]:
    async with engine.connect() as connection:
        found = await queue.one(connection, asked.exception_id, ExceptionFilter(datetime.now(UTC)))
    assert found is not None
    return dict(found)


async def told(engine: AsyncEngine) -> list[tuple[Any, ...]]:
    query = "SELECT kind, actor, reason, data FROM timeline WHERE kind LIKE 'exception%' ORDER BY id"
    return await rows(engine, query)


class TestCommands:
    async def test_each_changes_what_it_says_and_stands_in_the_timeline(self, world: AsyncEngine) -> None:
        asked = await opened(world)
        until = NOW + timedelta(hours=3)
        commands: list[tuple[DeskCommand, dict[str, Any]]] = [
            (Assign(ADA), {"owner": ADA, "owner_role": "support"}),
            (Assign(None), {"owner": None}),
            (HandOn(OwnerRole.PLANNER), {"owner": None, "owner_role": "planner"}),
            (Snooze(until), {"snoozed": True, "snoozed_until": until, "overdue": False}),
            (Snooze(None), {"snoozed": False}),
            (Resolve("found it", ADA), {"status": "closed", "resolution": "found it", "resolved_by": ADA}),
            (Reopen(), {"status": "open", "resolution": None, "closed_at": None}),
        ]
        for number, (command, expected) in enumerate(commands, 1):
            assert await do(world, replace(asked, seen=number), command)
            found = await standing(world, asked)
            assert expected.items() <= found.items()
            assert found["version"] == number + 1
        events = await told(world)
        assert [(kind, actor) for kind, actor, _, _ in events] == [
            ("exception_assigned", ADA), ("exception_assigned", ADA), ("exception_assigned", ADA),
            ("exception_snoozed", ADA), ("exception_snoozed", ADA), ("exception_resolved", ADA),
            ("exception_reopened", ADA),
        ]  # fmt: skip
        about = {"exception_id": asked.exception_id, "exception_kind": "parcel_lost"}
        assert events[0][3] == about | {"version": 2, "owner": ADA}
        assert events[1][3] == about | {"version": 3, "owner_role": "support"}
        assert events[5][2] == "found it"

    @pytest.mark.parametrize(
        "command", [Assign(ADA), HandOn(OwnerRole.PLANNER), Snooze(NOW + timedelta(days=1)), Resolve("done", ADA)]
    )
    async def test_said_again_it_changes_nothing(self, world: AsyncEngine, command: DeskCommand) -> None:
        asked = await opened(world)
        assert await do(world, asked, command)
        after = await standing(world, asked)
        assert not await do(world, asked, command)
        assert await standing(world, asked) == after
        assert len(await told(world)) == 1

    async def test_what_has_changed_since_is_stale_and_says_what_it_is_now(self, world: AsyncEngine) -> None:
        asked = await opened(world)
        await do(world, asked, Assign("Ben"))
        others: tuple[DeskCommand, ...] = (Assign(ADA), HandOn(OwnerRole.PLANNER), Resolve("done", ADA))
        for command in others:
            with pytest.raises(Stale) as refused:
                await do(world, asked, command)
            assert refused.value.data["owner"] == "Ben"
            assert refused.value.data["version"] == 2
        assert len(await told(world)) == 1

    @pytest.mark.parametrize(
        ("command", "field"),
        [
            (Assign("system:ofl"), "owner"),
            (Snooze(NOW - timedelta(minutes=1)), "until"),
            (Snooze(NOW + timedelta(days=91)), "until"),
        ],
    )
    async def test_what_cannot_be_meant_is_refused(self, world: AsyncEngine, command: DeskCommand, field: str) -> None:
        asked = await opened(world)
        with pytest.raises(InvalidInput) as refused:
            await do(world, asked, command)
        assert refused.value.field == field

    async def test_nothing_is_done_with_one_that_is_closed_but_reopening_it(self, world: AsyncEngine) -> None:
        asked = await opened(world)
        await do(world, asked, Resolve("done", ADA))
        closed = replace(asked, seen=2)
        for command in (Assign("Ben"), Snooze(NOW + timedelta(days=1)), Resolve("otherwise", ADA)):
            with pytest.raises(StepNotPossible):
                await do(world, closed, command)
        assert await do(world, closed, Reopen())
        assert not await do(world, closed, Reopen()), "it is open already"

    async def test_one_that_is_opened_again_is_due_as_long_after_as_at_first(self, world: AsyncEngine) -> None:
        asked = await opened(world)
        earlier = "UPDATE exceptions SET opened_at = opened_at - interval '9 days', due_at = due_at - interval '9 days'"
        async with world.begin() as connection:
            await connection.execute(text(earlier))
        await do(world, replace(asked, seen=2), Resolve("done", ADA))
        await do(world, replace(asked, seen=3), Reopen())
        found = await standing(world, asked)
        assert found["due_at"] - found["opened_at"] == timedelta(days=1)
        assert found["opened_at"] > NOW - timedelta(minutes=5)

    async def test_what_belongs_to_others_is_not_there(self, world: AsyncEngine) -> None:
        asked = await opened(world)
        elsewhere = replace(asked, limits=Limits.of(channels=["edi"]))
        with pytest.raises(NotFound):
            await do(world, elsewhere, Assign(ADA))
        with pytest.raises(NotFound):
            await do(world, replace(asked, exception_id=asked.exception_id + 1), Assign(ADA))
        assert await do(world, replace(asked, limits=Limits.of(channels=["web"], nodes=["dc-leeds"])), Assign(ADA))

    async def test_one_of_no_order_has_no_timeline(self, world: AsyncEngine) -> None:
        asked = await opened(world)
        async with world.begin() as connection:
            await connection.execute(text("UPDATE exceptions SET order_id = NULL"))
        assert await do(world, replace(asked, seen=2), Assign(ADA))
        assert await told(world) == []


class TestComments:
    async def comment(self, engine: AsyncEngine, asked: Asked, words: str, key: str | None = None) -> bool:
        async with engine.begin() as connection:
            return await exceptions_desk.comment(connection, asked, words, key)

    async def test_they_stand_with_who_when_and_what(self, world: AsyncEngine) -> None:
        asked = await opened(world)
        assert await self.comment(world, asked, "the carrier looks for it")
        assert await self.comment(world, replace(asked, actor="Ben"), "so do we")
        async with world.connect() as connection:
            found = await queue.comments(connection, asked.exception_id)
        assert [(each["author"], each["text"]) for each in found] == [
            (ADA, "the carrier looks for it"), ("Ben", "so do we"),
        ]  # fmt: skip
        assert (await standing(world, asked))["version"] == asked.seen
        assert [reason for _, _, reason, _ in await told(world)] == ["the carrier looks for it", "so do we"]

    async def test_under_a_key_one_is_written_once(self, world: AsyncEngine) -> None:
        asked = await opened(world)
        assert await self.comment(world, asked, "once", "k1")
        await do(world, asked, Assign("Ben"))
        assert not await self.comment(world, asked, "once", "k1"), "a repeat is one, whatever happened since"
        with pytest.raises(Conflict):
            await self.comment(world, asked, "twice", "k1")
        assert len(await rows(world, "SELECT id FROM exception_comments")) == 1

    async def test_one_on_what_has_changed_is_stale(self, world: AsyncEngine) -> None:
        asked = await opened(world)
        await do(world, asked, Assign("Ben"))
        with pytest.raises(Stale):
            await self.comment(world, asked, "late")


class TestReopeningByItself:
    async def test_one_that_a_person_resolved_stays_so_whoever_looked_after_it(self, world: AsyncEngine) -> None:
        asked = await opened(world)
        await do(world, asked, Assign("Ben"))
        await do(world, replace(asked, seen=2), Resolve("done", ADA))
        again = (ORDER.order_id, ExceptionKind.PARCEL_LOST, "k", "again")
        async with world.begin() as connection:
            assert not await exceptions.open_(connection, *again, reopening=Reopening.IF_CLOSED_BY_ITSELF)

    async def test_one_that_closed_itself_is_opened_again_for_who_had_it(self, world: AsyncEngine) -> None:
        asked = await opened(world)
        await do(world, asked, Assign("Ben"))
        async with world.begin() as connection:
            await exceptions.close_by_keys(connection, "k")
        again = (ORDER.order_id, ExceptionKind.PARCEL_LOST, "k", "again")
        async with world.begin() as connection:
            assert await exceptions.open_(connection, *again, reopening=Reopening.IF_CLOSED_BY_ITSELF)
        found = await standing(world, asked)
        assert (found["status"], found["owner"], found["detail"], found["version"]) == ("open", "Ben", "again", 4)


async def race(*calls: Callable[[], Any]) -> list[Any]:
    """What becomes of several who call at the same moment: their answers, or why they were refused."""

    async def one(call: Callable[[], Any]) -> Any:
        try:
            return await call()
        except DomError as error:
            return error.type

    return await asyncio.gather(*(one(call) for call in calls))


class TestAtOnce:
    async def test_of_two_who_take_it_one_has_it_and_the_other_hears_who(self, world: AsyncEngine) -> None:
        for number in range(8):
            asked = await opened(world, key=f"k{number}")
            people = [f"person {each}" for each in range(4)]
            found = await race(*(lambda who=who, asked=asked: do(world, asked, Assign(who)) for who in people))
            assert sorted(map(str, found)) == ["True", "stale", "stale", "stale"]
            assert (await standing(world, asked))["owner"] == people[found.index(True)]

    async def test_one_that_closes_itself_while_it_is_resolved(self, world: AsyncEngine) -> None:
        async def close(key: str) -> None:
            async with world.begin() as connection:
                await exceptions.close_by_keys(connection, key)

        seen = set()
        for number in range(12):
            asked = await opened(world, ExceptionKind.BACKORDER, key=f"k{number}")
            calls: list[Callable[[], Any]] = [
                lambda asked=asked: do(world, asked, Resolve("by hand", ADA)),  # type: ignore[misc]
                lambda number=number: close(f"k{number}"),  # type: ignore[misc]
            ]
            found = await race(*(calls if number % 2 else calls[::-1]))
            resolved = found[0 if number % 2 else 1]
            after = await standing(world, asked)
            assert after["status"] == "closed"
            assert resolved in {True, "stale"}
            assert after["resolution"] == ("by hand" if resolved is True else None)
            assert after["version"] == 2, "one of the two closed it"
            seen.add(resolved)
        assert seen, "either may come first"
