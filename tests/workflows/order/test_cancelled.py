"""Cancelling before hand-over gives everything back; after it, nothing is taken; in between, one of the two wins."""

import asyncio

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client, WorkflowUpdateFailedError

from connectors.carriers.port import Booking, BookingRequest
from dom.orders.calls import CancelCall, CancelLine
from dom.orders.cancellation import CancelMode
from dom.orders.status import OrderStatus
from tests.worlds import small
from tests.worlds.books import balance, check_books, on_hand, one, rows
from tests.worlds.outside import RecordingCarrier, RecordingSender
from tests.worlds.running import House
from tests.worlds.sourcing import MONDAY_NOON
from tests.worlds.steps import cancel, ended, pack, refused, ship, status_of, until_event, until_order
from tests.worlds.waiting import until, until_status
from workflows.order.process import OrderWorkflow


async def used_capacity(house: House) -> object:
    return await one(house.engine, "SELECT coalesce(sum(used), 0) FROM node_days")


class TestWhole:
    @pytest.mark.parametrize("steps", [(), ("accept",), ("accept", "pick")])
    async def test_gives_stock_and_capacity_back(self, house: House, steps: tuple[str, ...]) -> None:
        order = small.order(f"whole-{len(steps)}", A=2, RARE=4)
        await house.send(order)
        await house.node(order, *steps)
        result = await cancel(house, order)
        assert (result.status, result.cancelled) == (OrderStatus.CANCELLED, {"1": 2, "2": 4})
        assert (await ended(house, order)).status is OrderStatus.CANCELLED
        assert await balance(house.engine, "dc-leeds", "A") == (100, 0)
        assert await used_capacity(house) == 0
        assert not house.carrier.booked
        assert await rows(house.engine, "SELECT DISTINCT status FROM fulfilments") == [("cancelled",)]
        mails = "SELECT count(*) FROM outbox WHERE kind = 'cancelled' AND status = 'sent'"
        assert await one(house.engine, mails) == 1

    async def test_of_a_booked_parcel_takes_the_booking_back_once(self, house: House) -> None:
        order = small.order("booked", A=2)
        await house.send(order)
        await pack(house, order)
        await cancel(house, order)
        assert (await ended(house, order)).status is OrderStatus.CANCELLED
        assert house.carrier.voided == {"web-booked-F1-B1": 1} == house.carrier.booked
        assert await rows(house.engine, "SELECT status FROM shipments") == [("voided",)]

    async def test_a_second_time_is_refused(self, house: House) -> None:
        order = small.order("twice", A=1, NEVER=1)
        await house.send(order)
        await cancel(house, order, l1=0)
        async with refused("cannot-cancel"):
            await cancel(house, order, l1=1)
        await cancel(house, order)
        await ended(house, order)

    async def test_two_at_once_cancel_once(self, house: House) -> None:
        order = small.order("at-once", A=2)
        await house.send(order)
        outcomes = await asyncio.gather(*(cancel(house, order) for _ in range(4)), return_exceptions=True)
        assert sum(not isinstance(outcome, BaseException) for outcome in outcomes) == 1
        await ended(house, order)
        assert await one(house.engine, "SELECT count(*) FROM timeline WHERE kind = 'cancelled'") == 1

    async def test_after_hand_over_is_refused_and_says_what_is_left(self, house: House) -> None:
        order = small.order("gone", A=2, NEVER=1)
        await house.send(order)
        await ship(house, order)
        await until_order(house, order, "part_shipped")
        async with refused("cannot-cancel") as about:
            await cancel(house, order)
        left = [{"quantity": 2, "reason": "handed_over", "fulfilment_id": "web-gone-F1"}]
        lines = [{"line_id": "1", "asked": 2, "left": left}, {"line_id": "2", "asked": 1, "left": []}]
        assert (about["field"], about["data"]) == ("lines", {"cancellable": {"2": 1}, "lines": lines})
        await cancel(house, order, l2=1)
        await until_order(house, order, "shipped")
        await house.carrier_says(order, "delivered")
        assert (await ended(house, order)).status is OrderStatus.DELIVERED

    async def test_of_what_is_possible_leaves_what_is_handed_over(self, house: House) -> None:
        order = small.order("possible", A=2, NEVER=1)
        await house.send(order)
        await ship(house, order)
        await until_order(house, order, "part_shipped")
        call = CancelCall(mode=CancelMode.POSSIBLE)
        result = await house.handle(order).execute_update(OrderWorkflow.cancel, call)
        assert (result.status, result.cancelled) == (OrderStatus.SHIPPED, {"2": 1})
        assert [(line.line_id, line.asked, line.cancelled) for line in result.lines] == [("1", 2, 0), ("2", 1, 1)]
        (left,) = result.lines[0].left
        assert (left.quantity, left.reason, left.fulfilment_id) == (2, "handed_over", "web-possible-F1")
        async with refused("cannot-cancel"):
            await house.handle(order).execute_update(OrderWorkflow.cancel, call)
        await house.carrier_says(order, "delivered")
        assert (await ended(house, order)).status is OrderStatus.DELIVERED

    @pytest.mark.parametrize("lines", [(CancelLine(line_id="9"),), (CancelLine(line_id="1"), CancelLine(line_id="1"))])
    async def test_of_a_line_that_is_not_there_or_stands_twice_is_wrong_input(
        self, house: House, lines: tuple[CancelLine, ...]
    ) -> None:
        order = small.order(f"wrong-{len(lines)}", A=1)
        await house.send(order)
        async with refused("invalid-input") as about:
            await house.handle(order).execute_update(OrderWorkflow.cancel, CancelCall(lines=lines))
        assert about["field"] == f"lines[{len(lines) - 1}].line_id"
        await check_books(house.engine, reserved=1)

    async def test_as_a_signal_from_the_temporal_ui(self, house: House) -> None:
        order = small.order("signalled", A=2, B=1)
        await house.send(order)
        handle = house.handle(order)
        await handle.signal(OrderWorkflow.cancel_requested, CancelCall(lines=(CancelLine(line_id="1", quantity=1),)))
        await handle.signal(OrderWorkflow.cancel_requested, CancelCall(lines=(CancelLine(line_id="7"),)))
        await until_event(house, order, "cancelled", 1)
        await handle.signal(OrderWorkflow.cancel_requested, CancelCall(reason="fraud", actor="ops"))
        assert (await ended(house, order)).status is OrderStatus.CANCELLED
        query = "SELECT actor, reason FROM timeline WHERE kind = 'cancelled' ORDER BY id"
        assert await rows(house.engine, query) == [("support", ""), ("ops", "fraud")]
        assert isinstance(house.mail, RecordingSender)
        (mail, _) = [each for each in reversed(house.mail.sent) if "cancelled" in each.subject]
        assert mail.html is not None
        assert "fraud" not in mail.text + mail.html
        assert "cancelled and will not be sent" in " ".join(mail.text.split())


