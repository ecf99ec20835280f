"""What did not reach a milestone in time is put before a person, and closed once it is made good."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.exceptions.desk import Resolve
from dom.orders.event_data import EventData
from dom.orders.events import (
    AnsweredReturn,
    CancelledData,
    EventKind,
    FulfilmentData,
    ReturnData,
    SourcedData,
)
from dom.orders.status import ReturnStatus
from dom.shared.errors import NotFound
from dom.watches import Watch, WatchedThing
from jobs.watching_milestones import WatchingMilestones
from services import exceptions_desk
from services import watches as use_cases
from services.exceptions_desk import Asked
from store.desk import watches
from store.orders import timeline
from tests.worlds import small
from tests.worlds.books import one, rows
from tests.worlds.sourcing import MONDAY_NOON
from tests.worlds.written import capture, release

K = EventKind
NOT_ACCEPTED = Watch(
    name="not-accepted",
    description="nobody took it on",
    subject=WatchedThing.FULFILMENT,
    after=(K.ACCEPTED, K.SOURCED, K.REOPTIMISED),
    milestone=K.FULFILMENT_ACCEPTED,
    within_minutes=60,
)


def like(**fields: Any) -> Watch:
    """A watch such as `NOT_ACCEPTED`, but for some fields."""
    return Watch.model_validate(NOT_ACCEPTED.model_dump() | fields)


NOT_HANDED_OVER = like(
    name="not-handed-over",
    after=(K.FULFILMENT_PACKED,),
    milestone=K.FULFILMENT_HANDED_OVER,
    severity="critical",
    owner_role="planner",
)
OPEN = """
SELECT data->>'watch', coalesce(data->>'fulfilment_id', order_id) FROM exceptions WHERE status = 'open' ORDER BY 1, 2
"""


async def written(engine: AsyncEngine, *watched: Watch) -> WatchingMilestones:
    async with engine.begin() as connection:
        for each in watched:
            await use_cases.put(connection, each, "test")
    return WatchingMilestones(engine)


async def happens(engine: AsyncEngine, order_id: str, kind: EventKind, data: EventData, minutes_ago: int = 0) -> None:
    """Something happened to the order so many minutes ago."""
    number = await one(engine, "SELECT count(*) FROM timeline")
    async with engine.begin() as connection:
        await timeline.append(connection, timeline.Event(order_id, kind, f"event {number}", "test", MONDAY_NOON, data))
        await connection.execute(
            text("UPDATE timeline SET recorded_at = now() - make_interval(mins => :ago) WHERE business_key = :key"),
            {"ago": minutes_ago, "key": f"event {number}"},
        )


def of(order_id: str, number: int = 1) -> FulfilmentData:
    return FulfilmentData(fulfilment_id=f"{order_id}-F{number}")


async def released(engine: AsyncEngine, name: str, minutes_ago: int, fulfilments: int = 1) -> str:
    """An order whose work was given to a node so many minutes ago."""
    order = small.order(name, A=1)
    async with engine.begin() as connection:
        await capture(connection, order)
        for number in range(1, fulfilments + 1):
            await release(connection, order, number=number)
    data = SourcedData(
        attempt=1, cause="stock arrived", policy_version=1, strategy="s", cost=0, currency="GBP", waiting={},
        fulfilments={f"{order.order_id}-F{number}": "dc-leeds" for number in range(1, fulfilments + 1)},
    )  # fmt: skip
    await happens(engine, order.order_id, K.SOURCED, data, minutes_ago)
    return order.order_id


class TestMissed:
    async def test_what_is_late_is_opened_once_with_what_the_watch_says(self, world: AsyncEngine) -> None:
        job = await written(world, NOT_HANDED_OVER)
        order_id = await released(world, "watch-a", 500)
        await happens(world, order_id, K.FULFILMENT_PACKED, of(order_id), 61)
        for _ in range(3):
            await job.run()
        query = "SELECT kind, severity, owner_role, order_id, detail, version FROM exceptions"
        detail = f"{order_id}-F1 is not at fulfilment handed over within 1 hour of fulfilment packed"
        assert await rows(world, query) == [("milestone_missed", "critical", "planner", order_id, detail, 1)]
        ((data, due),) = await rows(world, "SELECT data, due_at - opened_at FROM exceptions")
        assert (data["watch"], data["node_id"]) == ("not-handed-over", "dc-leeds")
        assert due.total_seconds() == 3600

    async def test_each_fulfilment_that_was_released_is_watched_for_itself(self, world: AsyncEngine) -> None:
        job = await written(world, NOT_ACCEPTED)
        order_id = await released(world, "watch-b", 61, fulfilments=3)
        await happens(world, order_id, K.FULFILMENT_ACCEPTED, of(order_id, 2))
        await job.run()
        assert await rows(world, OPEN) == [("not-accepted", f"{order_id}-F{n}") for n in (1, 3)]

    async def test_what_is_not_due_is_left_alone_until_it_is(self, world: AsyncEngine) -> None:
        job = await written(world, NOT_ACCEPTED)
        order_id = await released(world, "watch-c", 59)
        await job.run()
        assert await rows(world, OPEN) == []
        async with world.begin() as connection:
            await connection.execute(text("UPDATE timeline SET recorded_at = recorded_at - interval '1 minute'"))
            await connection.execute(text("UPDATE watches SET checked_to = checked_to - interval '1 minute'"))
        await job.run()
        assert await rows(world, OPEN) == [("not-accepted", f"{order_id}-F1")]

    async def test_a_later_step_shows_that_an_earlier_one_was_taken(self, world: AsyncEngine) -> None:
        job = await written(world, NOT_ACCEPTED)
        order_id = await released(world, "watch-d", 61)
        await happens(world, order_id, K.FULFILMENT_READY, of(order_id))
        await job.run()
        assert await rows(world, OPEN) == []

    @pytest.mark.parametrize("status", ["rejected", "cancelled", "recalled", "lost"])
    async def test_work_that_has_ended_otherwise_is_missed_by_nobody(self, world: AsyncEngine, status: str) -> None:
        job = await written(world, NOT_ACCEPTED)
        order_id = await released(world, "watch-e", 61)
        async with world.begin() as connection:
            await connection.execute(text("UPDATE fulfilments SET status = :status"), {"status": status})
        await job.run()
        assert await rows(world, OPEN) == []
        assert order_id

    async def test_the_time_counts_anew_from_each_event(self, world: AsyncEngine) -> None:
        job = await written(world, NOT_HANDED_OVER)
        order_id = await released(world, "watch-f", 500)
        await happens(world, order_id, K.FULFILMENT_PACKED, of(order_id), 90)
        await happens(world, order_id, K.FULFILMENT_PACKED, of(order_id), 30)
        await job.run()
        assert await rows(world, OPEN) == []

    async def test_orders_and_returns_are_watched_too(self, world: AsyncEngine) -> None:
        about_order = like(
            name="not-sourced-again", subject=WatchedThing.ORDER, after=(K.SOURCED,), milestone=K.CANCELLED
        )
        about_return = like(
            name="not-inspected", subject=WatchedThing.RETURN, after=(K.RETURN_RECEIVED,), milestone=K.RETURN_REFUNDED
        )
        job = await written(world, about_order, about_return)
        order_id = await released(world, "watch-g", 61)
        async with world.begin() as connection:
            await connection.execute(
                text("INSERT INTO returns (id, order_id, number, node_id, status, reason, content_hash, requested_at) "
                     "VALUES ('r1', :id, 1, 'dc-leeds', 'received', '', '', now())"),
                {"id": order_id},
            )  # fmt: skip
        answer = AnsweredReturn(status=ReturnStatus.RECEIVED, refund=0)
        data = ReturnData(return_id="r1", number=1, lines={}, answer=answer)
        await happens(world, order_id, K.RETURN_RECEIVED, data, 61)
        await job.run()
        assert await rows(world, OPEN) == [("not-inspected", order_id), ("not-sourced-again", order_id)]
        await happens(world, order_id, K.RETURN_REFUNDED, data)
        await happens(world, order_id, K.CANCELLED, CancelledData(lines={}))
        await job.run()
        assert await rows(world, OPEN) == []


class TestGoodsThatAreBroughtToAStore:
    async def test_are_delivered_once_they_are_ready_there(self, world: AsyncEngine) -> None:
        """Of those that the customer collects where they lay, that he has them is asked."""
        of_parcels = {"after": (K.FULFILMENT_HANDED_OVER,), "name": "from-hand-over"}
        not_delivered = like(name="from-release", milestone=K.FULFILMENT_DELIVERED)
        job = await written(world, not_delivered, like(milestone=K.FULFILMENT_DELIVERED, **of_parcels))
        for name in ("watch-brought", "watch-there"):
            order_id = await released(world, name, 90)
            if name == "watch-brought":
                await brought(world, order_id)
                await happens(world, order_id, K.FULFILMENT_HANDED_OVER, of(order_id), 80)
            await happens(world, order_id, K.FULFILMENT_READY, of(order_id), 70)
        await job.run()
        assert await rows(world, OPEN) == [("from-release", "web-watch-there-F1")]

    async def test_are_looked_for_at_the_store_once_they_are_there(self, world: AsyncEngine) -> None:
        not_collected = like(name="late", after=(K.FULFILMENT_READY,), milestone=K.FULFILMENT_COLLECTED)
        job = await written(world, NOT_HANDED_OVER, not_collected)
        for name, kind in (("watch-sent", K.FULFILMENT_PACKED), ("watch-ready", K.FULFILMENT_READY)):
            order_id = await released(world, name, 90)
            await brought(world, order_id, "ready_for_collection" if kind is K.FULFILMENT_READY else "packed")
            await happens(world, order_id, kind, of(order_id), 70)
        await job.run()
        named = "SELECT data->>'fulfilment_id', data->>'node_id' FROM exceptions ORDER BY 1"
        assert await rows(world, named) == [("web-watch-ready-F1", "st-york"), ("web-watch-sent-F1", "dc-leeds")]


async def brought(engine: AsyncEngine, order_id: str, status: str = "handed_over") -> None:
    """A carrier brings the order's work to the store in York."""
    async with engine.begin() as connection:
        await connection.execute(
            text("UPDATE fulfilments SET pickup_node = 'st-york', status = :status WHERE order_id = :id"),
            {"status": status, "id": order_id},
        )


