"""Capture: an order is written down, planned, reserved and answered, in one transaction, once."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio import activity

from activities import sourcing as step
from activities.boundary import Database
from activities.sourcing import Occasion, Sourced
from dom.base import Value
from dom.errors import OrderConflict
from dom.messages import MessageKind
from dom.orders import Order
from dom.status import OrderStatus, SourcingCause
from store import messages, orders, sourcing, stock, timeline

FIRST_ATTEMPT = 1
FIRST_FULFILMENT = 1
OCCASION = "accepted"
"""The occasion under which the order's first message stands."""


class AcceptOrder(Value):
    """Take an order in."""

    order: Order


@dataclass(frozen=True, slots=True)
class Capture:
    """The first thing that happens to an order."""

    database: Database

    @activity.defn(name="accept_order")
    async def accept_order(self, request: AcceptOrder) -> Sourced:
        """Record the order, plan it by OFL, reserve its units, release its fulfilments and write its timeline.

        Done before for the same content, it answers what was decided then. Errors: order-conflict for other content
        under the same number, unknown-sku for a line whose SKU the catalogue does not hold; then nothing is written.
        """
        for _ in range(step.ATTEMPTS - 1):
            try:
                return await self._accept(request.order)
            except stock.OutOfReach:
                continue
        return await self._accept(request.order)

    async def _accept(self, order: Order) -> Sourced:
        async with self.database.transaction() as connection:
            if not await orders.capture(connection, order):
                return await self._known(connection, order)
            as_of = self.database.as_of(order, order.placed_at)
            why = Occasion(FIRST_ATTEMPT, FIRST_FULFILMENT, SourcingCause.CAPTURED, as_of)
            units = {line.line_id: line.quantity for line in order.lines}
            demand, decision, policy = await step.decide(self.database, connection, order, units, why)
            result = step.sourced(decision, policy, FIRST_FULFILMENT)
            await self._write(connection, order, result)
            await timeline.append(
                connection,
                timeline.Event(
                    order.order_id,
                    "accepted",
                    "accepted",
                    f"channel:{order.channel}",
                    as_of,
                    data=step.story(decision, result, why),
                ),
            )
            await step.write_down(connection, demand, decision, why)
            await step.take(connection, order.channel, decision, why)
            return result

    async def _write(self, connection: AsyncConnection, order: Order, result: Sourced) -> None:
        promise = result.promise
        await orders.write_lines(
            connection,
            order,
            backordered=result.waiting,
            status=OrderStatus.ACCEPTED if result.fulfilments else OrderStatus.BACKORDERED,
            promise=(promise.earliest, promise.latest) if promise else None,
        )
        await messages.write(
            connection,
            order.order_id,
            OCCASION,
            MessageKind.ORDER_BACKORDERED if result.waiting else MessageKind.ORDER_CONFIRMED,
            context={"lines": result.waiting} if result.waiting else {},
            webhook=self.database.webhooks,
        )

    async def _known(self, connection: AsyncConnection, order: Order) -> Sourced:
        known = await orders.find(connection, order.order_id)
        made = await sourcing.decision(connection, order.order_id, FIRST_ATTEMPT)
        if known is None or made is None or known.content_hash != order.content_hash():
            raise OrderConflict(
                f"{order.channel} order {order.external_id} was captured with other content", field="external_id"
            )
        return step.sourced(*made)