class TestAtTheCarrier:
    async def test_a_parcel_is_asked_back_once_and_comes_back(self, house: House) -> None:
        order = small.order("asked-back", A=2)
        await house.send(order)
        await ship(house, order)
        await until_order(house, order, "shipped")
        call = CancelCall(mode=CancelMode.ASK, reason="changed mind")
        result = await house.handle(order).execute_update(OrderWorkflow.cancel, call)
        assert (result.status, result.lines[0].left[0].reason) == (OrderStatus.SHIPPED, "carrier_asked")
        await until("the carrier is asked", lambda: _asked(house, "web-asked-back-F1-B1"))
        await house.carrier_says(order, "intercepted")
        assert (await ended(house, order)).status is OrderStatus.CANCELLED
        assert house.carrier.intercepted == {"web-asked-back-F1-B1": 1}
        assert not house.carrier.voided
        assert await rows(house.engine, "SELECT status, ended_by FROM cancellation_requests") == [
            ("granted", "came_back")
        ]

    async def test_a_carrier_that_stops_nothing_says_so_at_once(
        self, temporal_client: Client, world: AsyncEngine
    ) -> None:
        carrier = RecordingCarrier(refuses_intercepts=True)
        async with House(temporal_client, world, carrier=carrier).working() as house:
            order = small.order("not-stopped", A=2)
            await house.send(order)
            await ship(house, order)
            await until_order(house, order, "shipped")
            await house.handle(order).execute_update(OrderWorkflow.cancel, CancelCall(mode=CancelMode.ASK))
            await until_event(house, order, "cancellation_refused")
            await house.carrier_says(order, "delivered")
            assert (await ended(house, order)).status is OrderStatus.DELIVERED
        assert await rows(world, "SELECT status, ended_by FROM cancellation_requests") == [
            ("refused", "intercept_failed")
        ]


