"""Capture: an order is written down, planned, reserved and answered, in one transaction, once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio import activity

from activities import reservation_conversion, sourcing
from activities.boundary import Database
from activities.sourcing import Sourced, SourcingRun
from dom.notifications.messages import MessageKind
from dom.orders.events import AcceptedData, EventKind, SourcedData
from dom.orders.order import Correction, Order
from dom.orders.status import OrderStatus, SourcingCause
from dom.orders.views import OrderView
from dom.shared.base import Value
from dom.shared.errors import NotAvailable, OrderConflict
from services import order_views
from store import stock
from store.backorders import limits
from store.notifications import messages
from store.orders import orders, timeline

FIRST_ATTEMPT = 1
FIRST_FULFILMENT = 1
MESSAGE_KEY = "accepted"
"""The key of the order's first message."""


class AcceptOrder(Value):
    """Take an order in; what was corrected of it goes into its timeline, and `run_id`: the process that took it in."""

    order: Order
    corrections: tuple[Correction, ...] = ()
    run_id: str = ""


class Accepted(Value):
    """An order that was captured now, and how it stands; both are None for one that was captured before."""

    sourced: Sourced | None = None
    view: OrderView | None = None


@dataclass(frozen=True, slots=True)
class Capture:
    """The first thing that happens to an order."""

    database: Database

    @activity.defn(name="accept_order")
    async def accept_order(self, request: AcceptOrder) -> Accepted:
        """Record the order, plan it by OFL, reserve its units, release its fulfilments and write its timeline.

        Done before for the same content, it changes nothing, and answers so. Errors: order-conflict for other content
        under the same number, unknown-sku for a line whose SKU the catalogue does not hold, not-available for units
        that would wait beyond their SKU's limit; then nothing is written.
        """
        for _ in range(sourcing.ATTEMPTS - 1):
            try:
                return await self._accept(request)
            except stock.OutOfReach:
                continue
        return await self._accept(request)

    async def _accept(self, request: AcceptOrder) -> Accepted:
        order = request.order
        async with self.database.transaction() as connection:
            if not await orders.capture(connection, order):
                await self._must_be_the_same(connection, order)
                return Accepted()
            as_of = self.database.as_of(order, order.placed_at)
            claim = await reservation_conversion.find_reservation(connection, order)
            why = SourcingRun(FIRST_ATTEMPT, FIRST_FULFILMENT, SourcingCause.CAPTURED, as_of, own=claim.own)
            units = {line.line_id: line.quantity for line in order.lines}
            planned = await sourcing.decide(self.database, connection, order, units, why)
            decision = planned.decision
            result = sourcing.sourced(decision, FIRST_FULFILMENT)
            await self._write(connection, order, result)
            if not result.cancels:
                await _refuse_what_may_not_wait(connection, order, result.for_stock, as_of.date())
            await timeline.append(
                connection,
                timeline.Event(
                    order.order_id,
                    EventKind.ACCEPTED,
                    "accepted",
                    f"channel:{order.channel}",
                    as_of,
                    _accepted(request, claim, sourcing.summary(decision, result, why)),
                ),
            )
            await sourcing.write_down(connection, planned, why)
            owned = await reservation_conversion.convert_reservation(connection, claim, decision)
            await sourcing.take(connection, order.channel, decision, why, owned)
            return Accepted(sourced=result, view=order_views.captured(decision, result.waiting))

    async def _write(self, connection: AsyncConnection, order: Order, result: Sourced) -> None:
        promise = result.promise
        await orders.write_lines(
            connection,
            order,
            backordered=result.waiting,
            status=OrderStatus.ACCEPTED if result.fulfilments else OrderStatus.BACKORDERED,
            promise=(promise.earliest, promise.latest) if promise else None,
        )
        if result.cancels and not result.fulfilments:
            return  # the cancellation tells all there is to tell
        waits = bool(result.waiting) and not result.cancels
        await messages.write(
            connection,
            order.order_id,
            MESSAGE_KEY,
            MessageKind.ORDER_BACKORDERED if waits else MessageKind.ORDER_CONFIRMED,
            context=result.waits_told({line.line_id: line.quantity for line in order.lines}) if waits else {},
            webhook=self.database.webhooks,
        )

    async def _must_be_the_same(self, connection: AsyncConnection, order: Order) -> None:
        known = await orders.find(connection, order.order_id)
        if known is None or known.content_hash != order.content_hash():
            raise OrderConflict(
                f"{order.channel} order {order.external_id} was captured with other content", field="external_id"
            )


def _accepted(
    request: AcceptOrder, claim: reservation_conversion.ReservationConversion, decided: SourcedData
) -> AcceptedData:
    return AcceptedData(
        **dict(decided),
        reservation=claim.outcome,
        run_id=request.run_id or None,
        corrections=tuple(request.corrections) or None,
    )


async def _refuse_what_may_not_wait(
    connection: AsyncConnection, order: Order, waiting: Mapping[str, int], day: date
) -> None:
    """Raises NotAvailable, with every line at fault, if the order's units go beyond what may wait for their SKUs."""
    lines = [(position, line) for position, line in enumerate(order.lines) if waiting.get(line.line_id)]
    if not lines:
        return
    overruns = await limits.overruns(connection, {line.sku for _, line in lines}, day)
    if not overruns:
        return
    short = {sku: sum(waiting[line.line_id] for _, line in lines if line.sku == sku) for sku in overruns}
    faults = [
        {
            "field": f"lines[{position}].quantity",
            "line_id": line.line_id,
            "sku": line.sku,
            "quantity": line.quantity,
            "short": waiting[line.line_id],
            "may_wait": max(overruns[line.sku].limit - overruns[line.sku].waiting + short[line.sku], 0),
        }
        for position, line in lines
        if line.sku in overruns
    ]
    named = ", ".join(sorted(overruns))
    raise NotAvailable(
        f"not enough stock, and no more may wait: {named}", field=str(faults[0]["field"]), data={"lines": faults}
    )
