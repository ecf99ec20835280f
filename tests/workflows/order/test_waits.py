"""Orders that wait are served in their places, told at once, and told again if nobody heard.

The Temporal server outlives the tests: an order's name is used once.
"""

import asyncio
from datetime import timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from dom.orders.order import Order
from dom.orders.status import OrderStatus
from jobs.allocating import Allocating
from services import backorder_allocation
from store import stock
from store.enums import LedgerKind
from store.orders import orders
from store.stock import Movement
from tests.worlds import small
from tests.worlds.books import one, rows
from tests.worlds.running import House, allocating, relaying
from tests.worlds.sourcing import MONDAY_NOON
from tests.worlds.steps import cancel, deliver, ended, status_of, until_order, until_released
from tests.worlds.waiting import until


async def comes(engine: AsyncEngine, sku: str, units: int, node: str = "dc-leeds") -> None:
    """Goods come in, and nobody tells the orders."""
    key = f"in-{await one(engine, 'SELECT gen_random_uuid()')}"
    async with engine.begin() as connection:
        goods = Movement(node, sku, units, LedgerKind.RECEIPT, "receipt", key)
        await stock.move(connection, goods, actor="test", at=MONDAY_NOON)


async def waits(house: House, name: str, age: int = 0, /, **fields: Any) -> Order:
    """An order, `age` hours old, that finds nothing."""
    order = small.order(name, placed_at=MONDAY_NOON - timedelta(hours=age), **fields)
    assert (await house.send(order)).status is OrderStatus.BACKORDERED
    return order


async def held(engine: AsyncEngine) -> object:
    """Units that are softly reserved, by the balances and by the reservations."""
    query = """
        SELECT (SELECT sum(reserved_soft)::int FROM stock), (
            SELECT coalesce(sum(quantity), 0)::int FROM reservations WHERE kind = 'soft' AND status = 'active')
    """
    ((balances, reserved),) = await rows(engine, query)  # in one look: the leader is at work
    assert reserved == balances
    return balances


async def causes(engine: AsyncEngine, order: Order) -> list[object]:
    query = "SELECT cause FROM sourcing_decisions WHERE order_id = :id ORDER BY attempt"
    return [cause for (cause,) in await rows(engine, query, id=order.order_id)]


class TestServedInTheirPlaces:
    async def test_stock_that_trickles_in_goes_to_the_oldest_first(self, house: House) -> None:
        young = await waits(house, "young-1", 1, NEVER=1)
        old = await waits(house, "old-1", 9, NEVER=2)
        middle = await waits(house, "middle-1", 5, NEVER=1)
        await comes(house.engine, "NEVER", 1)
        assert await until_released(house, old, 1) == "dc-leeds"
        await comes(house.engine, "NEVER", 1, "wh-london")
        assert await until_released(house, old, 2) == "wh-london"
        for order in (middle, young):
            assert await status_of(house, order) == "backordered"
            assert await causes(house.engine, order) == ["order captured"]
            await comes(house.engine, "NEVER", 1)
            await until_released(house, order, 1)
        assert await causes(house.engine, old) == ["order captured", "stock arrived", "stock arrived"]
        assert await held(house.engine) == 0
        for order, parcels in ((old, 2), (middle, 1), (young, 1)):
            for number in range(1, parcels + 1):
                await deliver(house, order, number)
            async with asyncio.timeout(20):
                assert (await house.handle(order).result()).status is OrderStatus.DELIVERED

    async def test_what_is_set_aside_is_not_sold_to_who_comes_by(
        self, temporal_client: Client, world: AsyncEngine
    ) -> None:
        async with House(temporal_client, world, allocates=False).working() as house:
            old = await waits(house, "old-2", NEVER=2)
            await comes(world, "NEVER", 2)
            async with world.begin() as connection:
                assert (await backorder_allocation.allocate(connection, ["NEVER"])).granted == (old.order_id,)
            await waits(house, "new-2", NEVER=1)
            async with allocating(world):
                await until_released(house, old, 1)
            assert await held(world) == 0


