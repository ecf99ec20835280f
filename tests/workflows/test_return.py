"""A return: only what was delivered comes back, each unit once; restocked units can be sold again."""

import asyncio
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from connectors.notifications.port import OutboundMessage, TemporaryFailureError
from dom.orders.calls import CancelCall
from dom.orders.order import Order
from dom.orders.return_calls import InspectCall, InspectedLine, ReceiveCall, ReturnRequest
from dom.orders.status import Disposition, ReturnStatus
from store.orders import reads
from tests.worlds import small
from tests.worlds.books import balance, check_books, one, rows
from tests.worlds.outside import RecordingSender
from tests.worlds.returning import ask, end, handle, inspect, lines, mails, receive
from tests.worlds.running import House
from tests.worlds.steps import cancel, deliver, ended, refused, ship
from workflows.messages import ReturnAnswer
from workflows.returns import ReturnWorkflow


@pytest.fixture
async def delivered(house: House, request: pytest.FixtureRequest) -> Order:
    """An order of three A and one B, with the customer."""
    order = small.order(f"back-{request.node.name.removeprefix('test_')[:40]}", A=3, B=1)
    await house.send(order)
    await deliver(house, order)
    await ended(house, order)
    return order


class TestWholeReturn:
    async def test_restocks_what_can_be_sold_and_refunds_what_was_paid(self, house: House, delivered: Order) -> None:
        answer = await ask(house, delivered, "t", l1=2, l2=1)
        assert (answer.node_id, answer.status, answer.created) == ("dc-leeds", ReturnStatus.REQUESTED, True)
        assert (await receive(house, answer)).status is ReturnStatus.RECEIVED
        found = ("1", 1, Disposition.RESTOCK), ("1", 1, Disposition.SCRAP), ("2", 1, Disposition.RESTOCK)
        result = await inspect(house, answer, *found)
        assert (result.status, result.refund, result.currency) == (ReturnStatus.REFUNDED, 3000, "GBP")
        end = await handle(house, answer).result()
        assert end.model_dump(exclude={"reason"}) == result.model_dump(exclude={"request_hash"})
        assert await balance(house.engine, "dc-leeds", "A") == (98, 0)
        assert await balance(house.engine, "dc-leeds", "B") == (100, 0)
        assert await rows(house.engine, "SELECT amount, currency FROM refunds") == [(3000, "GBP")]
        await house.told()
        told = "SELECT kind FROM outbox WHERE message_key LIKE :like AND status = 'sent' ORDER BY id"
        assert await rows(house.engine, told, like=f"{answer.return_id}:%") == [
            ("return_requested",),
            ("return_received",),
            ("refunded",),
        ]
        await check_books(house.engine)

    async def test_of_fewer_units_than_announced_refunds_what_came(self, house: House, delivered: Order) -> None:
        answer = await ask(house, delivered, "t", l1=3)
        await receive(house, answer, l1=2)
        result = await inspect(house, answer, ("1", 2, Disposition.QUARANTINE))
        assert (result.status, result.refund) == (ReturnStatus.PART_REFUNDED, 2000)
        assert (await end(house, answer, "close")).status is ReturnStatus.REFUNDED
        assert (await handle(house, answer).result()).refund == 2000
        assert await balance(house.engine, "dc-leeds", "A") == (97, 0)
        await check_books(house.engine)


class TestWhatTheCustomerReads:
    async def test_each_mail_names_the_units_it_is_about_and_where_they_go(
        self, house: House, delivered: Order
    ) -> None:
        answer = await ask(house, delivered, "t", l1=2)
        await receive(house, answer, l1=1)
        await inspect(house, answer, ("1", 1, Disposition.RESTOCK))
        await end(house, answer, "close")
        await handle(house, answer).result()
        await house.told()
        (asked,) = mails(house, "Your return for order")[:1]
        assert "2 x A (A)" in asked
        assert "(B)" not in asked
        assert "Send them to: Dc Leeds, 1 Yard, " in asked
        (arrived,) = mails(house, "has arrived")
        (refunded,) = mails(house, "Your refund")
        for text in (arrived, refunded):
            assert "1 x A (A)" in text
            assert "(B)" not in text
        assert "10.00 GBP" in refunded

    async def test_nothing_that_arrived_is_named_where_nothing_did(self, house: House, delivered: Order) -> None:
        answer = await ask(house, delivered, "t", l1=1, l2=1)
        await receive(house, answer, l1=1)
        await inspect(house, answer, ("1", 1, Disposition.SCRAP))
        await end(house, answer, "close")
        await handle(house, answer).result()
        await house.told()
        (arrived,) = mails(house, "has arrived")
        assert "(B)" not in arrived

    async def test_a_reason_that_nobody_gave_is_in_no_record(self, house: House, delivered: Order) -> None:
        request = ReturnRequest(order_id=delivered.order_id, lines=lines(l1=1))
        assert (request.reason, CancelCall().reason) == ("", "")

    async def test_returned_counts_what_came_back(self, house: House, delivered: Order) -> None:
        answer = await ask(house, delivered, "t", l1=2)
        assert await returned(house, delivered) == 0
        await receive(house, answer, l1=1)
        assert await returned(house, delivered) == 1


async def returned(house: House, order: Order) -> int:
    async with house.engine.connect() as connection:
        found = await reads.order(connection, order.order_id)
    assert found is not None
    return int(found["lines"][0]["returned"])


