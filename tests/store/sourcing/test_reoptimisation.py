"""Re-optimisations in the store: a change is made whole, on what it was planned for, or not at all."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from activities.changing import Changing, ReadOrder
from dom.network import ShippingMethod
from dom.orders.order import Promise
from dom.orders.status import FulfilmentStatus
from dom.shared.errors import StepNotPossible
from dom.sourcing.models import Demand, PlannedShipment, SourcingDecision
from dom.sourcing.planner import plan
from dom.sourcing.planning.snapshot_codec import unpack
from services import reoptimisation
from services.database import Database
from store import stock
from store.fulfilment import fulfilments
from store.fulfilment.fulfilments import released_at
from store.fulfilment.work_list import WorkFilter, work_list
from store.sourcing import reoptimisation as reoptimisations
from tests.worlds import small
from tests.worlds.advancing import do, to
from tests.worlds.books import balance, check_books, one, rows
from tests.worlds.reoptimising import capture, change, comes, found, policy
from tests.worlds.sourcing import MONDAY, MONDAY_NOON

WORK = "SELECT id, node_id, status FROM fulfilments ORDER BY id"


@pytest.fixture
async def split(world: AsyncEngine) -> AsyncEngine:
    """An order of five from two nodes, all of which could come from Leeds by now."""
    await capture(world, small.order("split", RARE=5))
    await comes(world, "dc-leeds", "RARE", 3)
    return world


async def nothing_changed(engine: AsyncEngine, reserved: int = 5) -> None:
    assert await one(engine, "SELECT count(*) FROM fulfilments WHERE status = 'recalled'") == 0
    assert await one(engine, "SELECT count(*) FROM reoptimisations") == 0
    assert await one(engine, "SELECT count(*) FROM sourcing_decisions") == 1
    await check_books(engine, reserved=reserved)


class TestAChange:
    async def test_gives_the_units_other_fulfilments(self, split: AsyncEngine) -> None:
        (joint,), known = await found(split)
        await change(split, joint, known)
        assert await rows(split, WORK) == [
            ("web-split-F1", "dc-leeds", "recalled"),
            ("web-split-F2", "wh-london", "recalled"),
            ("web-split-F3", "dc-leeds", "released"),
        ]
        assert await balance(split, "dc-leeds", "RARE") == (5, 5)
        assert await balance(split, "wh-london", "RARE") == (3, 0)
        assert await one(split, "SELECT sum(used) FROM node_days WHERE service = ''") == 1
        await check_books(split, reserved=5)

    async def test_says_why_and_what_it_saves(self, split: AsyncEngine) -> None:
        (joint,), known = await found(split)
        await change(split, joint, known)
        decided = "SELECT attempt, business_key, cause, first_fulfilment FROM sourcing_decisions ORDER BY attempt"
        assert await rows(split, decided) == [
            (1, "sourced:1", "order captured", 1),
            (2, "reoptimised:1", "reoptimised", 3),
        ]
        told = "SELECT (data->>'saving')::int, data->'fulfilments', actor FROM timeline WHERE kind = 'reoptimised'"
        assert await rows(split, told) == [(joint.saving, {"web-split-F3": "dc-leeds"}, "system:ofl")]
        assert joint.saving >= 100

    async def test_does_not_move_the_promise(self, split: AsyncEngine) -> None:
        query = "SELECT promise_earliest, promise_latest, status FROM orders"
        before = await rows(split, query)
        (joint,), known = await found(split)
        await change(split, joint, known)
        assert await rows(split, query) == before
        late = """SELECT count(*) FROM fulfilments f JOIN orders o ON o.id = f.order_id
                  WHERE f.promise_latest > o.promise_latest"""
        assert await one(split, late) == 0

    async def test_is_followed_by_no_other_until_the_process_has_it(self, split: AsyncEngine) -> None:
        (joint,), known = await found(split)
        await change(split, joint, known)
        async with split.begin() as connection:
            assert not await reoptimisations.orders(connection, skus=["RARE"])
            assert await reoptimisations.mark_applied(connection, "web-split")
            assert await reoptimisations.orders(connection, skus=["RARE"]) == ["web-split"]
            assert not await reoptimisations.orders(connection, skus=["A"])

    async def test_swaps_the_units_of_two_orders(self, world: AsyncEngine) -> None:
        """Not one of them is free in Leeds, where the second order's other goods are."""
        await capture(world, small.order("one", RARE=2))
        await capture(world, small.order("two", RARE=2, B=1))
        assert await balance(world, "dc-leeds", "RARE") == (2, 2)
        (joint,), known = await found(world)
        assert len(joint.changes) == 2
        await change(world, joint, known)
        released = "SELECT order_id, node_id FROM fulfilments WHERE status = 'released' ORDER BY 1"
        assert await rows(world, released) == [("web-one", "wh-london"), ("web-two", "dc-leeds")]
        await check_books(world, reserved=5)


