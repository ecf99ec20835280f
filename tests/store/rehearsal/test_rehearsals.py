"""Recorded decisions read back in their sequence, rehearsals in their queue, and shadows that change nothing."""

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.orders.commands import SourceWorkAgain
from dom.orders.events import CancelledData, EventKind
from dom.shared.errors import Conflict, InvalidInput, NotFound
from dom.sourcing.rehearsal.recorded import Happened, Happening, Recorded
from dom.sourcing.rehearsal.report import Report
from dom.sourcing.rehearsal.reproducing import Verdict
from dom.sourcing.rehearsal.span import read_span
from jobs.shadowing import EVERY, NONE_RUNS, Shadowing
from services.database import Database
from services.rehearsing import Run
from services.sourcing_work_again import source_work_again
from store.enums import RehearsalStatus
from store.orders import timeline
from store.rehearsal import rehearsals, shadows
from store.sourcing import decision_log
from tests.worlds.books import one, rows
from tests.worlds.rehearsing import TOGETHER, accept
from tests.worlds.sourcing import MONDAY_NOON

ALL = read_span("all")


async def walked(engine: AsyncEngine, said: str = "all", page: int = 2) -> list[Recorded | Happened]:
    return [record async for part in decision_log.walk(engine, read_span(said), page) for record in part]


async def orders_in(engine: AsyncEngine, said: str) -> list[str]:
    return [record.order_id for record in await walked(engine, said)]


async def run(engine: AsyncEngine, policy: Any = None, said: str = "all") -> Report:
    rehearsal = Run(engine, policy, "the draft", read_span(said))
    async for _ in rehearsal.steps():
        pass
    assert rehearsal.done == rehearsal.total
    return await rehearsal.report()


class TestTheRecords:
    async def test_are_read_in_the_sequence_they_were_written_in(self, world: AsyncEngine) -> None:
        for number, days in enumerate((5, 0, 3)):
            await accept(world, str(number), days=days, A=1)
        async with world.begin() as connection:
            event = timeline.Event("web-0", EventKind.CANCELLED, "c", "kim", MONDAY_NOON, CancelledData(lines={"1": 1}))
            await timeline.append(connection, event)
            waited = timeline.Event(
                "web-1", EventKind.CANCELLED, "c", "system:ofl", MONDAY_NOON, CancelledData(lines={"1": 1})
            )
            await timeline.append(connection, waited)
        await accept(world, "3", days=1, A=1)
        found = await walked(world)
        assert [each.order_id for each in found] == ["web-0", "web-1", "web-2", "web-0", "web-1", "web-3"]
        assert [each.kind for each in found if isinstance(each, Happened)] == [
            Happening.CANCELLED,
            Happening.GIVEN_UP,
        ]

    async def test_what_staff_had_sourced_again_its_node_did_not_reject(self, world: AsyncEngine) -> None:
        await accept(world, "1", A=4)
        again = SourceWorkAgain(fulfilment_id="web-1-F1", without_node=True, actor="ada", at=MONDAY_NOON)
        await source_work_again(Database(world, replaying=True), again)
        (happened,) = [each for each in await walked(world) if isinstance(each, Happened)]
        assert (happened.kind, happened.fulfilment) == (Happening.SOURCED_AGAIN, 1)
        assert not (await run(world)).differs

    async def test_an_order_belongs_to_a_span_by_its_first_decision(self, world: AsyncEngine) -> None:
        for number, days in enumerate((0, 3, 10)):
            await accept(world, str(number), days=days, A=1)
        assert await orders_in(world, "last-8-days") == ["web-1", "web-2"]
        assert await orders_in(world, "last-1-order") == ["web-2"]
        assert await orders_in(world, "2026-03-02..2026-03-05") == ["web-0", "web-1"]
        assert await orders_in(world, "2026-03-05T12:00:00..2026-03-12T12:00:00") == ["web-1"]
        async with world.connect() as connection:
            assert await decision_log.count(connection, read_span("last-2-orders")) == 2

    @pytest.mark.parametrize("said", ["", "yesterday", "last-0-days", "2026-03-05..2026-03-02", "..", "2026-13-01.."])
    def test_a_span_that_is_none(self, said: str) -> None:
        with pytest.raises(InvalidInput) as error:
            read_span(said)
        assert error.value.field == "orders"