async def _asked(house: House, booking_key: str) -> bool:
    return house.carrier.intercepted[booking_key] > 0


class TestOneLine:
    async def test_of_a_booked_parcel_has_it_packed_anew(self, house: House) -> None:
        order = small.order("anew", A=2, B=1)
        await house.send(order)
        await pack(house, order)
        result = await cancel(house, order, l1=0)
        assert (result.status, result.cancelled) == (OrderStatus.IN_FULFILMENT, {"1": 2})
        await until_event(house, order, "booking_voided")
        await house.node(order, "hand-over")
        await until_event(house, order, "report_out_of_turn")
        await house.node(order, "pack")
        await until_status(house.engine, "web-anew-F1", "booked")
        await house.node(order, "hand-over")
        await house.carrier_says(order, "delivered")
        assert (await ended(house, order)).status is OrderStatus.DELIVERED
        assert house.carrier.booked == {"web-anew-F1-B1": 1, "web-anew-F1-B2": 1}
        assert house.carrier.voided == {"web-anew-F1-B1": 1}
        assert await balance(house.engine, "dc-leeds", "A") == (100, 0)
        assert await balance(house.engine, "dc-leeds", "B") == (99, 0)
        shipments = "SELECT id, status FROM shipments ORDER BY id"
        assert await rows(house.engine, shipments) == [("web-anew-F1-B1", "voided"), ("web-anew-F1-B2", "delivered")]

    async def test_some_units_of_a_line(self, house: House) -> None:
        order = small.order("some", A=5)
        await house.send(order)
        assert (await cancel(house, order, l1=2)).cancelled == {"1": 2}
        assert (await cancel(house, order, l1=1)).cancelled == {"1": 1}
        async with refused("cannot-cancel") as about:
            await cancel(house, order, l1=3)
        left = [{"quantity": 1, "reason": "cancelled_already"}]
        assert about["data"] == {"cancellable": {"1": 2}, "lines": [{"line_id": "1", "asked": 3, "left": left}]}
        await ship(house, order)
        await house.carrier_says(order, "delivered")
        assert (await ended(house, order)).status is OrderStatus.DELIVERED
        assert await on_hand(house.engine, "A") == 153