class TestShipComplete:
    async def test_waits_whole_and_says_why(self, house: House) -> None:
        order = await waits(house, "whole-3", A=1, RARE=7, ship_complete=True)
        async with house.engine.connect() as connection:
            query = "SELECT document->'decision'->'reasons' FROM sourcing_decisions WHERE order_id = :id"
            reason, *_ = (await connection.execute(text(query), {"id": order.order_id})).scalar_one()
        assert reason == (
            "The order is to be sent complete, and 2 of its 8 units cannot be sourced with the others now, "
            "so nothing is sent yet."
        )
        assert await rows(house.engine, "SELECT backordered FROM order_lines ORDER BY position") == [(1,), (7,)]
        assert await rows(house.engine, "SELECT id FROM fulfilments") == []

    async def test_is_passed_over_and_then_served(self, house: House) -> None:
        whole = await waits(house, "whole-4", 9, NEVER=2, ship_complete=True)
        young = await waits(house, "young-4", NEVER=1)
        await comes(house.engine, "NEVER", 1)
        await until_released(house, young, 1)
        assert await status_of(house, whole) == "backordered"
        await comes(house.engine, "NEVER", 2)
        await until_released(house, whole, 1)
        assert await held(house.engine) == 0
        await deliver(house, whole)
        async with asyncio.timeout(20):
            assert (await house.handle(whole).result()).status is OrderStatus.DELIVERED

    async def test_out_of_patience_it_gathers_and_gives_back_when_it_is_cancelled(self, house: House) -> None:
        whole = await waits(house, "whole-5", 9, NEVER=3, ship_complete=True)
        async with house.engine.begin() as connection:
            await connection.execute(text("UPDATE orders SET captured_at = captured_at - interval '4 days'"))
        young = await waits(house, "young-5", NEVER=1)
        await comes(house.engine, "NEVER", 2)

        async def gathered() -> bool:
            return await held(house.engine) == 2

        await until("two units are set aside", gathered)
        assert await causes(house.engine, whole) == await causes(house.engine, young) == ["order captured"]
        await cancel(house, whole)
        await until_released(house, young, 1)
        await deliver(house, young)
        assert (await ended(house, young)).status is OrderStatus.DELIVERED


class TestReleases:
    async def test_a_cancelled_orders_units_go_to_the_next_without_any_goods(self, house: House) -> None:
        first = small.order("first-6", RARE=5)
        await house.send(first)
        second = await waits(house, "second-6", RARE=4)
        await cancel(house, first, l1=1)
        await until_released(house, second, 1)
        await cancel(house, first)

        async def served() -> bool:
            return await one(house.engine, "SELECT sum(backordered) FROM order_lines") == 0

        await until("nobody waits", served)
        assert await held(house.engine) == 0

    async def test_a_rejected_orders_units_are_not_offered_to_it_again(self, house: House) -> None:
        order = small.order("rejected-7", B=3)
        await house.send(order)
        await house.node(order, "reject")
        await until_order(house, order, "backordered")
        await asyncio.sleep(1.5)  # several runs, and a look at everything
        assert await causes(house.engine, order) == ["order captured", "rejected by the node"]
        await comes(house.engine, "B", 1)
        await until_released(house, order, 2)
        await until_order(house, order, "accepted")


class TestTold:
    async def test_though_the_leader_dies_right_after(self, temporal_client: Client, world: AsyncEngine) -> None:
        """The notice is written in the transaction that sets the units aside."""
        async with House(temporal_client, world, allocates=False, relays=False).working() as house:
            order = await waits(house, "unheard-8", NEVER=1)
            await comes(world, "NEVER", 1)
            await Allocating(world).run()
            assert await held(world) == 1
            assert await causes(world, order) == ["order captured"]
            async with relaying(house.database, house.senders):
                await until_released(house, order, 1)
            assert await held(world) == 0

    async def test_an_order_without_a_process_makes_room(self, house: House) -> None:
        lost = small.order("lost-10", placed_at=MONDAY_NOON - timedelta(hours=9), NEVER=1)
        async with house.engine.begin() as connection:
            await orders.capture(connection, lost)
            await orders.write_lines(
                connection, lost, backordered={"1": 1}, status=OrderStatus.BACKORDERED, promise=None
            )
        order = await waits(house, "next-10", NEVER=1)
        await comes(house.engine, "NEVER", 1)
        await until_released(house, order, 1)
        found = await rows(house.engine, "SELECT order_id, kind, status FROM exceptions")
        assert found == [(lost.order_id, "backorder_no_process", "open")]


class TestUnitsNobodyCanUse:
    async def test_go_round_once_and_then_rest(self, house: House) -> None:
        """A node without capacity: orders are offered its units, cannot take them, and are left in peace."""
        async with house.engine.begin() as connection:
            full = """UPDATE nodes SET document = document || '{"daily_capacity": 0}' WHERE id = 'st-york'"""
            await connection.execute(text(full))
            await connection.execute(text("UPDATE reference_state SET version = version + 1"))
        both = [await waits(house, name, NEVER=1) for name in ("first-11", "second-11")]
        await comes(house.engine, "NEVER", 1, "st-york")

        async def offered_to_both() -> bool:
            return [len(await causes(house.engine, order)) for order in both] == [2, 2]

        await until("both were offered the unit", offered_to_both)
        await asyncio.sleep(1.5)
        assert await offered_to_both()
        assert await held(house.engine) == 0
