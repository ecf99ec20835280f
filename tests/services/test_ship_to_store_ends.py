"""Ship to store: what nobody collects, or is cancelled, is free where it is, once."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.delivery.promise import open_for
from dom.orders.cancellation import CancelMode
from dom.orders.commands import CancelUnits, PlaceHold, TakeNodeStep
from dom.orders.holds import BlockedStep
from dom.orders.order import Order
from dom.orders.pickup_commands import KeepForCollection, PutBack
from dom.orders.status import CarrierEventKind
from dom.shared.errors import OnHold, StepNotPossible
from services import cancellation_requests, collecting, node_steps, order_waits
from services.database import Database
from store.backorders import not_found
from store.fulfilment.work_list import WorkFilter, work_list
from store.orders import reads
from store.policy import policies
from tests.worlds.advancing import all_of, comes_to, do
from tests.worlds.books import balance, check_books, one, rows
from tests.worlds.policies import policy
from tests.worlds.races import TURNS, stocked
from tests.worlds.to_store import (
    DC,
    ON_THE_WAY,
    STORE,
    WRITING,
    allow,
    at_the_store,
    captured,
    carrier_says,
    code_of,
    collect,
    kept,
    say,
    status,
    work,
)

LONDON = "wh-london"


@pytest.fixture(autouse=True)
async def _allowed(world: AsyncEngine) -> None:
    await allow(world)


class TestWhatIsNotCollected:
    async def test_is_free_at_the_store_once_and_put_back_there(self, world: AsyncEngine) -> None:
        order = await at_the_store(world)
        end = await kept(world, order)
        assert await collecting.look(world, end - timedelta(seconds=1), WRITING) == 1  # the reminder
        assert sum(await asyncio.gather(*(collecting.look(world, end, WRITING) for _ in range(3)))) == 1
        assert await balance(world, STORE, "B") == (2, 0)
        assert await balance(world, DC, "B") == (98, 0)
        found = "SELECT status, reason FROM fulfilments WHERE order_id = :id"
        assert await rows(world, found, id=order.order_id) == [("cancelled", "not_collected")]
        async with world.connect() as connection:
            (listed,) = await work_list(connection, WorkFilter(node_id=STORE, put_back=True))
            assert await work_list(connection, WorkFilter(node_id=DC, put_back=True)) == []
        assert listed["units_to_put_back"] == [{"sku": "B", "quantity": 2}]
        back = PutBack(fulfilment_id=work(order), actor="york", at=datetime.now(UTC))
        assert [(await say(world, back)).repeated for _ in range(2)] == [False, True]
        assert await balance(world, STORE, "B") == (2, 0)
        assert await carrier_says(world, order, CarrierEventKind.DELIVERED, "again")
        assert await balance(world, STORE, "B") == (2, 0)
        await check_books(world)

    async def test_that_it_was_lost_is_a_matter_of_the_stores_stock(self, world: AsyncEngine) -> None:
        order = await at_the_store(world)
        await collecting.look(world, await kept(world, order), WRITING)
        assert not await carrier_says(world, order, CarrierEventKind.LOST)
        told = "SELECT data->>'node_id', data->>'on_hand' FROM exceptions WHERE kind = 'report_out_of_turn'"
        assert await rows(world, told) == [(STORE, "too high")]

    async def test_can_be_sold_by_the_store(self, world: AsyncEngine) -> None:
        order = await at_the_store(world)
        await collecting.look(world, await kept(world, order), WRITING)
        other = await captured(world, "other")
        found = "SELECT node_id, method FROM fulfilments WHERE order_id = :id"
        assert await rows(world, found, id=other.order_id) == [(STORE, "pickup")]
        await check_books(world, reserved=2)

    async def test_is_kept_longer(self, world: AsyncEngine) -> None:
        order = await at_the_store(world)
        end = await kept(world, order)
        longer = KeepForCollection(
            fulfilment_id=work(order), until=end + timedelta(days=5), actor="ada", at=datetime.now(UTC), reason="away"
        )
        await say(world, longer)
        await collecting.look(world, end, WRITING)
        assert await status(world, order) == "ready_for_collection"
        assert await collecting.look(world, end + timedelta(days=5), WRITING) == 1

    async def test_is_held_back_from_its_customer(self, world: AsyncEngine) -> None:
        order = await at_the_store(world)
        placed = PlaceHold(type="manual", blocks=frozenset({BlockedStep.HAND_OVER}), actor="ada", at=datetime.now(UTC))
        async with world.begin() as connection:
            await do(connection, order.order_id, placed)
        with pytest.raises(OnHold):
            await collect(world, order, code=await code_of(world, order))
        assert await collecting.look(world, await kept(world, order), WRITING) == 0

    async def test_races_with_its_customer(self, world: AsyncEngine) -> None:
        await stocked(world)
        orders = [await at_the_store(world, f"race-{number}", B=1) for number in range(TURNS)]
        end = max([await kept(world, order) for order in orders])
        codes = dict(await rows(world, "SELECT order_id, code FROM collections"))

        async def at_the_counter(order: Order) -> str:
            try:
                await collect(world, order, code=codes[order.order_id])
            except StepNotPossible:
                return "cancelled"
            return "collected"

        said, *_ = await asyncio.gather(
            asyncio.gather(*map(at_the_counter, orders)),
            collecting.look(world, end, WRITING),
            collecting.look(world, end, WRITING),
        )
        assert [str(await status(world, order)) for order in orders] == said
        assert await balance(world, STORE, "B") == (said.count("cancelled"), 0)
        await check_books(world)


class TestWhatTheStoreDidNotFind:
    async def test_is_not_there_because_goods_came_for_another_order(self, world: AsyncEngine) -> None:
        lacks = await captured(world, "lacks", A=1)
        nothing = TakeNodeStep(
            fulfilment_id=work(lacks), step="pick", actor="york", at=datetime.now(UTC), found={"1": 0}, why="not_found"
        )
        await node_steps.take(world, nothing, WRITING)
        other = await at_the_store(world, "other", A=20)
        assert await balance(world, STORE, "A") == (24, 20)
        assert await self.failed(world, lacks) == {(STORE, "A")}
        await collecting.look(world, await kept(world, other), WRITING)
        assert await balance(world, STORE, "A") == (24, 0)
        assert await self.failed(world, lacks) == set(), "what nobody collects is there for anybody"

    async def failed(self, world: AsyncEngine, order: Order) -> set[tuple[str, str]]:
        async with world.connect() as connection:
            return set(await not_found(connection, order.order_id))


class TestCancellations:
    @pytest.mark.parametrize("steps", range(5))
    async def test_before_the_hand_over_free_the_sending_node(self, world: AsyncEngine, steps: int) -> None:
        order = await captured(world)
        await comes_to(world, work(order), *ON_THE_WAY[:steps])
        async with world.begin() as connection:
            await do(connection, order.order_id, all_of())
        assert await balance(world, DC, "B") == (100, 0)
        assert await rows(world, "SELECT 1 FROM stock WHERE node_id = :id AND sku = 'B'", id=STORE) == []
        await check_books(world)

    async def test_of_a_part_at_the_store_free_that_part_there(self, world: AsyncEngine) -> None:
        order = await at_the_store(world)
        async with world.begin() as connection:
            await do(connection, order.order_id, all_of({"1": 1}))
        assert await balance(world, STORE, "B") == (2, 1)
        await check_books(world, reserved=1)
        await collect(world, order, code=await code_of(world, order))
        assert await balance(world, STORE, "B") == (1, 0)
        await check_books(world)

    async def test_at_the_store_are_asked_of_the_store(self, world: AsyncEngine) -> None:
        order = await at_the_store(world)
        now = datetime.now(UTC)
        asked = CancelUnits(lines=None, mode=CancelMode.ASK, actor="ada", at=now, answer_by={work(order): now})
        async with world.begin() as connection:
            await do(connection, order.order_id, asked)
        assert await one(world, "SELECT node_id FROM cancellation_requests") == STORE
        async with world.connect() as connection:
            found = await reads.order(connection, order.order_id)
            assert found is not None
            waits = await order_waits.read(connection, found, now)
        assert [(each.who, each.name) for each in waits if each.what == "cancellation"] == [("node", STORE)]

    async def test_at_the_store_are_answered_in_its_time(self, world: AsyncEngine) -> None:
        async with world.begin() as connection:
            answers = {"within_minutes": {"store": 1}, "otherwise_minutes": 10_000}
            allowed = policy(name="asks", collection={"ship_to_store": {}}, cancellations=answers)
            await policies.publish_policy(connection, allowed, "test")
        order, now = await at_the_store(world), datetime.now(UTC)
        asked = CancelUnits(lines=None, mode=CancelMode.ASK, actor="ada", at=now)
        async with world.begin() as connection:
            known = await Database(world).reference.now(connection)
            (answer_by,) = (
                await cancellation_requests.timed(connection, order.order_id, asked, known, now)
            ).answer_by.values()
        (store,) = [node for node in known.nodes if node.id == STORE]
        assert answer_by == open_for(store, now, 1)

    async def test_of_all_at_the_store_are_put_back(self, world: AsyncEngine) -> None:
        order = await at_the_store(world)
        async with world.begin() as connection:
            await do(connection, order.order_id, all_of())
        assert await balance(world, STORE, "B") == (2, 0)
        async with world.connect() as connection:
            assert len(await work_list(connection, WorkFilter(node_id=STORE, put_back=True))) == 1
        await check_books(world)


async def test_who_plans_with_both_balances_does_not_meet_what_is_delivered_unscanned(world: AsyncEngine) -> None:
    """Goods of which no hand-over was heard leave one balance and come to the other in one transaction."""
    opened = text("INSERT INTO stock (node_id, sku, on_hand) VALUES (:id, 'RARE', 0)")
    async with world.begin() as connection:
        await connection.execute(opened, {"id": STORE})
    order = await captured(world, RARE=3)
    assert await one(world, "SELECT node_id FROM fulfilments") == LONDON
    await comes_to(world, work(order), *ON_THE_WAY[:4])
    lock = text("SELECT FROM stock WHERE node_id = :id AND sku = 'RARE' FOR NO KEY UPDATE")
    async with world.begin() as planner:
        await planner.execute(lock, {"id": STORE})
        told = asyncio.create_task(carrier_says(world, order, CarrierEventKind.DELIVERED))
        await asyncio.sleep(0.5)
        await planner.execute(lock, {"id": LONDON})
    assert await told
    await check_books(world, reserved=3)