class TestOnce:
    async def test_the_same_token_gets_the_same_return(self, house: House, delivered: Order) -> None:
        answers = await asyncio.gather(*(ask(house, delivered, "same", l1=1) for _ in range(6)))
        assert sum(answer.created for answer in answers) == 1
        assert len({(answer.return_id, answer.node_id) for answer in answers}) == 1
        assert await one(house.engine, "SELECT count(*) FROM returns") == 1

    async def test_two_at_once_do_not_get_the_same_units(self, house: House, delivered: Order) -> None:
        wanted = [ask(house, delivered, f"token-{number}", l1=2) for number in range(4)]
        outcomes: list[Any] = await asyncio.gather(*wanted, return_exceptions=True)
        allowed = [outcome for outcome in outcomes if isinstance(outcome, ReturnAnswer)]
        assert len(allowed) == 1
        assert {outcome.cause.type for outcome in outcomes if outcome not in allowed} == {"nothing-to-return"}
        assert await one(house.engine, "SELECT sum(quantity) FROM return_lines") == 2

    async def test_repeated_receipts_and_inspections_count_once(self, house: House, delivered: Order) -> None:
        answer = await ask(house, delivered, "t", l1=2)
        await asyncio.gather(*(receive(house, answer) for _ in range(3)))
        seen = InspectCall(lines=(InspectedLine(line_id="1", quantity=2, disposition=Disposition.RESTOCK),))
        update = handle(house, answer).execute_update
        results = await asyncio.gather(*(update(ReturnWorkflow.inspect, seen, id="seen") for _ in range(3)))
        assert {result.refund for result in results} == {2000}
        assert await balance(house.engine, "dc-leeds", "A") == (99, 0)
        assert await one(house.engine, "SELECT count(*) FROM refunds") == 1


class TestRefused:
    async def test_more_than_was_delivered(self, house: House, delivered: Order) -> None:
        await ask(house, delivered, "first", l1=2)
        async with refused("nothing-to-return") as about:
            await ask(house, delivered, "second", l1=2)
        assert about == {"field": "lines[0].quantity", "data": {"returnable": 1}}
        assert (await ask(house, delivered, "second", refused_before=True, l1=1)).created

    async def test_what_is_still_on_its_way(self, house: House) -> None:
        order = small.order("not-there-yet", A=1)
        await house.send(order)
        await ship(house, order)
        async with refused("nothing-to-return"):
            await ask(house, order, "t", l1=1)
        await house.carrier_says(order, "delivered")
        await ended(house, order)
        assert (await ask(house, order, "t", refused_before=True, l1=1)).created

    async def test_cancelled_and_unknown_orders_and_lines(self, house: House) -> None:
        order = small.order("never-came", A=1)
        async with refused("not-found"):
            await ask(house, order, "t", l1=1)
        await house.send(order)
        await cancel(house, order)
        await ended(house, order)
        async with refused("nothing-to-return"):
            await ask(house, order, "u", l1=1)
        async with refused("invalid-input"):
            await ask(house, order, "v", l9=1)

    async def test_inspection_before_receipt(self, house: House, delivered: Order) -> None:
        answer = await ask(house, delivered, "t", l1=1)
        async with refused("step-not-possible"):
            await inspect(house, answer, ("1", 1, Disposition.RESTOCK))
        await receive(house, answer)
        async with refused("invalid-input"):
            await inspect(house, answer, ("1", 2, Disposition.RESTOCK))
        async with refused("step-not-possible"):
            await end(house, answer, "cancel")
        assert (await inspect(house, answer, ("1", 1, Disposition.RESTOCK))).refund == 1000

    async def test_receipt_of_more_than_announced_or_of_something_else_later(
        self, house: House, delivered: Order
    ) -> None:
        answer = await ask(house, delivered, "t", l1=2)
        async with refused("invalid-input"):
            await receive(house, answer, l1=3)
        async with refused("invalid-input"):
            await receive(house, answer, l2=1)
        async with refused("invalid-input"):
            twice = ReceiveCall(lines=lines(l1=1) * 2)
            await handle(house, answer).execute_update(ReturnWorkflow.receive, twice)
        await receive(house, answer, l1=1)
        async with refused("invalid-input"):
            await receive(house, answer, l1=2)
        assert (await receive(house, answer, l1=1)).status is ReturnStatus.RECEIVED


class MailServer(RecordingSender):
    """Can be away for a while."""

    away = False

    async def send(self, message: OutboundMessage) -> None:
        """Take the message, unless away."""
        if self.away:
            raise TemporaryFailureError("nobody answers")
        await super().send(message)


class TestMailAway:
    async def test_does_not_hold_the_goods_up(self, temporal_client: Client, world: AsyncEngine) -> None:
        mail = MailServer()
        async with House(temporal_client, world, mail=mail).working() as house:
            order = small.order("mail-away", A=3)
            await house.send(order)
            await deliver(house, order)
            await ended(house, order)
            mail.away = True
            answer = await ask(house, order, "t", l1=1)
            async with asyncio.timeout(10):
                await receive(house, answer)
                result = await inspect(house, answer, ("1", 1, Disposition.RESTOCK))
            assert result.refund == 1000
            mail.away = False
            assert (await handle(house, answer).result()).status is ReturnStatus.REFUNDED
            await house.told()
        told = [message.key for message in mail.sent if answer.return_id in message.key]
        assert len(told) == len(set(told)) == 3
