"""Units that lose their node find another one, wait for stock, or are given up; none is forgotten."""

from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from connectors.carriers.port import Booking, BookingRequest
from dom.delivery.parcels import MOST_PARCELS
from dom.orders.calls import StepLine
from dom.orders.status import OrderStatus
from dom.shared.errors import OutsideFailure
from store import stock
from store.enums import LedgerKind
from store.stock import Movement
from tests.worlds import small
from tests.worlds.books import balance, one, rows
from tests.worlds.outside import RecordingCarrier
from tests.worlds.running import House
from tests.worlds.sourcing import MONDAY_NOON
from tests.worlds.steps import (
    cancel,
    deliver,
    ended,
    ship,
    status_of,
    stock_comes,
    until_event,
    until_order,
    until_released,
)


async def receive(house: House, sku: str, quantity: int, key: str = "receipt") -> None:
    async with house.engine.begin() as connection:
        movement = Movement("dc-leeds", sku, quantity, LedgerKind.RECEIPT, "receipt", key)
        await stock.move(connection, movement, actor="test", at=MONDAY_NOON)


async def excluded(house: House, order_id: str, attempt: int) -> object:
    query = """
        SELECT document->'demand'->'excluded_nodes' FROM sourcing_decisions
        WHERE order_id = :order_id AND attempt = :attempt
    """
    return await one(house.engine, query, order_id=order_id, attempt=attempt)


class TestSplitOrder:
    async def test_parcels_of_two_nodes_go_their_own_ways(self, house: House) -> None:
        order = small.order("split", RARE=5)
        answer = await house.send(order)
        assert answer.status is OrderStatus.ACCEPTED
        await deliver(house, order, 1)
        await until_order(house, order, "part_shipped")
        await ship(house, order, 2)
        await until_order(house, order, "shipped")
        await house.carrier_says(order, "delivered", 2)
        result = await ended(house, order)
        assert (result.status, result.fulfilments) == (OrderStatus.DELIVERED, 2)
        assert sum(house.carrier.booked.values()) == 2
        assert await balance(house.engine, "dc-leeds", "RARE") == (0, 0)
        assert await balance(house.engine, "wh-london", "RARE") == (0, 0)

    async def test_mails_tell_of_each_parcel_once(self, house: House) -> None:
        order = small.order("split-mails", RARE=5)
        await house.send(order)
        await deliver(house, order, 1)
        await deliver(house, order, 2)
        await ended(house, order)
        kinds = await rows(house.engine, "SELECT kind, status, count(*) FROM outbox GROUP BY 1, 2 ORDER BY 1")
        assert kinds == [("delivered", "sent", 2), ("order_confirmed", "sent", 1), ("shipped", "sent", 2)]
        assert len({message.key for message in house.mail.sent}) == len(house.mail.sent) == 5


class TestRejected:
    async def test_units_go_to_another_node(self, house: House) -> None:
        order = small.order("rejected", RARE=2)
        await house.send(order)
        await house.node(order, "reject", reason="broken shelf")
        assert await until_released(house, order, 2) == "wh-london"
        assert await excluded(house, order.order_id, 2) == ["dc-leeds"]
        await deliver(house, order, 2)
        result = await ended(house, order)
        assert (result.status, result.fulfilments) == (OrderStatus.DELIVERED, 2)
        assert await balance(house.engine, "dc-leeds", "RARE") == (2, 0)
        assert await one(house.engine, "SELECT reason FROM fulfilments WHERE id = 'web-rejected-F1'") == "broken shelf"
        used = "SELECT coalesce(sum(used), 0) FROM node_days WHERE node_id = 'dc-leeds'"
        assert await one(house.engine, used) == 0

    async def test_without_another_node_they_wait_until_stock_comes(self, house: House) -> None:
        order = small.order("waits", B=3)
        await house.send(order)
        await house.node(order, "reject")
        await until_event(house, order, "sourced")
        assert await status_of(house, order) == "backordered"
        waiting = await rows(house.engine, "SELECT kind, status FROM exceptions")
        assert waiting == [("backorder", "open")]
        await stock_comes(house, order, "B")
        assert await until_released(house, order, 2) == "dc-leeds"
        await deliver(house, order, 2)
        assert (await ended(house, order)).status is OrderStatus.DELIVERED

    async def test_a_second_report_of_it_changes_nothing(self, house: House) -> None:
        order = small.order("rejected-twice", RARE=2)
        await house.send(order)
        await house.node(order, "reject", "reject", "accept")
        await deliver(house, order, 2)
        result = await ended(house, order)
        assert result.fulfilments == 2


