"""Ship to store: goods leave one node, come to the store by a carrier, and are collected, or end there, once."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.orders.commands import CountAsDelivered, MoveParcel, MoveWork, SplitWork
from dom.orders.order import Order
from dom.orders.pickup_commands import KeepForCollection
from dom.orders.status import CarrierEventKind, ReasonCode
from dom.shared.access import Limits
from dom.shared.errors import CollectionLocked, StepNotPossible, WrongCode
from services import collecting, moving, order_views, order_waits, splitting
from services.bookings import _recipient
from services.database import Database
from store import stock
from store.access import visibility
from store.enums import LedgerKind
from store.fulfilment import fulfilments
from store.fulfilment.work_list import WorkFilter, work_list
from store.orders import reads
from store.policy import policies
from tests.worlds import small
from tests.worlds.advancing import S, collected, comes_to, do
from tests.worlds.books import balance, check_books, one, rows
from tests.worlds.policies import policy
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
    on_the_way,
    say,
    status,
    work,
)

TOLD: Final = "SELECT kind FROM outbox WHERE medium = 'mail' AND order_id = :id ORDER BY id"
LEDGER: Final = "SELECT node_id, kind, on_hand_delta, reserved_delta FROM stock_ledger WHERE order_id = :id ORDER BY id"


@pytest.fixture(autouse=True)
async def _allowed(world: AsyncEngine) -> None:
    await allow(world)


class TestThePlan:
    async def test_names_the_node_that_sends_and_the_store_that_gives_it_out(self, world: AsyncEngine) -> None:
        order = await captured(world)
        found = "SELECT node_id, pickup_node, method, carrier, status FROM fulfilments WHERE order_id = :id"
        assert await rows(world, found, id=order.order_id) == [(DC, STORE, "standard", "northline", "released")]
        assert await balance(world, DC, "B") == (100, 2)
        days = "SELECT node_id, service, used FROM node_days ORDER BY 1, 2"
        assert await rows(world, days) == [(DC, "", 1)]
        await check_books(world, reserved=2)

    async def test_leaves_the_stores_own_stock_to_the_store(self, world: AsyncEngine) -> None:
        order = await captured(world, A=1)
        found = "SELECT node_id, pickup_node, method FROM fulfilments WHERE order_id = :id"
        assert await rows(world, found, id=order.order_id) == [(STORE, None, "pickup")]

    async def test_may_use_both(self, world: AsyncEngine) -> None:
        order = await captured(world, A=1, B=1)
        found = "SELECT node_id, pickup_node FROM fulfilments WHERE order_id = :id ORDER BY 1"
        assert await rows(world, found, id=order.order_id) in (
            [(DC, STORE), (STORE, None)],
            [(DC, STORE)],
        )
        await check_books(world, reserved=2)

    async def test_is_not_made_where_the_policy_does_not_say_so(self, world: AsyncEngine) -> None:
        async with world.begin() as connection:
            await policies.publish_policy(connection, policy(name="off"), "test")
        order = await captured(world)
        assert await rows(world, "SELECT id FROM fulfilments WHERE order_id = :id", id=order.order_id) == []

    async def test_sends_the_parcel_to_the_store(self, world: AsyncEngine) -> None:
        order = await captured(world)
        async with world.connect() as connection:
            to = _recipient(await fulfilments.to_book(connection, work(order)))
        (store,) = [node for node in small.NODES if node.id == STORE]
        assert (to.name, to.lines, to.country) == (store.name, store.address.lines, "GB")

    async def test_may_be_moved_and_split(self, world: AsyncEngine) -> None:
        order = await captured(world, RARE=2)
        now = datetime.now(UTC)
        async with world.begin() as connection:
            move = MoveWork(fulfilment_id=work(order), node_id="wh-london", actor="ada", at=now)
            await moving.move_in(Database(world), connection, move, WRITING)
        async with world.begin() as connection:
            split = SplitWork(fulfilment_id=f"{order.order_id}-F2", lines={"1": 1}, actor="ada", at=now)
            await splitting.split(connection, split, WRITING)
        found = "SELECT id, node_id, pickup_node, status FROM fulfilments WHERE order_id = :id ORDER BY id"
        assert await rows(world, found, id=order.order_id) == [
            (f"{order.order_id}-F1", DC, STORE, "recalled"),
            (f"{order.order_id}-F2", "wh-london", STORE, "released"),
            (f"{order.order_id}-F3", "wh-london", STORE, "released"),
        ]
        await check_books(world, reserved=2)


class TestAtTheStore:
    async def test_goods_are_on_hand_and_reserved_and_the_customer_is_told(self, world: AsyncEngine) -> None:
        order = await on_the_way(world)
        assert await balance(world, DC, "B") == (98, 0)
        assert await carrier_says(world, order, CarrierEventKind.DELIVERED)
        assert await status(world, order) == "ready_for_collection"
        assert await balance(world, DC, "B") == (98, 0)
        assert await balance(world, STORE, "B") == (2, 2)
        assert await rows(world, LEDGER, id=order.order_id) == [
            (DC, "reserve", 0, 2),
            (DC, "ship", -2, -2),
            (STORE, "receipt", 2, 2),
        ]
        told = [kind for (kind,) in await rows(world, TOLD, id=order.order_id)]
        assert told == ["order_confirmed", "shipped", "ready_for_collection"]
        assert await one(world, "SELECT status FROM orders WHERE id = :id", id=order.order_id) == "shipped"
        assert await one(world, "SELECT node_id FROM collections") == STORE
        await check_books(world, reserved=2)

    async def test_the_report_counts_once_whoever_says_it_again(self, world: AsyncEngine) -> None:
        order = await on_the_way(world)
        said = [carrier_says(world, order, CarrierEventKind.DELIVERED, f"e{number % 3}") for number in range(6)]
        assert await asyncio.gather(*said) == [True] * 6
        for late in (CarrierEventKind.IN_TRANSIT, CarrierEventKind.OUT_FOR_DELIVERY, CarrierEventKind.DELIVERED):
            assert await carrier_says(world, order, late, f"late {late}")
        await comes_to(world, work(order), S.DELIVERED)  # support says it as well
        assert await balance(world, STORE, "B") == (2, 2)
        assert await rows(world, "SELECT kind FROM exceptions") == []
        await collect(world, order, code=await code_of(world, order))
        assert await carrier_says(world, order, CarrierEventKind.DELIVERED, "after all")
        assert await rows(world, "SELECT kind FROM exceptions") == []
        await check_books(world)

    async def test_what_cannot_be_true_any_more_is_put_before_a_person(self, world: AsyncEngine) -> None:
        order = await at_the_store(world)
        assert not await carrier_says(world, order, CarrierEventKind.LOST)
        assert await status(world, order) == "ready_for_collection"
        assert await rows(world, "SELECT kind FROM exceptions") == [("report_out_of_turn",)]

    async def test_they_are_given_out_for_the_code(self, world: AsyncEngine) -> None:
        order = await at_the_store(world)
        for _ in range(5):
            with pytest.raises(WrongCode):
                await collect(world, order, code="222222")
        with pytest.raises(CollectionLocked):
            await collect(world, order, code=await code_of(world, order))
        assert await rows(world, "SELECT data->>'node_id' FROM exceptions") == [(STORE,)]
        async with world.begin() as connection:
            done = await do(connection, order.order_id, collected(work(order)))
        assert done.state.status() == "delivered"
        assert await balance(world, STORE, "B") == (0, 0)
        assert await balance(world, DC, "B") == (98, 0)
        assert (await collect(world, order, code="any")).repeated
        await check_books(world)

    async def test_they_are_not_collected_before_they_are_there(self, world: AsyncEngine) -> None:
        order = await on_the_way(world)
        with pytest.raises(StepNotPossible):
            await collect(world, order, code="222222")
        with pytest.raises(StepNotPossible):
            await say(world, KeepForCollection(
                fulfilment_id=work(order), until=datetime.now(UTC) + timedelta(days=9), actor="ada",
                at=datetime.now(UTC), reason="away",
            ))  # fmt: skip

    async def test_the_booking_stands_whatever_becomes_of_them(self, world: AsyncEngine) -> None:
        order = await at_the_store(world)
        async with world.connect() as connection:
            (ready,) = (await order_views.get(connection, order.order_id)).fulfilments
        assert (ready.void, ready.book) == ((), None)
        await collecting.look(world, await kept(world, order), WRITING)
        async with world.connect() as connection:
            (ended,) = (await order_views.get(connection, order.order_id)).fulfilments
        assert (ended.status, ended.void) == (S.CANCELLED, ())

    async def test_a_count_that_saw_them_does_not_count_them_twice(self, world: AsyncEngine) -> None:
        order = await on_the_way(world)
        async with world.begin() as connection:
            seen = stock.Movement(STORE, "B", 2, LedgerKind.ADJUSTMENT, "seen", "seen", reason_code=ReasonCode.FOUND)
            await stock.move(connection, seen, actor="test", at=datetime.now(UTC))
            await connection.execute(
                text("UPDATE stock SET counted_at = now() WHERE node_id = :node AND sku = 'B'"), {"node": STORE}
            )
        delivered = MoveParcel(
            fulfilment_id=work(order), status=S.DELIVERED, actor="carrier", at=datetime.now(UTC) - timedelta(hours=1)
        )
        async with world.begin() as connection:
            await do(connection, order.order_id, delivered)
        assert await balance(world, STORE, "B") == (2, 2)
        await check_books(world, reserved=2)


class TestParcelsThatDoNotArrive:
    async def test_a_lost_one_is_sourced_anew(self, world: AsyncEngine) -> None:
        order = await on_the_way(world)
        assert await carrier_says(world, order, CarrierEventKind.LOST)
        assert await one(world, "SELECT backordered FROM order_lines") == 2
        assert await balance(world, DC, "B") == (98, 0)
        await check_books(world)

    async def test_a_lost_one_that_arrives_is_ready_at_the_store(self, world: AsyncEngine) -> None:
        order = await on_the_way(world)
        await carrier_says(world, order, CarrierEventKind.LOST)
        found = CountAsDelivered(
            fulfilment_id=work(order), actor="ada", at=datetime.now(UTC), reason="it came", begun=True
        )
        async with world.begin() as connection:
            done = await do(connection, order.order_id, found)
        assert done.state.fulfilments[work(order)].status is S.READY
        assert await balance(world, STORE, "B") == (2, 2)
        await check_books(world, reserved=2)
        await collect(world, order, code=await code_of(world, order))
        await check_books(world)

    async def test_one_that_comes_back_is_cancelled(self, world: AsyncEngine) -> None:
        order = await on_the_way(world)
        assert await carrier_says(world, order, CarrierEventKind.RETURNED_TO_SENDER)
        assert await status(world, order) == "returned_to_sender"
        assert await rows(world, "SELECT 1 FROM collections") == []
        await check_books(world)


class TestWhoSeesIt:
    async def test_the_store_from_the_hand_over_on_and_the_sender_always(self, world: AsyncEngine) -> None:
        order = await captured(world)
        assert await self.seen(world, order) == (True, False)
        await comes_to(world, work(order), *ON_THE_WAY)
        assert await self.seen(world, order) == (True, True)
        await comes_to(world, work(order), S.DELIVERED)
        assert await self.seen(world, order) == (True, True)
        async with world.connect() as connection:
            (listed,) = await work_list(connection, WorkFilter(node_id=STORE))
            both = await work_list(connection, WorkFilter(limits=Limits.of(nodes=[DC, STORE])))
        assert (listed["node_id"], listed["ship_to"]["name"], len(both)) == (DC, "St York", 1)

    async def seen(self, world: AsyncEngine, order: Order) -> tuple[bool, bool]:
        found = []
        async with world.connect() as connection:
            for node in (DC, STORE):
                limits = Limits.of(nodes=[node])
                seen = await visibility.sees(connection, limits, visibility.FULFILMENT, work(order))
                assert bool(await work_list(connection, WorkFilter(node_id=node, limits=limits))) == seen
                assert bool(await work_list(connection, WorkFilter(limits=limits))) == seen
                assert await visibility.sees(connection, limits, visibility.ORDER, order.order_id)
                found.append(seen)
        return found[0], found[1]

    async def test_each_does_its_part_alone(self, world: AsyncEngine) -> None:
        order = await at_the_store(world)
        async with world.connect() as connection:
            for node, kind, may in (
                (DC, visibility.WORK, True),
                (STORE, visibility.WORK, False),
                (DC, visibility.HANDING_OUT, False),
                (STORE, visibility.HANDING_OUT, True),
            ):
                assert await visibility.sees(connection, Limits.of(nodes=[node]), kind, work(order)) == may


async def test_what_is_waited_for_until_when(world: AsyncEngine) -> None:
    order = await on_the_way(world)

    async def waits() -> tuple[str, str, datetime]:
        async with world.connect() as connection:
            found = await reads.order(connection, order.order_id)
            assert found is not None
            (work_,) = found["fulfilments"]
            assert work_["pickup_node"] == STORE
            (each,) = await order_waits.read(connection, found, datetime.now(UTC))
        return each.what, each.who, each.until

    ready = await one(world, "SELECT promise_earliest FROM fulfilments WHERE id = :id", id=work(order))
    assert await waits() == ("delivery", "carrier", ready)
    await comes_to(world, work(order), S.DELIVERED)
    assert await waits() == ("collection", "customer", await kept(world, order))
