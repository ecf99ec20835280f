"""Reports of nodes and carriers come late, twice, out of turn and about nothing; the order is not led astray."""

import asyncio
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from connectors.notifications.port import OutboundMessage
from dom.orders.status import OrderStatus
from dom.shared.errors import OutsideFailure
from tests.worlds import small
from tests.worlds.books import balance, one, rows
from tests.worlds.outside import RecordingCarrier, RecordingSender
from tests.worlds.running import House
from tests.worlds.steps import (
    cancel,
    deliver,
    ended,
    pack,
    refused,
    ship,
    status_of,
    until_event,
    until_order,
    until_released,
)
from tests.worlds.waiting import until_status


class TestRepeats:
    async def test_of_every_report_change_nothing(self, house: House) -> None:
        order = small.order("repeats", A=2)
        await house.send(order)
        await house.node(order, "accept", "accept", "pick", "pick", "accept", "pack", "pack", "pick")
        await until_status(house.engine, "web-repeats-F1", "booked")
        await house.node(order, "pack", "hand-over", "hand-over", "accept")
        await until_order(house, order, "shipped")
        await house.carrier_says(order, "in_transit")
        await house.carrier_says(order, "delivered")
        await house.carrier_says(order, "delivered")
        assert (await ended(house, order)).status is OrderStatus.DELIVERED
        kinds = await rows(house.engine, "SELECT kind, count(*) FROM timeline GROUP BY kind ORDER BY kind")
        assert kinds == [
            ("accepted", 1),
            ("carrier_booked", 1),
            ("fulfilment_accepted", 1),
            ("fulfilment_delivered", 1),
            ("fulfilment_handed_over", 1),
            ("fulfilment_packed", 1),
            ("fulfilment_picked", 1),
        ]
        assert house.carrier.booked == {"web-repeats-F1-B1": 1}
        assert len(house.mail.sent) == 3
        assert not await rows(house.engine, "SELECT 1 FROM exceptions")

    async def test_a_late_step_implies_the_earlier_ones(self, house: House) -> None:
        order = small.order("late-step", A=2)
        await house.send(order)
        await house.node(order, "pack")
        await until_status(house.engine, "web-late-step-F1", "booked")
        await house.node(order, "hand-over")
        await house.carrier_says(order, "delivered")
        assert (await ended(house, order)).status is OrderStatus.DELIVERED


class TestOutOfTurn:
    @pytest.mark.parametrize(("steps", "stray"), [(("accept", "pick"), "reject"), (("accept",), "collect")])
    async def test_is_put_before_a_person_once_and_the_order_goes_on(
        self, house: House, steps: tuple[str, ...], stray: str
    ) -> None:
        order = small.order(f"stray-{stray}", A=2)
        await house.send(order)
        await house.node(order, *steps, stray, stray)
        await until_event(house, order, "report_out_of_turn")
        await deliver(house, order)
        assert (await ended(house, order)).status is OrderStatus.DELIVERED
        assert await rows(house.engine, "SELECT kind, status FROM exceptions") == [("report_out_of_turn", "open")]

    async def test_a_carrier_that_delivers_what_nobody_packed(self, house: House) -> None:
        order = small.order("stray-carrier", A=2)
        await house.send(order)
        await house.carrier_says(order, "delivered")
        await until_event(house, order, "report_out_of_turn")
        assert await status_of(house, order) == "accepted"
        await cancel(house, order)
        await ended(house, order)

    async def test_of_a_lost_parcel_that_was_found_again_is_put_before_a_person(self, house: House) -> None:
        order = small.order("found-again", RARE=2)
        await house.send(order)
        await ship(house, order)
        await house.carrier_says(order, "lost")
        await until_released(house, order, 2)
        await house.carrier_says(order, "delivered")
        await house.node(order, "accept", "pick")
        await until_event(house, order, "report_out_of_turn")
        await deliver(house, order, 2)
        assert (await ended(house, order)).status is OrderStatus.DELIVERED
        kinds = await rows(house.engine, "SELECT kind FROM exceptions ORDER BY kind")
        assert kinds == [("parcel_lost",), ("report_out_of_turn",)]

    async def test_of_cancelled_work_is_put_before_a_person_if_the_goods_left(self, house: House) -> None:
        order = small.order("left-cancelled", A=1, NEVER=1)
        await house.send(order)
        await pack(house, order)
        await cancel(house, order, l1=1)
        await house.node(order, "accept", "pick", "hand-over", "hand-over")
        await until_event(house, order, "report_out_of_turn")
        await cancel(house, order)
        await ended(house, order)
        reports = "SELECT data->>'report' FROM timeline WHERE kind = 'report_out_of_turn'"
        assert await rows(house.engine, reports) == [("hand-over",)]

    async def test_of_a_fulfilment_that_does_not_exist_changes_nothing(self, house: House) -> None:
        order = small.order("stray-number", A=2)
        await house.send(order)
        await house.node(order, "pack", number=9)
        await house.carrier_says(order, "delivered", number=9)
        await deliver(house, order)
        assert (await ended(house, order)).fulfilments == 1