class TestBackorder:
    async def test_what_there_is_ships_and_the_rest_follows(self, house: House) -> None:
        order = small.order("part", RARE=7)
        await house.send(order)
        await deliver(house, order, 1)
        await deliver(house, order, 2)
        await until_order(house, order, "part_shipped")
        await receive(house, "RARE", 1)
        await stock_comes(house, order, "RARE")
        assert await until_released(house, order, 3) == "dc-leeds"
        await deliver(house, order, 3)
        await until_order(house, order, "part_shipped")
        await receive(house, "RARE", 5, "second")
        await stock_comes(house, order, "RARE")
        await until_released(house, order, 4)
        await deliver(house, order, 4)
        result = await ended(house, order)
        assert (result.status, result.fulfilments) == (OrderStatus.DELIVERED, 4)
        assert await balance(house.engine, "dc-leeds", "RARE") == (4, 0)

    async def test_waiting_units_can_be_cancelled_while_the_rest_goes_on(self, house: House) -> None:
        order = small.order("part-cancelled", A=1, NEVER=2)
        await house.send(order)
        result = await cancel(house, order, l2=0)
        assert result.cancelled == {"2": 2}
        await deliver(house, order)
        assert (await ended(house, order)).status is OrderStatus.DELIVERED

    async def test_news_of_stock_that_does_not_help_changes_nothing(self, house: House) -> None:
        order = small.order("no-help", NEVER=1)
        await house.send(order)
        for times in (1, 2):
            await stock_comes(house, order, "NEVER")
            await until_event(house, order, "sourced", times)
        assert await status_of(house, order) == "backordered"
        assert await one(house.engine, "SELECT count(*) FROM outbox WHERE kind = 'order_backordered'") == 1
        await cancel(house, order)
        await ended(house, order)


class TestShortPick:
    async def test_what_was_found_ships_and_the_rest_comes_from_elsewhere(self, house: House) -> None:
        order = small.order("short", RARE=2)
        await house.send(order)
        await house.node(order, "accept")
        await house.node(order, "pick", lines=(StepLine(line_id="1", quantity=1),))
        assert await until_released(house, order, 2) == "wh-london"
        assert await balance(house.engine, "dc-leeds", "RARE") == (1, 1)
        await house.node(order, "pack")
        await ship(house, order, 1)
        await house.carrier_says(order, "delivered", 1)
        await deliver(house, order, 2)
        assert (await ended(house, order)).status is OrderStatus.DELIVERED
        assert await balance(house.engine, "dc-leeds", "RARE") == (0, 0)
        assert await balance(house.engine, "wh-london", "RARE") == (2, 0)

    async def test_of_everything_is_a_rejection(self, house: House) -> None:
        order = small.order("short-all", RARE=2)
        await house.send(order)
        await house.node(order, "pick", lines=(StepLine(line_id="1", quantity=0),))
        assert await until_released(house, order, 2) == "wh-london"
        assert await one(house.engine, "SELECT status FROM fulfilments WHERE id = 'web-short-all-F1'") == "rejected"
        assert await balance(house.engine, "dc-leeds", "RARE") == (0, 0)  # what is not there is not promised again
        await deliver(house, order, 2)
        await ended(house, order)

    async def test_of_everything_left_after_a_cancelled_line_is_a_rejection_too(self, house: House) -> None:
        order = small.order("short-rest", A=1, RARE=2)
        await house.send(order)
        await cancel(house, order, l1=1)
        await house.node(order, "pick", lines=(StepLine(line_id="2", quantity=0),))
        assert await until_released(house, order, 2) == "wh-london"
        assert await one(house.engine, "SELECT status FROM fulfilments WHERE id = 'web-short-rest-F1'") == "rejected"
        await deliver(house, order, 2)
        assert (await ended(house, order)).status is OrderStatus.DELIVERED

    async def test_of_a_sku_on_two_lines_corrects_the_balance_by_both(self, house: House) -> None:
        line = {"sku": "A", "quantity": 2, "unit_price": 100}
        order = small.order("short-two", lines=[{**line, "line_id": "1"}, {**line, "line_id": "2"}])
        await house.send(order)
        await house.node(order, "pick", lines=(StepLine(line_id="1", quantity=1), StepLine(line_id="2", quantity=1)))
        await until_released(house, order, 2)
        assert await balance(house.engine, "dc-leeds", "A") == (98, 2)
        await cancel(house, order)
        await ended(house, order)


