"""Cancelling from the Temporal UI or CLI: a signal, with all that a cancellation does."""

from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from dom.orders.calls import CancelCall
from dom.orders.order import Order
from dom.orders.status import OrderStatus
from store import reconcile
from store.orders import reads
from tests.worlds import small
from tests.worlds.running import House
from tests.worlds.waiting import until
from workflows.order.process import OrderWorkflow


async def _is_sent(world: AsyncEngine, order: Order) -> bool:
    async with world.connect() as connection:
        found = await reads.order(connection, order.order_id)
    return found is not None and [message["status"] for message in found["messages"]] == ["sent"]


class TestCancelRequested:
    async def test_cancels_the_order_and_tells_the_customer(self, temporal_client: Client, world: AsyncEngine) -> None:
        async with House(temporal_client, world).working() as house:
            order = small.order("by-hand", A=2)
            await house.send(order)
            await until("the confirmation was sent and written down", lambda: _is_sent(world, order))

            await house.handle(order).signal(OrderWorkflow.cancel_requested, CancelCall(actor="support:kim"))
            result = await house.handle(order).result()

            assert result.status is OrderStatus.CANCELLED
            await house.told()
            assert {message.key.split("/")[1] for message in house.mail.sent} == {"accepted", "cancelled:1"}
        async with world.connect() as connection:
            totals, differences = await reconcile.check(connection)
        assert totals["reserved"] == 0
        assert not differences