class TestOutdated:
    async def test_by_a_node_that_began(self, split: AsyncEngine) -> None:
        (joint,), known = await found(split)
        async with split.begin() as connection:
            await accept(connection, 2)
        with pytest.raises(reoptimisation.Outdated):
            await change(split, joint, known)
        await nothing_changed(split)

    async def test_by_a_cancelled_unit(self, split: AsyncEngine) -> None:
        (joint,), known = await found(split)
        async with split.begin() as connection:
            await stock.release(
                connection,
                "web-split",
                "web-split-F2",
                {"1": 1},
                business_key="c",
                reason="",
                actor="t",
                at=MONDAY_NOON,
            )
            await fulfilments.take_out(connection, "web-split-F2", {"1": 1})
        with pytest.raises(reoptimisation.Outdated):
            await change(split, joint, known)
        await nothing_changed(split, 4)

    @pytest.mark.parametrize(
        "locks", ["SELECT id FROM orders FOR NO KEY UPDATE", "SELECT id FROM fulfilments FOR NO KEY UPDATE"]
    )
    async def test_by_somebody_who_is_busy_with_it_and_does_not_wait(self, split: AsyncEngine, locks: str) -> None:
        (joint,), known = await found(split)
        async with split.begin() as connection:
            await connection.execute(text(locks))
            async with asyncio.timeout(10):
                with pytest.raises(reoptimisation.Outdated):
                    await change(split, joint, known)
        await nothing_changed(split)

    async def test_by_stock_that_was_taken(self, split: AsyncEngine) -> None:
        (joint,), known = await found(split)
        await capture(split, small.order("other", RARE=3))
        with pytest.raises(stock.OutOfReach):
            await change(split, joint, known)
        assert await one(split, "SELECT count(*) FROM reoptimisations") == 0
        await check_books(split, reserved=8)

    async def test_a_change_is_made_once(self, split: AsyncEngine) -> None:
        (joint,), known = await found(split)
        done = await asyncio.gather(*(change(split, joint, known) for _ in range(4)), return_exceptions=True)
        assert sorted(type(each).__name__ for each in done) == ["NoneType", "Outdated", "Outdated", "Outdated"]
        assert await one(split, "SELECT count(*) FROM fulfilments WHERE status = 'released'") == 1
        await check_books(split, reserved=5)


async def accept(connection: AsyncConnection, number: int = 1) -> bool:
    """Whether it was written now."""
    return not (await do(connection, "web-split", to(f"web-split-F{number}", FulfilmentStatus.ACCEPTED))).repeated


