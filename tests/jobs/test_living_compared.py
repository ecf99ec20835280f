"""A process may differ from the store in one thing alone: a status, the units of a line."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from dom.exceptions import ExceptionKind
from processes.consistency import Living
from tests.worlds import small
from tests.worlds.returning import ask, handle
from tests.worlds.running import House
from tests.worlds.steps import deliver, ended
from tests.worlds.waiting import until


@pytest.fixture
async def house(temporal_client: Client, world: AsyncEngine) -> AsyncIterator[House]:
    async with House(temporal_client, world).working() as working:
        yield working


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE orders SET status = 'in_fulfilment'", "(in_fulfilment): the process says backordered"),
        ("UPDATE order_lines SET cancelled = 1, backordered = 1", "line 1: {"),
    ],
    ids=["status", "units"],
)
async def test_it_is_found_by_one_thing_alone(house: House, change: str, said: str) -> None:
    order = small.order(f"differs-{len(said)}", NEVER=2)
    await house.send(order)
    living = Living(house.engine, house.client, house.task_queue)

    async def is_listed() -> bool:
        return (await living.compare()).running == 1

    await until("its process is listed", is_listed)
    assert (await living.compare(thoroughly=True)).faults == []
    async with house.engine.begin() as connection:
        await connection.execute(text(change))
    (fault,) = (await living.compare(thoroughly=True)).faults
    assert (fault.about, fault.kind) == (order.order_id, ExceptionKind.PROCESS_DIFFERS)
    assert said in fault.detail
    await house.handle(order).terminate("the store was changed by hand")


async def test_so_is_a_return(house: House) -> None:
    order = small.order("return-differs", A=1)
    await house.send(order)
    await deliver(house, order)
    await ended(house, order)
    answer = await ask(house, order, "t", l1=1)
    living = Living(house.engine, house.client, house.task_queue)

    async def is_listed() -> bool:
        return (await living.compare()).running == 1

    await until("its process is listed", is_listed)
    assert (await living.compare(thoroughly=True)).faults == []
    async with house.engine.begin() as connection:
        await connection.execute(text("UPDATE returns SET status = 'received', received_at = now()"))
    (fault,) = (await living.compare()).faults
    assert (fault.about, fault.kind) == (answer.return_id, ExceptionKind.PROCESS_DIFFERS)
    assert "(received): the process says requested" in fault.detail
    await handle(house, answer).terminate("the store was changed by hand")
