"""Units that lose their node are sourced, whatever was said before of others that waited."""

from sqlalchemy import text
from temporalio.client import WorkflowExecutionStatus

from dom.orders.calls import CancelCall
from dom.orders.cancellation import CancelMode
from dom.orders.commands import Reship
from dom.orders.order import Order
from dom.shared import ids
from processes.client import Durable
from processes.reshipping import reship
from tests.workflows.order.test_policy_outcomes import CANCEL, publish
from tests.worlds import small
from tests.worlds.books import one
from tests.worlds.policies import policy, strategy
from tests.worlds.running import House
from tests.worlds.sourcing import MONDAY_NOON
from tests.worlds.steps import cancel, ended, ship, until_event, until_order, until_released
from workflows.order.process import OrderWorkflow


async def sent_once_more(house: House, order: Order) -> None:
    command = Reship(fulfilment_id=ids.fulfilment_id(order.order_id, 1), actor="ada", at=MONDAY_NOON)
    await reship(Durable(house.client, house.task_queue), house.engine, command, webhooks=False)
    await until_released(house, order, 2)


async def came_back(house: House, order: Order) -> None:
    await ship(house, order)
    await house.carrier_says(order, "returned_to_sender")
    await ended(house, order)


async def test_what_came_back_long_after_others_waited(house: House) -> None:
    order = small.order("late-back", A=1, NEVER=1)
    await house.send(order)
    await cancel(house, order, l2=1)
    await came_back(house, order)
    async with house.engine.begin() as connection:
        await connection.execute(text("UPDATE sourcing_decisions SET recorded_at = recorded_at - interval '20 days'"))
    await sent_once_more(house, order)


async def test_what_came_back_where_the_policy_cancelled_another_line(house: House) -> None:
    await publish(house.engine, policy(strategy("now-or-never", on_partial=CANCEL, on_none=CANCEL)))
    order = small.order("cut-back", A=1, NEVER=1)
    await house.send(order)
    await until_event(house, order, "cancelled")
    await came_back(house, order)
    await sent_once_more(house, order)


async def test_what_was_rejected_where_the_policy_cancelled_another_line(house: House) -> None:
    await publish(house.engine, policy(strategy("now-or-never", on_partial=CANCEL, on_none=CANCEL)))
    order = small.order("cut-rejected", A=1, NEVER=1)
    await house.send(order)
    await until_event(house, order, "cancelled")
    await house.node(order, "reject")
    await until_released(house, order, 2)


async def test_a_carrier_that_nobody_serves_does_not_end_the_process(house: House) -> None:
    order = small.order("asked-of-nobody", A=2)
    await house.send(order)
    await ship(house, order)
    await until_order(house, order, "shipped")
    async with house.engine.begin() as connection:
        await connection.execute(text("UPDATE shipments SET carrier = 'gone'"))
    await house.handle(order).execute_update(OrderWorkflow.cancel, CancelCall(mode=CancelMode.ASK))
    await until_event(house, order, "cancellation_refused")
    assert (await house.handle(order).describe()).status is WorkflowExecutionStatus.RUNNING
    assert await one(house.engine, "SELECT status FROM cancellation_requests") == "refused"