class TestRaces:
    @pytest.mark.parametrize("attempt", range(4))
    async def test_with_the_hand_over_exactly_one_wins(self, house: House, attempt: int) -> None:
        order = small.order(f"race-{attempt}", A=2)
        await house.send(order)
        await pack(house, order)
        both = [cancel(house, order), house.node(order, "hand-over")]
        outcomes = await asyncio.gather(*(both if attempt % 2 else reversed(both)), return_exceptions=True)
        lost = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        if lost:
            assert isinstance(lost[0], WorkflowUpdateFailedError)
            await house.carrier_says(order, "delivered")
        result = await ended(house, order)
        assert result.status is (OrderStatus.DELIVERED if lost else OrderStatus.CANCELLED)
        assert sum(house.carrier.voided.values()) == (0 if lost else 1)
        assert await on_hand(house.engine, "A") == (153 if lost else 155)

    async def test_while_the_carrier_is_away_leaves_no_booking(
        self, temporal_client: Client, world: AsyncEngine
    ) -> None:
        async with House(temporal_client, world, carrier=RecordingCarrier(failures=1000)).working() as house:
            order = small.order("away", A=2)
            await house.send(order)
            await house.node(order, "pack")
            await until_status(world, "web-away-F1", "packed")
            await asyncio.sleep(0.3)
            await cancel(house, order)
            assert (await ended(house, order)).status is OrderStatus.CANCELLED
        assert not house.carrier.booked
        assert await one(world, "SELECT count(*) FROM shipments") == 0

    async def test_while_the_booking_is_on_its_way_takes_it_back(
        self, temporal_client: Client, world: AsyncEngine
    ) -> None:
        carrier = Slow()
        async with House(temporal_client, world, carrier=carrier).working() as house:
            order = small.order("on-its-way", A=2)
            await house.send(order)
            await house.node(order, "pack")
            await asyncio.wait_for(carrier.asked.wait(), 20)
            await cancel(house, order)
            carrier.may_answer.set()
            assert (await ended(house, order)).status is OrderStatus.CANCELLED
        assert carrier.booked == {"web-on-its-way-F1-B1": 1} == carrier.voided
        assert await rows(world, "SELECT status FROM shipments") == [("voided",)]
        assert await rows(world, "SELECT status FROM fulfilments") == [("cancelled",)]

    async def test_of_one_line_while_the_booking_is_on_its_way_books_anew(
        self, temporal_client: Client, world: AsyncEngine
    ) -> None:
        carrier = Slow()
        async with House(temporal_client, world, carrier=carrier).working() as house:
            order = small.order("half-way", A=2, B=1)
            await house.send(order)
            await house.node(order, "pack")
            await asyncio.wait_for(carrier.asked.wait(), 20)
            await cancel(house, order, l2=1)
            carrier.may_answer.set()
            await until_event(house, order, "booking_voided")
            assert await rows(world, "SELECT status FROM fulfilments") == [("picked",)]
            await ship(house, order)
            await house.carrier_says(order, "delivered")
            assert (await ended(house, order)).status is OrderStatus.DELIVERED
        assert carrier.booked == {"web-half-way-F1-B1": 1, "web-half-way-F1-B2": 1}
        assert carrier.voided == {"web-half-way-F1-B1": 1}

    async def test_with_a_carriers_refusal_leaves_nothing_behind(
        self, temporal_client: Client, world: AsyncEngine
    ) -> None:
        async with House(temporal_client, world, carrier=RecordingCarrier(refuses=True)).working() as house:
            order = small.order("refused-race", A=2)
            await house.send(order)
            await house.node(order, "pack", at=MONDAY_NOON)
            await cancel(house, order)
            assert (await ended(house, order)).status is OrderStatus.CANCELLED
            assert await status_of(house, order) == "cancelled"


class Slow(RecordingCarrier):
    """Thinks until it may answer."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()
        self.may_answer = asyncio.Event()

    async def book(self, request: BookingRequest) -> Booking:
        """Book once it may."""
        self.asked.set()
        await self.may_answer.wait()
        return await super().book(request)


class TestWaiting:
    async def test_a_cancelled_backorder_ends_at_once(self, house: House) -> None:
        order = small.order("back", NEVER=3)
        await house.send(order)
        await cancel(house, order)
        result = await ended(house, order)
        assert (result.status, result.fulfilments) == (OrderStatus.CANCELLED, 0)

        async def told() -> bool:
            return len(house.mail.sent) == 2

        await until("both mails are sent", told)