class TestARehearsal:
    async def test_of_the_live_policy_finds_nothing_different(self, world: AsyncEngine) -> None:
        for number, units in enumerate(({"A": 60}, {"A": 60}, {"A": 60, "FAR": 2}, {"RARE": 5}, {"RARE": 1})):
            await accept(world, str(number), **units)
        found = await run(world)
        assert found.made.verdicts == {Verdict.SAME: 5}
        assert not found.differs
        assert found.baseline.total.units_unfilled > 0

    async def test_of_a_draft_counts_both_sides_and_changes_nothing(self, world: AsyncEngine) -> None:
        await accept(world, "1", A=2, FAR=2)
        await accept(world, "2", A=2)
        before = await everything(world)
        found = await run(world, TOGETHER)
        assert await everything(world) == before
        assert [order.order_id for order in found.changed] == ["web-1"]
        assert (found.baseline.total.orders_split, found.draft.total.orders_split) == (1, 0)
        assert found.draft.total.units_unfilled == 2
        assert found.changed[0].leaves == 2, "a saving that is none"
        assert Report.model_validate_json(found.model_dump_json()) == found

    @pytest.mark.parametrize("kept", ["NULL", "'{}'", "'[]'"])
    async def test_says_what_cannot_be_made_again(self, world: AsyncEngine, kept: str) -> None:
        await accept(world, "1", A=2, FAR=2)
        async with world.begin() as connection:
            await connection.execute(text(f"UPDATE sourcing_decisions SET snapshot = {kept}"))  # noqa: S608
        found = await run(world, TOGETHER)
        assert found.made.verdicts == {Verdict.NO_SNAPSHOT: 1}
        assert (found.made.not_rehearsed, found.orders_changed) == (1, 0)


class TestTheQueue:
    async def ask(self, engine: AsyncEngine, orders: str = "all") -> str:
        async with engine.begin() as connection:
            asked = await rehearsals.ask(
                connection, policy=TOGETHER, policy_name="together", orders=orders, asked_by="kim"
            )
        return asked.id

    async def test_one_is_begun_and_once_broken_off_begun_again(self, world: AsyncEngine) -> None:
        first, second = await self.ask(world), await self.ask(world, "last-3-orders")
        assert await rehearsals.unfinished(world) == [first, second]
        begun = await rehearsals.begin(world, first)
        assert begun is not None
        assert (begun.id, begun.policy, begun.span) == (first, TOGETHER, ALL)
        assert await rehearsals.begin(world, first) == begun, "somebody died in the middle"
        assert await rehearsals.unfinished(world) == [first, second]
        assert await rehearsals.finish(world, first, await run(world, TOGETHER))
        assert await rehearsals.begin(world, first) is None
        assert await rehearsals.unfinished(world) == [second]
        done = await rehearsals.get(world, first)
        assert done.status is RehearsalStatus.DONE
        assert done.report is not None

    @pytest.mark.parametrize("status", [RehearsalStatus.FAILED, RehearsalStatus.CANCELLED])
    async def test_one_that_is_given_up_says_why_and_stays_so(
        self, world: AsyncEngine, status: RehearsalStatus
    ) -> None:
        rehearsal_id = await self.ask(world)
        assert await rehearsals.begin(world, rehearsal_id) is not None
        assert await rehearsals.give_up(world, rehearsal_id, status, "because")
        assert not await rehearsals.give_up(world, rehearsal_id, RehearsalStatus.FAILED, "again")
        assert not await rehearsals.finish(world, rehearsal_id, await run(world))
        assert await rehearsals.begin(world, rehearsal_id) is None
        found = await rehearsals.get(world, rehearsal_id)
        assert (found.status, found.detail) == (status, "because")

    async def test_one_that_was_taken_away_is_not_written_to(self, world: AsyncEngine) -> None:
        rehearsal_id = await self.ask(world)
        assert await rehearsals.begin(world, rehearsal_id) is not None
        async with world.begin() as connection:
            await rehearsals.forget(connection, rehearsal_id)
        assert not await rehearsals.advance(world, rehearsal_id, 1, 2)
        assert not await rehearsals.finish(world, rehearsal_id, await run(world))
        with pytest.raises(NotFound):
            await rehearsals.get(world, rehearsal_id)

    async def test_orders_nobody_understands_are_not_queued(self, world: AsyncEngine) -> None:
        with pytest.raises(InvalidInput):
            await self.ask(world, "some")
        assert await rehearsals.find(world, [], None, 10) == []


