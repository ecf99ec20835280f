"""A return that never arrives ends: cancelled, closed or expired, its units are free for another; whoever races."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from dom.orders.order import Order
from dom.orders.return_calls import CancelReturnCall, ReceiveCall
from dom.orders.status import FINAL_RETURN, Disposition, ReturnStatus
from tests.worlds import small
from tests.worlds.books import check_books, one, rows
from tests.worlds.returned import check_returns
from tests.worlds.returning import ask, end, handle, inspect, lines, mails, receive
from tests.worlds.running import House
from tests.worlds.steps import deliver, ended, refused
from tests.worlds.waiting import until
from workflows.messages import ReturnAnswer
from workflows.returns import ReturnWorkflow

SCRAP = Disposition.SCRAP


async def delivered(house: House, number: str, units: int = 3) -> Order:
    """An order with the customer."""
    order = small.order(number, A=units)
    await house.send(order)
    await deliver(house, order)
    await ended(house, order)
    return order


class TestCancelled:
    async def test_before_anything_came_its_units_are_free(self, house: House) -> None:
        order = await delivered(house, "never-comes")
        answer = await ask(house, order, "t", l1=3)
        async with refused("nothing-to-return"):
            await ask(house, order, "u", l1=1)
        assert (await end(house, answer, "cancel")).status is ReturnStatus.CANCELLED
        assert (await handle(house, answer).result()).status is ReturnStatus.CANCELLED
        assert (await ask(house, order, "v", l1=3)).created
        (mail,) = mails(house, "is cancelled")
        assert "3 x A (A)" in mail
        assert await one(house.engine, "SELECT status FROM inbound WHERE reference = :id", id=answer.return_id) == (
            "cancelled"
        )
        await check_returns(house.engine)

    async def test_what_came_is_inspected_and_refunded(self, house: House) -> None:
        order = await delivered(house, "one-comes")
        answer = await ask(house, order, "t", l1=3)
        await receive(house, answer, l1=1)
        assert (await end(house, answer, "cancel")).status is ReturnStatus.RECEIVED
        assert (await ask(house, order, "rest", l1=2)).created
        assert (await inspect(house, answer, ("1", 1, SCRAP))).status is ReturnStatus.REFUNDED
        assert (await handle(house, answer).result()).refund == 1000
        await check_returns(house.engine)

    async def test_goods_that_come_all_the_same_are_put_before_a_person(self, house: House) -> None:
        order = await delivered(house, "comes-all-the-same")
        answer = await ask(house, order, "t", l1=3)
        await receive(house, answer, l1=1)
        await end(house, answer, "cancel")
        for _ in range(2):
            async with refused("step-not-possible") as about:
                await receive(house, answer, l1=2)
        assert about["data"]["unexpected"] == {"1": 2}
        found = await rows(house.engine, "SELECT kind, data->'lines' FROM exceptions WHERE status = 'open'")
        assert found == [("return_arrived_late", {"1": 2})]


@pytest.fixture
async def impatient(temporal_client: Client, world: AsyncEngine) -> AsyncIterator[House]:
    """A house that waits for returns for half a second."""
    async with House(temporal_client, world, returns_last=timedelta(seconds=0.5)).working() as house:
        yield house


class TestExpired:
    async def test_a_return_that_never_arrives_ends(self, impatient: House) -> None:
        order = await delivered(impatient, "never")
        answer = await ask(impatient, order, "t", l1=3)
        assert (await handle(impatient, answer).result()).status is ReturnStatus.EXPIRED
        await impatient.told()
        (mail,) = mails(impatient, "has ended")
        assert "3 x A (A)" in mail
        assert (await ask(impatient, order, "again", l1=3)).created
        await check_returns(impatient.engine)

    async def test_what_came_waits_for_its_inspection_and_a_person_hears_of_it(self, impatient: House) -> None:
        order = await delivered(impatient, "lies-there")
        answer = await ask(impatient, order, "t", l1=3)
        await receive(impatient, answer, l1=1)
        neglected = "SELECT status FROM exceptions WHERE kind = 'return_not_inspected'"

        async def told() -> bool:
            return await rows(impatient.engine, neglected) == [("open",)]

        await until("a person hears of it", told)
        assert (await ask(impatient, order, "rest", l1=2)).created
        assert (await inspect(impatient, answer, ("1", 1, SCRAP))).status is ReturnStatus.REFUNDED
        assert await rows(impatient.engine, neglected) == [("closed",)]
        assert (await handle(impatient, answer).result()).status is ReturnStatus.REFUNDED
        await check_returns(impatient.engine)


async def clients(house: House, count: int) -> list[Client]:
    """Clients with connections of their own, as in several processes of the API."""
    address = house.client.service_client.config.target_host
    return [await Client.connect(address, data_converter=pydantic_data_converter) for _ in range(count)]


def answers(outcomes: list[object]) -> list[object]:
    """What was carried out; the rest must have been refused or come too late, and not have failed."""
    for outcome in outcomes:
        if isinstance(outcome, WorkflowUpdateFailedError):
            assert isinstance(outcome.cause, ApplicationError)
            assert outcome.cause.type in {"step-not-possible", "invalid-input"}
        else:
            assert not isinstance(outcome, BaseException) or isinstance(outcome, RPCError), outcome
    return [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]


async def notified_once(house: House, answer: ReturnAnswer) -> None:
    """No step was told twice, and every unit is accounted for."""
    told = (
        "SELECT kind, count(*) FROM outbox WHERE starts_with(message_key, :id) AND kind <> 'return_received' GROUP BY 1"
    )
    assert all(number == 1 for _, number in await rows(house.engine, told, id=f"{answer.return_id}:"))
    await check_returns(house.engine)
    await check_books(house.engine)


class TestRaces:
    @pytest.mark.parametrize("number", range(4))
    async def test_cancel_against_receive(self, house: House, number: int) -> None:
        order = await delivered(house, f"cancel-receive-{number}")
        answer = await ask(house, order, "t", l1=3)
        here, there = await clients(house, 2)
        about = handle(house, answer).id
        calls = [
            there.get_workflow_handle(about).execute_update(ReturnWorkflow.cancel, CancelReturnCall()),
            here.get_workflow_handle(about).execute_update(ReturnWorkflow.receive, ReceiveCall(lines=lines(l1=2))),
        ]
        done = answers(await asyncio.gather(*(calls if number % 2 else calls[::-1]), return_exceptions=True))
        status, received, released = (
            await rows(
                house.engine,
                "SELECT r.status, l.received, l.released FROM returns r JOIN return_lines l ON l.return_id = r.id",
            )
        )[0]
        assert (status, received, released) in {("cancelled", 0, 3), ("received", 2, 1)}
        assert len(done) == (2 if received else 1)
        late = await one(house.engine, "SELECT count(*) FROM exceptions WHERE kind = 'return_arrived_late'")
        assert late in ({0} if received else {0, 1})
        await notified_once(house, answer)

    async def test_two_cancels_and_more(self, house: House) -> None:
        order = await delivered(house, "cancel-cancel")
        answer = await ask(house, order, "t", l1=3)
        about = handle(house, answer).id
        calls = [
            client.get_workflow_handle(about).execute_update(ReturnWorkflow.cancel, CancelReturnCall())
            for client in await clients(house, 4)
        ]
        done = answers(await asyncio.gather(*calls, return_exceptions=True))
        assert done
        assert {each.status for each in done} == {ReturnStatus.CANCELLED}  # type: ignore[attr-defined]
        assert await one(house.engine, "SELECT count(*) FROM timeline WHERE kind = 'return_cancelled'") == 1
        await notified_once(house, answer)

    @pytest.mark.parametrize("number", range(3))
    async def test_expiry_against_receive(self, temporal_client: Client, world: AsyncEngine, number: int) -> None:
        async with House(temporal_client, world, returns_last=timedelta(seconds=1)).working() as house:
            order = await delivered(house, f"expire-receive-{number}")
            answer = await ask(house, order, "t", l1=3)
            about = handle(house, answer).id

            async def at_the_last_moment(client: Client, wait: float) -> object:
                await asyncio.sleep(wait)
                call = ReceiveCall(lines=lines(l1=1))
                return await client.get_workflow_handle(about).execute_update(ReturnWorkflow.receive, call)

            waits = (0.9, 0.97, 1.0)
            calls = [at_the_last_moment(c, w) for c, w in zip(await clients(house, 3), waits, strict=True)]
            done = answers(await asyncio.gather(*calls, return_exceptions=True))

            async def let_go() -> bool:
                return await one(house.engine, "SELECT sum(quantity - received - released) FROM return_lines") == 0

            await until("what has not come is let go", let_go)
            assert await one(house.engine, "SELECT sum(received) FROM return_lines") == len(done)
            if done:
                await inspect(house, answer, ("1", len(done), SCRAP))
            assert (await handle(house, answer).result()).status in FINAL_RETURN
            await notified_once(house, answer)