class TestARecalledFulfilment:
    async def test_goes_no_further_and_nothing_is_written(self, split: AsyncEngine) -> None:
        (joint,), known = await found(split)
        await change(split, joint, known)
        with pytest.raises(StepNotPossible, match="recalled"):
            async with split.begin() as connection:
                await accept(connection)
        assert await one(split, "SELECT count(*) FROM timeline WHERE kind = 'fulfilment_accepted'") == 0
        assert await one(split, "SELECT status FROM orders") == "accepted"

    async def test_a_report_that_waited_for_the_change_sees_it(self, split: AsyncEngine) -> None:
        """It began before the change was committed, and its snapshot shows the work as released."""
        (joint,), known = await found(split)
        async with split.connect() as late:
            async with split.begin() as connection:
                await reoptimisation.change(connection, joint, known.network)
                reporting = asyncio.create_task(accept(late))
                await until_it_waits(connection)
            with pytest.raises(StepNotPossible, match="recalled"):
                await reporting
            await late.rollback()
        await check_books(split, reserved=5)

    async def test_a_change_that_comes_second_is_void(self, split: AsyncEngine) -> None:
        (joint,), known = await found(split)
        async with split.begin() as connection:
            assert await accept(connection)
            with pytest.raises(reoptimisation.Outdated):
                await change(split, joint, known)
        await check_books(split, reserved=5)

    async def test_a_step_written_before_is_not_written_again(self, split: AsyncEngine) -> None:
        async with split.begin() as connection:
            assert await accept(connection)
            assert not await accept(connection)
        assert await one(split, "SELECT count(*) FROM timeline WHERE kind = 'fulfilment_accepted'") == 1


async def until_it_waits(connection: AsyncConnection) -> None:
    query = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    async with asyncio.timeout(10):
        while not await connection.scalar(query):
            await asyncio.sleep(0.02)


class TestTelling:
    async def test_the_process_is_told_and_takes_it_in(self, split: AsyncEngine) -> None:
        (joint,), known = await found(split)
        await change(split, joint, known)
        told = "SELECT kind, recipient, payload, order_id FROM outbox WHERE medium = 'workflow'"
        assert await rows(split, told) == [("reoptimised", "order-web-split", {"number": 1}, "web-split")]
        async with split.begin() as connection:
            assert await reoptimisations.mark_applied(connection, "web-split") == [1]
        async with split.begin() as connection:
            assert not await reoptimisations.mark_applied(connection, "web-split")
        view = await Changing(Database(engine=split)).read_order(ReadOrder(order_id="web-split"))
        assert view is not None
        assert [(each.fulfilment_id, each.node_id, each.status, each.units) for each in view.fulfilments][-1] == (
            "web-split-F3",
            "dc-leeds",
            "released",
            5,
        )
        assert [each.status for each in view.fulfilments[:-1]] == ["recalled", "recalled"]

    async def test_reading_the_order_takes_it_in_and_waits_for_nobody(self, split: AsyncEngine) -> None:
        (joint,), known = await found(split)
        await change(split, joint, known)
        async with split.begin() as holding:
            await holding.execute(text("SELECT FROM orders FOR UPDATE"))
            async with asyncio.timeout(5):
                assert await Changing(Database(engine=split)).read_order(ReadOrder(order_id="web-split"))
            assert await reoptimisations.not_applied(holding, "web-split") == []

    async def test_an_order_without_a_process_is_put_before_a_person(self, split: AsyncEngine) -> None:
        (joint,), known = await found(split)
        await change(split, joint, known)
        for _ in range(2):
            async with split.begin() as connection:
                await reoptimisation.without_process(connection, "web-split")
        assert await rows(split, "SELECT kind, order_id FROM exceptions") == [("reoptimised_no_process", "web-split")]
        async with split.connect() as connection:
            assert await reoptimisations.not_applied(connection, "web-split") == [1], "the process is to learn it yet"

    async def test_one_whose_process_took_it_in_and_ended_is_not(self, split: AsyncEngine) -> None:
        """The notice came late: the process met the change at its next step."""
        (joint,), known = await found(split)
        await change(split, joint, known)
        async with split.begin() as connection:
            assert await reoptimisations.mark_applied(connection, "web-split")
            await reoptimisation.without_process(connection, "web-split")
        assert await rows(split, "SELECT kind FROM exceptions") == []

    async def test_one_that_has_ended_is_not(self, split: AsyncEngine) -> None:
        (joint,), known = await found(split)
        await change(split, joint, known)
        async with split.begin() as connection:
            await connection.execute(text("UPDATE orders SET status = 'cancelled'"))
            await reoptimisation.without_process(connection, "web-split")
        assert await rows(split, "SELECT kind FROM exceptions") == []


