"""Reports that reach an order before its workflow knows the fulfilment they are about."""

from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from dom.orders.status import OrderStatus
from dom.shared import ids
from tests.worlds import small
from tests.worlds.running import House
from tests.worlds.waiting import until_booked
from workflows.messages import OrderInput
from workflows.order.process import OrderWorkflow


class TestReportsBeforeAcceptance:
    async def test_are_heeded_once_the_order_is_accepted(self, temporal_client: Client, world: AsyncEngine) -> None:
        """As after a worker that died between its commit and its answer: the history has the reports first."""
        house, order = House(temporal_client, world), small.order("early", A=2)
        await temporal_client.start_workflow(
            OrderWorkflow.run,
            OrderInput(order=order),
            id=ids.order_workflow_id(order.order_id),
            task_queue=house.task_queue,
        )
        await house.node(order, "accept", "pick", "pack")

        async with house.working():
            await until_booked(world, order)
            await house.node(order, "hand-over")
            await house.carrier_says(order, "delivered")
            result = await house.handle(order).result()

        assert result.status is OrderStatus.DELIVERED
        assert sum(house.carrier.booked.values()) == 1
