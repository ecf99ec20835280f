"""A defect refuses whoever waits for an answer; what nobody is to be refused waits for a worker without it."""

import asyncio

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from activities import defects, sourcing
from dom.orders.order import Order
from dom.orders.status import Disposition, OrderStatus, ReturnStatus
from services import order_process, returns
from tests.worlds import returning as returned
from tests.worlds import small
from tests.worlds.books import one, rows
from tests.worlds.running import House
from tests.worlds.steps import cancel, deliver, ended, status_of, stock_comes
from tests.worlds.waiting import until


async def stuck(engine: AsyncEngine, order: Order) -> list[tuple[str, str]]:
    """What stands before a person: status and detail."""
    query = "SELECT status, detail FROM exceptions WHERE order_id = :id AND kind = 'process_stuck'"
    return [(status, detail) for status, detail in await rows(engine, query, id=order.order_id)]


async def events_of(house: House, order: Order) -> int:
    described = await house.handle(order).describe()
    return described.raw_description.workflow_execution_info.history_length


async def test_an_order_that_no_attempt_can_write_is_refused_and_its_number_is_free(house: House) -> None:
    good = small.order("defect-total", A=1)
    lines = tuple(
        good.lines[0].model_copy(update={"line_id": str(i), "quantity": 10**6, "unit_price": 10**12}) for i in range(12)
    )
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await house.send(good.model_copy(update={"lines": lines}))
    assert isinstance(refused.value.cause, ApplicationError)
    assert refused.value.cause.type == "defect"
    assert (await house.handle(good).result()).status == "refused"
    assert await one(house.engine, "SELECT count(*) FROM exceptions WHERE kind = 'process_stuck'") == 0
    assert (await house.send(good, refused_before=True)).status is OrderStatus.ACCEPTED


async def test_a_step_that_nobody_waits_for_goes_on_once_it_can(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    order = small.order("defect-sourcing", NEVER=1)
    assert (await house.send(order)).status is OrderStatus.BACKORDERED
    with monkeypatch.context() as broken:

        async def fails(*_: object) -> None:
            raise OverflowError("date value out of range")

        broken.setattr(sourcing, "source_again", fails)
        broken.setattr(defects, "_FIRST_PAUSE", defects._FIRST_PAUSE / 60)
        await stock_comes(house, order, "NEVER")

        async def told() -> bool:
            return bool(await stuck(house.engine, order))

        await until("somebody is told", told)
    ((status, detail),) = await stuck(house.engine, order)
    assert status == "open"
    assert "source_again" in detail
    assert "date value out of range" in detail

    async def closed() -> bool:
        return [status for status, _ in await stuck(house.engine, order)] == ["closed"]

    await until("it closes itself", closed)
    assert (await cancel(house, order)).cancelled == {"1": 1}
    await ended(house, order)


async def test_while_a_step_waits_the_history_hardly_grows(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    order = small.order("defect-history", NEVER=1)
    await house.send(order)

    async def fails(*_: object) -> None:
        raise ValueError("no")

    monkeypatch.setattr(sourcing, "source_again", fails)
    await stock_comes(house, order, "NEVER")

    async def told() -> bool:
        return bool(await stuck(house.engine, order))

    await until("somebody is told", told)
    await asyncio.sleep(1)
    events = await events_of(house, order)
    await asyncio.sleep(20)
    assert await events_of(house, order) == events
    await house.handle(order).terminate()


async def test_a_cancellation_that_no_attempt_can_write_is_refused_and_the_order_goes_on(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = small.order("defect-cancel", A=1)
    await house.send(order)
    with monkeypatch.context() as broken:

        async def fails(*_: object) -> None:
            raise LookupError("no such thing")

        broken.setattr(order_process, "change", fails)
        with pytest.raises(WorkflowUpdateFailedError):
            await cancel(house, order)
    assert await status_of(house, order) == "accepted"
    await deliver(house, order)
    assert (await ended(house, order)).status == "delivered"
    assert await stuck(house.engine, order) == []


async def test_a_return_that_no_attempt_can_write_is_refused_and_may_be_asked_for_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = small.order("defect-return", A=1)
    await house.send(order)
    await deliver(house, order)
    await ended(house, order)

    async def fails(*_: object) -> None:
        raise LookupError("no such thing")

    with monkeypatch.context() as broken:
        broken.setattr(returns, "open_", fails)
        with pytest.raises(WorkflowUpdateFailedError):
            await returned.ask(house, order, "t", l1=1)
    opened = await returned.ask(house, order, "t", l1=1, refused_before=True)
    with monkeypatch.context() as broken:
        broken.setattr(returns, "commit", fails)
        with pytest.raises(WorkflowUpdateFailedError):
            await returned.receive(house, opened)
    assert (await returned.receive(house, opened)).status is ReturnStatus.RECEIVED
    assert (await returned.inspect(house, opened, ("1", 1, Disposition.SCRAP))).status is ReturnStatus.REFUNDED
    assert await stuck(house.engine, order) == []
