"""What is asked of orders, without processes: use cases are called where a workflow would call them."""

from dom.orders.calls import CancelCall, CancelResult, OrderAnswer
from dom.orders.commands import CancelUnits
from dom.orders.intake import OrderRequest
from dom.orders.status import OrderStatus
from services.capture import capture
from services.change_orders import Writing, change_order
from services.channel_intake import OrderCalls
from services.database import Database


def direct_calls(database: Database) -> OrderCalls:
    """Captures and cancels in the store; nobody works on the orders."""

    async def captured(order: OrderRequest) -> OrderAnswer:
        await capture(database, order)
        return OrderAnswer(order_id=order.order_id, status=OrderStatus.ACCEPTED, promise=None)

    async def cancelled(order_id: str, call: CancelCall, key: str) -> CancelResult:
        lines = None if call.lines is None else {line.line_id: line.quantity for line in call.lines}
        command = CancelUnits(
            lines=lines, mode=call.mode, actor=call.actor, at=database.now(), reason=call.reason, request=key
        )
        async with database.transaction() as connection:
            changed = await change_order(connection, order_id, command, Writing(webhook=False, notify=False))
        gone = {str(line_id): int(units) for line_id, units in changed.data["lines"].items()}
        return CancelResult(order_id=order_id, status=OrderStatus.ACCEPTED, cancelled=gone)

    return OrderCalls(captured, cancelled)