class TestHoldingBack:
    def shipment(self, **changes: object) -> PlannedShipment:
        plain = {
            "node_id": "dc-leeds",
            "lines": (),
            "carrier": "northline",
            "service": ShippingMethod.STANDARD,
            "ship_by": MONDAY_NOON + timedelta(hours=4),
            "ship_day": MONDAY,
            "promise": Promise(earliest=MONDAY_NOON, latest=MONDAY_NOON),
            "weight_grams": 1,
            "costs": {},
        }
        return PlannedShipment.model_validate(plain | changes)

    @pytest.mark.parametrize(("hold", "after"), [(0, 0), (30, 30), (120, 120), (180, 120), (10_000, 120)])
    def test_gives_way_to_the_cut_off(self, hold: int, after: int) -> None:
        at = released_at(self.shipment(), MONDAY_NOON, timedelta(minutes=hold))
        assert at == MONDAY_NOON + timedelta(minutes=after)

    def test_never_lies_before_the_plan(self) -> None:
        soon = self.shipment(ship_by=MONDAY_NOON + timedelta(minutes=5))
        assert released_at(soon, MONDAY_NOON, timedelta(hours=1)) == MONDAY_NOON

    def test_is_not_for_what_the_customer_collects(self) -> None:
        assert released_at(self.shipment(service="pickup"), MONDAY_NOON, timedelta(hours=1)) == MONDAY_NOON

    async def test_lasts_as_long_as_the_policy_says(self, world: AsyncEngine) -> None:
        await policy(world, hold_minutes=90)
        await capture(world, small.order("held", A=1))
        assert await one(world, "SELECT released_at FROM fulfilments") == MONDAY_NOON + timedelta(minutes=90)
        await policy(world, hold_minutes=90, enabled=False)
        await capture(world, small.order("at-once", A=1))
        at_once = "SELECT released_at FROM fulfilments WHERE order_id = 'web-at-once'"
        assert await one(world, at_once) == MONDAY_NOON

    async def test_keeps_work_out_of_the_node_s_list(self, world: AsyncEngine) -> None:
        await capture(world, small.order("held", A=1))
        async with world.begin() as connection:
            assert await fulfilments.at_the_node(connection, "web-held-F1")
            assert await fulfilments.lock_at_the_node(connection, "web-held-F1")
            assert await work_list(connection, WorkFilter(node_id="dc-leeds"))
            later = {"at": datetime.now(UTC) + timedelta(hours=1)}
            await connection.execute(text("UPDATE fulfilments SET released_at = :at"), later)
            assert await fulfilments.at_the_node(connection, "web-held-F1") is None
            assert not await fulfilments.lock_at_the_node(connection, "web-held-F1")
            assert not await work_list(connection, WorkFilter(node_id="dc-leeds"))
            assert not await work_list(connection)
            assert await work_list(connection, WorkFilter(order_id="web-held"))

    async def test_the_new_work_is_released_when_the_old_would_have_been(self, split: AsyncEngine) -> None:
        later = MONDAY_NOON + timedelta(hours=1)
        async with split.begin() as connection:
            await connection.execute(text("UPDATE fulfilments SET released_at = :at"), {"at": later})
        (joint,), known = await found(split)
        await change(split, joint, known)
        assert await one(split, "SELECT released_at FROM fulfilments WHERE id = 'web-split-F3'") == later


async def test_what_is_kept_gives_the_decision_again(split: AsyncEngine) -> None:
    """The joint choice is no secret: on the stock it left for the order, the planner's own answer is the new plan."""
    (joint,), known = await found(split)
    await change(split, joint, known)
    document, seen = (
        await rows(split, "SELECT document, snapshot FROM sourcing_decisions WHERE business_key = 'reoptimised:1'")
    )[0]
    assert isinstance(document, dict)
    assert isinstance(seen, dict)
    demand = Demand.model_validate(document["demand"])
    again = plan(demand, unpack(seen, known.nodes, known.tariffs), known.policy, known.policy_version)
    made = SourcingDecision.model_validate(document["decision"])
    assert again.shipments == made.shipments
    assert demand.deliver_by is not None
