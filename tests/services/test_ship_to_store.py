"""Ship to store: goods leave one node, come to the store by a carrier, and are collected, or end there, once."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.fulfilment.carrier_reports import ParcelReport
from dom.orders.cancellation import CancelMode
from dom.orders.commands import CancelUnits, CountAsDelivered, MoveParcel, MoveWork, PlaceHold, SplitWork, TakeNodeStep
from dom.orders.holds import BlockedStep
from dom.orders.order import Order
from dom.orders.pickup_commands import KeepForCollection, PutBack
from dom.orders.status import CarrierEventKind, ReasonCode
from dom.shared import ids
from dom.shared.access import Limits
from dom.shared.errors import CollectionLocked, OnHold, StepNotPossible, WrongCode
from services import carrier_reports, collecting, moving, node_steps, order_views, order_waits, splitting
from services.bookings import _recipient
from services.change_orders import Writing
from services.database import Database
from store import stock
from store.access import visibility
from store.enums import LedgerKind
from store.fulfilment import fulfilments
from store.fulfilment.work_list import WorkFilter, work_list
from store.orders import reads
from store.policy import policies
from tests.worlds import small
from tests.worlds.advancing import S, all_of, collected, comes_to, do
from tests.worlds.books import balance, check_books, one, rows
from tests.worlds.captured import accept
from tests.worlds.policies import policy
from tests.worlds.races import TURNS

WRITING: Final = Writing(webhook=True, notify=True)
ON_THE_WAY: Final = (S.ACCEPTED, S.PICKED, S.PACKED, S.BOOKED, S.HANDED_OVER)
DC, STORE = "dc-leeds", "st-york"
TOLD: Final = "SELECT kind FROM outbox WHERE medium = 'mail' AND order_id = :id ORDER BY id"
LEDGER: Final = "SELECT node_id, kind, on_hand_delta, reserved_delta FROM stock_ledger WHERE order_id = :id ORDER BY id"


@pytest.fixture(autouse=True)
async def _allowed(world: AsyncEngine) -> None:
    async with world.begin() as connection:
        allowed = policy(name="to the store", collection={"ship_to_store": {}}, split_penalty=10)
        await policies.publish_policy(connection, allowed, "test")


async def captured(world: AsyncEngine, name: str = "sent", **fields: Any) -> Order:
    """An order of today for B, which the store does not hold."""
    units = {key: value for key, value in fields.items() if key.isupper()} or {"B": 2}
    other = {key: value for key, value in fields.items() if not key.isupper()}
    terms = {"tags": [], "shipping_method": "pickup", "pickup_node": STORE}
    order = small.order(name, **units, **{**terms, **other})
    await accept(Database(world), order)
    return order


async def on_the_way(world: AsyncEngine, name: str = "sent", **fields: Any) -> Order:
    order = await captured(world, name, **fields)
    await comes_to(world, work(order), *ON_THE_WAY)
    return order


async def at_the_store(world: AsyncEngine, name: str = "sent", **fields: Any) -> Order:
    order = await on_the_way(world, name, **fields)
    await comes_to(world, work(order), S.DELIVERED)
    return order


def work(order: Order) -> str:
    return f"{order.order_id}-F1"


async def status(world: AsyncEngine, order: Order) -> object:
    return await one(world, "SELECT status FROM fulfilments WHERE id = :id", id=work(order))


async def code_of(world: AsyncEngine, order: Order) -> str:
    return str(await one(world, "SELECT code FROM collections WHERE fulfilment_id = :id", id=work(order)))


async def kept(world: AsyncEngine, order: Order) -> datetime:
    found = await one(world, "SELECT collect_by FROM collections WHERE fulfilment_id = :id", id=work(order))
    assert isinstance(found, datetime)
    return found


async def collect(world: AsyncEngine, order: Order, **said: Any) -> Any:
    command = TakeNodeStep(fulfilment_id=work(order), step="collect", actor="york", at=datetime.now(UTC), **said)
    return await node_steps.take(world, command, WRITING)


async def say(world: AsyncEngine, command: KeepForCollection | PutBack) -> Any:
    async with world.begin() as connection:
        return await collecting.say(connection, command, WRITING)


async def carrier_says(world: AsyncEngine, order: Order, kind: CarrierEventKind, event_id: str = "e1") -> bool:
    report = ParcelReport(
        fulfilment_id=work(order),
        kind=kind,
        actor="test",
        at=datetime.now(UTC),
        shipment_id=ids.booking_key(work(order), 1),
        event_id=event_id,
    )
    async with world.begin() as connection:
        return await carrier_reports.heed(connection, order.order_id, report, WRITING)


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
