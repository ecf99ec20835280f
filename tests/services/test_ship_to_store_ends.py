"""Ship to store: what nobody collects, or is cancelled, is free where it is, once."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.orders.cancellation import CancelMode
from dom.orders.commands import CancelUnits, PlaceHold
from dom.orders.holds import BlockedStep
from dom.orders.order import Order
from dom.orders.pickup_commands import KeepForCollection, PutBack
from dom.orders.status import CarrierEventKind
from dom.shared.errors import OnHold, StepNotPossible
from services import collecting
from store.fulfilment.work_list import WorkFilter, work_list
from tests.worlds.advancing import all_of, comes_to, do
from tests.worlds.books import balance, check_books, one, rows
from tests.worlds.races import TURNS
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

    async def test_of_all_at_the_store_are_put_back(self, world: AsyncEngine) -> None:
        order = await at_the_store(world)
        async with world.begin() as connection:
            await do(connection, order.order_id, all_of())
        assert await balance(world, STORE, "B") == (2, 0)
        async with world.connect() as connection:
            assert len(await work_list(connection, WorkFilter(node_id=STORE, put_back=True))) == 1
        await check_books(world)