class TestMadeGood:
    async def missed(self, world: AsyncEngine, *watched: Watch) -> tuple[WatchingMilestones, str]:
        job = await written(world, *(watched or (NOT_ACCEPTED,)))
        order_id = await released(world, "watch-h", 61)
        await job.run()
        assert len(await rows(world, OPEN)) == 1
        return job, order_id

    async def test_it_closes_when_the_milestone_is_reached_and_stays_closed(self, world: AsyncEngine) -> None:
        job, order_id = await self.missed(world)
        await happens(world, order_id, K.FULFILMENT_ACCEPTED, of(order_id))
        for _ in range(2):
            await job.run()
        found = await rows(world, "SELECT status, closed_at IS NOT NULL, resolved_by FROM exceptions")
        assert found == [("closed", True, None)]

    async def test_it_closes_when_the_watch_is_taken_away_rests_or_gives_more_time(self, world: AsyncEngine) -> None:
        job, _ = await self.missed(world)
        for change in ({"active": False}, {"within_minutes": 120}, None):
            async with world.begin() as connection:
                if change is None:
                    await watches.delete(connection, "not-accepted")
                else:
                    await watches.put(connection, like(**change), "test")
            await job.run()
            assert await rows(world, OPEN) == [], change
            async with world.begin() as connection:
                await watches.put(connection, NOT_ACCEPTED, "test")
            await job.run()
            assert len(await rows(world, OPEN)) == 1, "as it was"
        with pytest.raises(NotFound):
            async with world.begin() as connection:
                await watches.delete(connection, "another")

    async def test_one_that_a_person_resolved_is_not_opened_again(self, world: AsyncEngine) -> None:
        job, _ = await self.missed(world)
        ((number, version),) = await rows(world, "SELECT id, version FROM exceptions")
        async with world.begin() as connection:
            asked = Asked(number, version, "Ada", MONDAY_NOON)
            await exceptions_desk.change(connection, asked, Resolve("the node is on fire", "Ada"))
            await connection.execute(text("UPDATE watches SET checked_to = checked_to - interval '1 day'"))
        await job.run()
        assert await rows(world, OPEN) == []

    async def test_the_milestone_that_is_written_while_the_watch_looks(self, world: AsyncEngine) -> None:
        """Whichever comes first: what is reached is closed with the next look, what is not stays open."""
        job = await written(world, NOT_ACCEPTED)
        orders = [await released(world, f"watch-race-{number}", 61) for number in range(12)]

        async def accepts(order_id: str) -> None:
            await happens(world, order_id, K.FULFILMENT_ACCEPTED, of(order_id))

        await asyncio.gather(job.run(), *(accepts(each) for each in orders[:6]), job.run())
        await job.run()
        assert await rows(world, OPEN) == [("not-accepted", f"{each}-F1") for each in sorted(orders[6:])]