async def everything(engine: AsyncEngine) -> dict[str, list[Any]]:
    """Whatever a live order leaves behind."""
    tables = (
        "orders",
        "order_lines",
        "fulfilments",
        "stock",
        "stock_ledger",
        "reservations",
        "node_days",
        "timeline",
        "sourcing_decisions",
        "outbox",
        "exceptions",
    )
    return {table: await rows(engine, f"SELECT to_jsonb(t)::text FROM {table} t ORDER BY 1") for table in tables}  # noqa: S608


class TestShadows:
    async def start(self, engine: AsyncEngine, name: str = "together", policy: Any = TOGETHER) -> None:
        async with engine.begin() as connection:
            await shadows.start(connection, name, policy, "kim")

    async def get(self, engine: AsyncEngine, name: str = "together") -> shadows.Shadow:
        async with engine.connect() as connection:
            return await shadows.get(connection, name)

    async def test_decides_every_order_that_comes_after_it_once(self, world: AsyncEngine) -> None:
        await accept(world, "0", A=1, FAR=1)
        await self.start(world)
        await accept(world, "1", A=2, FAR=2)
        await accept(world, "2", A=2)
        job = Shadowing(world)
        assert not await job.run()
        assert job.every == EVERY
        assert not await job.run()
        found = await self.get(world)
        assert (found.decisions, found.differs) == (2, 1)
        assert (found.unfilled, found.live_unfilled) == (2, 0)
        async with world.connect() as connection:
            (row,) = await shadows.differing(connection, found.id, 10)
        assert row["order_id"] == "web-1"
        assert len(row["document"]["live_nodes"]) == 2
        assert len(row["document"]["nodes"]) == 1

    async def test_what_was_under_way_at_the_last_look_is_not_passed(self, world: AsyncEngine) -> None:
        await self.start(world)
        await accept(world, "1", A=1)
        await accept(world, "2", A=1)
        async with world.begin() as connection:
            later = "recorded_at = recorded_at + interval '30 seconds'"
            await connection.execute(text(f"UPDATE sourcing_decisions SET {later} WHERE order_id = 'web-2'"))  # noqa: S608
            await connection.execute(text("UPDATE shadows SET seen_until = now() + interval '30 seconds'"))
        await Shadowing(world).run()
        assert (await self.get(world)).decisions == 2

    async def test_changes_nothing_of_live_orders(self, world: AsyncEngine) -> None:
        await self.start(world)
        for number in range(3):
            await accept(world, str(number), A=2, FAR=2)
        before = await everything(world)
        await Shadowing(world).run()
        assert (await self.get(world)).decisions == 3
        assert await everything(world) == before

    async def test_both_sums_are_over_the_decisions_it_made(self, world: AsyncEngine) -> None:
        await self.start(world)
        await accept(world, "1", A=1)
        await accept(world, "2", A=3)
        await Shadowing(world).run()
        before = await self.get(world)
        assert before.cost == before.live_cost > 0
        async with world.begin() as connection:
            failed = """jsonb_build_object('problem', 'it broke', 'cost', 0, 'unfilled', 0)"""
            await connection.execute(
                text(f"UPDATE shadow_decisions SET document = document || {failed} WHERE order_id = 'web-2'")  # noqa: S608
            )
        after = await self.get(world)
        assert (after.decisions, after.undecided) == (2, 1)
        assert after.cost == after.live_cost < before.cost
        assert after.live_currency == "GBP"

    async def test_ends_and_may_begin_again(self, world: AsyncEngine) -> None:
        await self.start(world)
        with pytest.raises(Conflict):
            await self.start(world)
        async with world.begin() as connection:
            await shadows.stop(connection, "together", "lee")
        await accept(world, "1", A=1)
        job = Shadowing(world)
        await job.run()
        assert job.every == NONE_RUNS
        assert (await self.get(world)).decisions == 0
        assert (await self.get(world)).ended_by == "lee"
        async with world.begin() as connection:
            with pytest.raises(NotFound):
                await shadows.stop(connection, "together", "lee")
        await self.start(world)
        assert (await self.get(world)).ended_at is None
        assert await one(world, "SELECT count(*) FROM shadows") == 2
