"""Orders that are large, and orders that wait for long: bounded histories, quick answers, nothing lost.

`LONG_LIVES=full pytest -s tests/workflows/test_long_lives.py` has 300 lines at 40 nodes with 20 changes, and 300 days
of looking for stock every six hours; by default both are smaller.
"""

import os
from collections.abc import AsyncIterator
from datetime import timedelta
from time import perf_counter
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from dom.orders.calls import CancelCall, CancelLine
from dom.orders.commands import EditOrder
from dom.orders.editing.changes import SetQuantity
from dom.orders.order import Order
from dom.orders.status import OrderStatus
from processes.client import Durable
from processes.orders import OrderProcesses
from services import edits
from services.database import Database
from store import stock
from store.database.engine import reading
from store.enums import LedgerKind
from store.network import reference
from store.policy import policies
from tests.worlds import small
from tests.worlds.books import check_books, one
from tests.worlds.policies import changed
from tests.worlds.running import House
from tests.worlds.sourcing import LEEDS, MONDAY_NOON, node, sku
from tests.worlds.steps import ended
from tests.worlds.waiting import until
from workflows import messages
from workflows.messages import StockArrived
from workflows.order.process import OrderWorkflow

FULL = os.environ.get("LONG_LIVES") == "full"
LINES, NODES, CHANGES = (300, 40, 20) if FULL else (60, 12, 6)
LOOKS = 300 * 4 if FULL else 60
"""Looks for stock of a long wait: one every six hours."""
MOST_EVENTS = messages.MOST_EVENTS if FULL else 200
SHIPMENTS = 10
"""The most shipments that a plan may have: what is left waits, and is planned next."""


@pytest.fixture
async def house(temporal_client: Client, world: AsyncEngine) -> AsyncIterator[House]:
    async with House(temporal_client, world, allocates=False, most_events=MOST_EVENTS).working() as working:
        yield working


def orders_of(house: House) -> OrderProcesses:
    return OrderProcesses(Durable(house.client, house.task_queue), reading(house.engine))


async def figures(house: House, order: Order) -> tuple[int, int, int]:
    """Events of all runs of the order's process, their bytes, and how many runs there were."""
    of = house.handle(order)
    started = (await anext(of.fetch_history_events(page_size=1))).workflow_execution_started_event_attributes
    run_id, events, size, runs = started.first_execution_run_id, 0, 0, 0
    while run_id:
        history = await house.client.get_workflow_handle(of.id, run_id=run_id).fetch_history()
        events, runs = events + len(history.events), runs + 1
        size += sum(event.ByteSize() for event in history.events)
        run_id = history.events[-1].workflow_execution_continued_as_new_event_attributes.new_execution_run_id
    return events, size, runs


async def many_nodes(engine: AsyncEngine) -> None:
    """Each node holds SKUs of its own."""
    async with engine.begin() as connection:
        for number in range(NODES):
            await reference.put_node(connection, node(f"wide-{number:02}", LEEDS))
        await reference.put_skus(connection, [sku(f"W{number:03}") for number in range(LINES)])
        for number in range(LINES):
            at, code = f"wide-{number % NODES:02}", f"W{number:03}"
            opening = stock.Movement(at, code, 9, LedgerKind.OPENING, "opening", "opening")
            await stock.move(connection, opening, actor="test", at=MONDAY_NOON)
        policy = changed(small.POLICY, maximum_shipments=SHIPMENTS, split_penalty=0)
        await policies.publish_policy(connection, policy, "test")


async def test_an_order_of_many_lines_over_many_nodes_with_many_changes(house: House, world: AsyncEngine) -> None:
    await many_nodes(world)
    lines: list[Any] = [{"line_id": str(n), "sku": f"W{n:03}", "quantity": 2, "unit_price": 100} for n in range(LINES)]
    order = small.order("of-many-lines", lines=lines)
    began = perf_counter()
    await house.send(order)
    accepted = perf_counter() - began
    while await one(world, "SELECT sum(backordered) FROM order_lines"):
        before = await one(world, "SELECT count(*) FROM fulfilments")
        news = StockArrived(skus=("W000",), occurred_at=MONDAY_NOON)
        await house.handle(order).signal(OrderWorkflow.stock_arrived, news)

        async def more(before: object = before) -> bool:
            return bool(await one(world, "SELECT count(*) FROM fulfilments") != before)

        await until("more of it has a node", more)
    assert await one(world, "SELECT count(DISTINCT node_id) FROM fulfilments") == NODES
    taken = []
    for number in range(CHANGES):
        change = SetQuantity(line_id=str(number), quantity=1 if number % 2 else 3)
        command = EditOrder(revision=number, changes=(change,), actor="support", at=MONDAY_NOON)
        began = perf_counter()
        await edits.edit(Database(world, replaying=True), order.order_id, command)
        taken.append(perf_counter() - began)
    began = perf_counter()
    answer = await orders_of(house).cancel(order.order_id, CancelCall(lines=(CancelLine(line_id="1"),)), "at its end")
    last = perf_counter() - began
    assert answer.cancelled == {"1": 1}
    assert await one(world, "SELECT revision FROM orders") == CHANGES
    await orders_of(house).cancel(order.order_id, CancelCall(), "all")
    assert (await ended(house, order)).status is OrderStatus.CANCELLED
    await check_books(world)
    events, size, runs = await figures(house, order)
    print(  # noqa: T201
        f"{LINES} lines at {NODES} nodes, {CHANGES} changes: {events} events, {size:,} bytes, {runs} runs; accepted in "
        f"{accepted:.2f} s, changes {min(taken):.2f} to {max(taken):.2f} s, an update at the end {last * 1000:.0f} ms"
    )
    assert size < 5_000_000 * runs


async def test_an_order_that_waits_for_long(house: House, world: AsyncEngine) -> None:
    order = small.order("waits-for-300-days", NEVER=40)
    await house.send(order)
    processes, cancelled = orders_of(house), 0
    for look in range(LOOKS):
        news = StockArrived(skus=("NEVER",), occurred_at=MONDAY_NOON + timedelta(hours=6 * look))
        await house.handle(order).signal(OrderWorkflow.stock_arrived, news)

        async def looked(look: int = look) -> bool:
            return bool(await one(world, "SELECT count(*) FROM sourcing_decisions") >= look + 2)  # type: ignore[operator]

        await until(f"look {look}", looked)
        if look % (LOOKS // 20) == 0:
            call = CancelCall(lines=(CancelLine(line_id="1", quantity=1),))
            cancelled += (await processes.cancel(order.order_id, call, f"k{look}")).cancelled["1"]
    began = perf_counter()
    call = CancelCall(lines=(CancelLine(line_id="1", quantity=1),))
    cancelled += (await processes.cancel(order.order_id, call, "at its end")).cancelled["1"]
    last = perf_counter() - began
    assert await one(world, "SELECT cancelled FROM order_lines") == cancelled == 21
    events, size, runs = await figures(house, order)
    print(  # noqa: T201
        f"{LOOKS} looks: {events} events, {size:,} bytes, {runs} runs; an update at the end {last * 1000:.0f} ms"
    )
    assert runs > 1, "it goes on in new runs"
    await processes.cancel(order.order_id, CancelCall(), "all")
    assert (await ended(house, order)).status is OrderStatus.CANCELLED
    await check_books(world)