class TestLooking:
    async def test_many_deadlines_are_looked_at_a_few_at_once_and_none_is_left_out(self, world: AsyncEngine) -> None:
        await written(world, NOT_ACCEPTED)
        for number in range(7):
            await released(world, f"watch-many-{number}", 61 + number // 3)
        job, runs = WatchingMilestones(world, at_once=2), 1
        while await job.run():
            runs += 1
        assert len(await rows(world, OPEN)) == 7
        assert runs > 2

    async def test_where_nothing_is_due_it_asks_twice_and_writes_nothing(self, world: AsyncEngine) -> None:
        job, asked = await written(world, NOT_ACCEPTED, NOT_HANDED_OVER), list[str]()
        await released(world, "watch-idle", 10)

        def note(connection: object, cursor: object, statement: str, *_: object) -> None:
            asked.append(statement)

        event.listen(world.sync_engine, "before_cursor_execute", note)
        assert not await job.run()
        event.remove(world.sync_engine, "before_cursor_execute", note)
        assert len(asked) == 2, asked

    async def test_what_came_due_is_found_through_the_index(self, world: AsyncEngine) -> None:
        await written(world, NOT_ACCEPTED)
        async with world.begin() as connection:
            await connection.execute(text("SET LOCAL enable_seqscan = off"))
            parameters: dict[str, Any] = {"watches": await watches._watching(connection, watches._WATCHING)}
            plan = await connection.execute(text(f"EXPLAIN {watches._IS_DUE.text}"), parameters)
            assert "timeline_kind_ix" in "\n".join(line for (line,) in plan)