class TestMissedHandOver:
    @pytest.mark.parametrize(
        ("kind", "expected"),
        [
            ("delivered", OrderStatus.DELIVERED),
            ("returned_to_sender", OrderStatus.CANCELLED),
            ("refused", OrderStatus.CANCELLED),
            ("intercepted", OrderStatus.CANCELLED),
        ],
    )
    async def test_the_carrier_has_it_so_it_was_handed_over(
        self, house: House, kind: str, expected: OrderStatus
    ) -> None:
        order = small.order(f"missed-{kind}", A=2)
        await house.send(order)
        await pack(house, order)
        await house.carrier_says(order, kind)
        assert (await ended(house, order)).status is expected
        assert await balance(house.engine, "dc-leeds", "A") == (98, 0)
        assert await one(house.engine, "SELECT count(*) FROM outbox WHERE kind = 'shipped'") == 1
        assert not house.carrier.voided


class TestPickUp:
    async def test_is_made_ready_and_collected_without_a_carrier(self, house: House) -> None:
        order = small.order("pick-up", A=2, shipping_method="pickup", pickup_node="st-york")
        answer = await house.send(order)
        assert answer.promise is not None
        await house.node(order, "accept", "collect", "pick", "pack")
        await until_status(house.engine, "web-pick-up-F1", "ready_for_collection")
        await house.node(order, "hand-over", "collect")
        result = await ended(house, order)
        assert result.status is OrderStatus.DELIVERED
        assert await balance(house.engine, "st-york", "A") == (3, 0)
        assert not house.carrier.booked
        sent = await rows(house.engine, "SELECT kind FROM outbox ORDER BY id")
        assert sent == [("order_confirmed",), ("ready_for_collection",), ("delivered",)]

    async def test_can_be_cancelled_until_it_is_collected(self, house: House) -> None:
        order = small.order("left-there", A=2, shipping_method="pickup", pickup_node="st-york")
        await house.send(order)
        await house.node(order, "pack")
        await until_status(house.engine, "web-left-there-F1", "ready_for_collection")
        await cancel(house, order, l1=1)
        await house.node(order, "collect")
        assert (await ended(house, order)).status is OrderStatus.DELIVERED
        assert await balance(house.engine, "st-york", "A") == (4, 0)

    async def test_what_was_collected_cannot_be_cancelled(self, house: House) -> None:
        order = small.order("taken", A=2, NEVER=1, channel="store")
        await house.send(order)
        await ship(house, order)
        await until_order(house, order, "part_shipped")
        async with refused("cannot-cancel"):
            await cancel(house, order, l1=1)
        await cancel(house, order, l2=1)
        await house.carrier_says(order, "delivered")
        await ended(house, order)


class RefusingSender(RecordingSender):
    """No mailbox takes anything."""

    async def send(self, message: OutboundMessage) -> None:
        """Refuse for good."""
        raise OutsideFailure(f"no mailbox {message.recipient}")