class TestLost:
    async def test_is_sent_again_and_stands_in_the_exception_queue(self, house: House) -> None:
        order = small.order("lost", RARE=2)
        await house.send(order)
        await ship(house, order)
        await house.carrier_says(order, "lost")
        assert await until_released(house, order, 2) == "wh-london"
        await deliver(house, order, 2)
        result = await ended(house, order)
        assert (result.status, result.fulfilments) == (OrderStatus.DELIVERED, 2)
        assert await rows(house.engine, "SELECT kind FROM exceptions") == [("parcel_lost",)]
        assert sum(house.carrier.booked.values()) == 2
        assert not house.carrier.voided

    async def test_returned_to_sender_counts_as_cancelled(self, house: House) -> None:
        order = small.order("came-back", A=1)
        await house.send(order)
        await ship(house, order)
        await house.carrier_says(order, "returned_to_sender")
        assert (await ended(house, order)).status is OrderStatus.CANCELLED
        assert await rows(house.engine, "SELECT kind FROM exceptions") == [("parcel_returned_to_sender",)]
        assert await rows(house.engine, "SELECT cancelled, backordered FROM order_lines") == [(1, 0)]


class Picky(RecordingCarrier):
    """Serves every node but one."""

    def __init__(self, refused_sender: str) -> None:
        super().__init__()
        self._refused_sender = refused_sender

    async def book(self, request: BookingRequest) -> Booking:
        """Refuse what comes from the one node."""
        if request.sender_name == self._refused_sender:
            raise OutsideFailure("no lane from there")
        return await super().book(request)


class TestCarrierRefuses:
    async def test_units_go_to_a_node_it_serves(self, temporal_client: Client, world: AsyncEngine) -> None:
        async with House(temporal_client, world, carrier=Picky("Dc Leeds")).working() as house:
            order = small.order("no-lane", RARE=2)
            await house.send(order)
            await house.node(order, "accept", "pick", "pack")
            assert await until_released(house, order, 2) == "wh-london"
            await deliver(house, order, 2)
            assert (await ended(house, order)).status is OrderStatus.DELIVERED
        assert await balance(world, "dc-leeds", "RARE") == (2, 0)
        assert "no lane" in str(await one(world, "SELECT reason FROM fulfilments WHERE id = 'web-no-lane-F1'"))
        assert sum(house.carrier.booked.values()) == 1

    async def test_of_more_parcels_than_labels_can_be_drawn_for_goes_before_a_person(
        self, temporal_client: Client, world: AsyncEngine
    ) -> None:
        async with House(temporal_client, world, carrier=RecordingCarrier(parcels=MOST_PARCELS + 1)).working() as house:
            order = small.order("too-many-parcels", RARE=1)
            await house.send(order)
            await house.node(order, "pack")
            assert await until_released(house, order, 2) == "wh-london"
            detail = str(await one(world, "SELECT detail FROM exceptions WHERE kind = 'booking_refused'"))
            assert "201 parcels, of at most 200" in detail
            assert house.carrier.labels == 0
            assert not house.carrier.live
            await cancel(house, order)
            await ended(house, order)

    async def test_for_good_the_units_wait_and_can_be_cancelled(
        self, temporal_client: Client, world: AsyncEngine
    ) -> None:
        async with House(temporal_client, world, carrier=RecordingCarrier(refuses=True)).working() as house:
            order = small.order("never-carried", RARE=1)
            await house.send(order)
            for number in (1, 2):
                await until_released(house, order, number)
                await house.node(order, "pack", number=number)
            await until_order(house, order, "backordered")
            await until_event(house, order, "sourced", 2)
            told = [("backorder",), ("booking_refused",), ("booking_refused",)]
            assert await rows(world, "SELECT kind FROM exceptions ORDER BY kind") == told
            await cancel(house, order)
            assert (await ended(house, order)).status is OrderStatus.CANCELLED
        assert not house.carrier.booked