class TestMessages:
    async def test_put_off_go_out_once_and_do_not_hold_the_order_up(
        self, temporal_client: Client, world: AsyncEngine
    ) -> None:
        async with House(temporal_client, world, mail=RecordingSender(put_off=2)).working() as house:
            order = small.order("put-off", A=1)
            await house.send(order)
            await deliver(house, order)
            await until_order(house, order, "delivered")
            await ended(house, order)
        assert sorted(message.key for message in house.mail.sent) == sorted(
            f"web-put-off/{message_key}/mail"
            for message_key in ("accepted", "web-put-off-F1:handed_over", "web-put-off-F1:delivered")
        )
        assert await rows(world, "SELECT DISTINCT status FROM outbox") == [("sent",)]

    async def test_refused_for_good_stand_in_the_exception_queue_and_the_order_ends(
        self, temporal_client: Client, world: AsyncEngine
    ) -> None:
        async with House(temporal_client, world, mail=RefusingSender()).working() as house:
            order = small.order("no-mailbox", A=1)
            await house.send(order)
            await cancel(house, order)
            await ended(house, order)
        assert await rows(world, "SELECT kind, status FROM outbox ORDER BY id") == [
            ("order_confirmed", "failed"),
            ("cancelled", "failed"),
        ]
        assert await rows(world, "SELECT kind FROM exceptions") == [("message_refused",)] * 2


class TestCarrierAway:
    async def test_is_asked_again_until_it_answers(self, temporal_client: Client, world: AsyncEngine) -> None:
        async with House(temporal_client, world, carrier=RecordingCarrier(failures=1)).working() as house:
            order = small.order("asked-again", A=1)
            await house.send(order)
            await deliver(house, order)
            assert (await ended(house, order)).status is OrderStatus.DELIVERED
        assert house.carrier.booked == {"web-asked-again-F1-B1": 1}


class SlowToVoid(RecordingCarrier):
    """Takes a booking back only once it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.may_void = asyncio.Event()

    async def void(self, booking_key: str) -> None:
        """Wait, then take it back."""
        await self.may_void.wait()
        await super().void(booking_key)


class TestWhileTheOrderFinishes:
    async def test_a_late_report_is_written_before_it_ends(self, temporal_client: Client, world: AsyncEngine) -> None:
        """The order is final and only its booking is to be taken back: a report must not end with the workflow."""
        carrier = SlowToVoid()
        async with House(temporal_client, world, carrier=carrier).working() as house:
            order = small.order("finishing", A=2)
            await house.send(order)
            await pack(house, order)
            await cancel(house, order)
            await until_order(house, order, "cancelled")
            async with world.connect() as connection:
                await connection.execute(
                    text("LOCK TABLE exceptions IN EXCLUSIVE MODE")
                )  # no report can be written yet
                await house.carrier_says(order, "delivered", booking=1)
                carrier.may_void.set()
                await until_event(house, order, "booking_voided")
                with pytest.raises(TimeoutError):  # longer than a workflow task waits for its local activities
                    await asyncio.wait_for(house.handle(order).result(), 9)
                await connection.rollback()
            await house.handle(order).result()
        assert await rows(world, "SELECT kind FROM exceptions") == [("report_out_of_turn",)]


class TestMessagesThatCannotBeKept:
    @pytest.mark.parametrize(
        ("signal", "body"),
        [
            ("cancel_requested", {"reason": "a\0b"}),
            ("cancel_requested", {"actor": "a\0b"}),
            ("cancel_requested", {"occurred_at": "0001-01-01T00:00:00Z"}),
            ("node_report", {"step": "accept", "occurred_at": "2026-03-02T12:00:00Z", "reason": "\0"}),
            ("node_report", "nonsense"),
            ("carrier_report", {"kind": "in_transit", "tracking_number": "T", "event_id": "\0"}),
            ("carrier_report", {"kind": "delivered", "tracking_number": "T", "shipment_id": "\0"}),
            ("hold_requested", {"type": "fraud", "reason": "\0"}),
        ],
    )
    async def test_is_dropped_and_the_order_goes_on(
        self, house: House, signal: str, body: object, caplog: pytest.LogCaptureFixture
    ) -> None:
        order = small.order(f"unkept-{uuid4().hex}", A=1)
        await house.send(order)
        if isinstance(body, dict) and signal.endswith("_report"):
            body = {"fulfilment_id": f"{order.order_id}-F1", "occurred_at": "2026-03-02T12:00:00Z", **body}
        await house.handle(order).signal(signal, body)
        assert (await cancel(house, order)).status is OrderStatus.CANCELLED
        assert "dropping the signal" in caplog.text
