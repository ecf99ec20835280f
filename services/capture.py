"""Capture: an order is written down, planned, reserved and answered, in one transaction, once."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from dom.holds.policy import Trigger
from dom.holds.rules import HoldTrigger, follow
from dom.notifications.messages import MessageKind
from dom.orders.events import AcceptedData, EventKind
from dom.orders.holds import BlockedStep
from dom.orders.order import Correction, Order
from dom.orders.status import OrderStatus, SourcingCause
from dom.shared.errors import NotAvailable, OrderConflict
from dom.sourcing.models import HOLD_BLOCKS
from dom.sourcing.sourced import FIRST_ATTEMPT, FIRST_FULFILMENT, Accepted, Sourced, SourcingRun, sourced, summary
from services import holds, order_views, reservation_conversion, sourcing, substitution
from services.database import Database
from services.sourcing_again import source_waiting
from services.substitution import SUBSTITUTED
from store.backorders import limits
from store.notifications import messages
from store.orders import orders, timeline
from store.orders import state as order_state

MESSAGE_KEY: Final = "accepted"
"""The key of the order's first message, and of its first event."""


async def capture(
    database: Database, order: Order, corrections: Sequence[Correction] = (), run_id: str = ""
) -> Accepted:
    """Record the order, plan it by OFL, reserve its units, release its fulfilments and write its timeline. What was
    corrected of it goes into its timeline, and `run_id`: the process that took it in.

    Done before for the same content, it changes nothing, and answers so. Raises OrderConflict for other content
    under the same number, UnknownSku for a line whose SKU the catalogue does not hold, NotAvailable for units
    that would wait beyond their SKU's limit; then nothing is written.
    """

    async def transaction() -> Accepted:
        async with database.transaction() as connection:
            if not await orders.capture(connection, order):
                await _must_be_the_same(connection, order)
                return Accepted()
            return await _source(database, connection, order, corrections, run_id)

    return await sourcing.in_reach(transaction)


async def _source(
    database: Database, connection: AsyncConnection, order: Order, corrections: Sequence[Correction], run_id: str
) -> Accepted:
    as_of = database.as_of(order, order.placed_at)
    claim = await reservation_conversion.find_reservation(connection, order)
    run = SourcingRun(FIRST_ATTEMPT, FIRST_FULFILMENT, SourcingCause.CAPTURED, as_of, own=claim.own)
    planned = await sourcing.plan_order(connection, database, order, _units(order), run)
    policy = database.reference.last_seen.hold_policy
    screened = follow(policy, order, HoldTrigger(Trigger.ACCEPTED))
    held = screened.blocks(policy, BlockedStep.SOURCING)
    choice = () if held else await substitution.choose(connection, database, order, planned, run)
    if held or choice:
        why = SUBSTITUTED if choice else HOLD_BLOCKS
        planned = replace(planned, decision=planned.decision.held(planned.demand.lines, why))
    decision = planned.decision
    result = sourced(decision, FIRST_FULFILMENT)
    await _write(database, connection, order, result, held=held or bool(choice))
    if not result.cancels and not held and not choice:
        await refuse_what_may_not_wait(connection, order, result.for_stock, as_of.date())
    about = AcceptedData(
        **dict(summary(decision, result, run)),
        reservation=claim.outcome,
        run_id=run_id or None,
        corrections=tuple(corrections) or None,
    )
    actor = f"channel:{order.channel}"
    event = timeline.Event(order.order_id, EventKind.ACCEPTED, MESSAGE_KEY, actor, as_of, about)
    await timeline.append(connection, event)
    await sourcing.release(connection, planned, run)
    if screened.acts:
        await holds.act(connection, policy, order.order_id, screened, as_of, database.writing)
    owned = await reservation_conversion.convert_reservation(connection, claim, decision)
    await sourcing.reserve(connection, order.channel, decision, run, owned)
    if choice:
        return await _with_substitutes(database, connection, order.order_id, as_of)
    if not screened.acts:
        return Accepted(sourced=result, view=order_views.captured(decision, result.waiting))
    return Accepted(sourced=result, view=await order_views.get(connection, order.order_id))


async def _with_substitutes(
    database: Database, connection: AsyncConnection, order_id: str, as_of: datetime
) -> Accepted:
    """Source the order that was written down, now with substitutes for what is short."""
    result = await source_waiting(database, connection, order_id, SourcingCause.CAPTURED, as_of)
    order, state = await orders.document(connection, order_id), await order_state.read(connection, order_id)
    await refuse_what_may_not_wait(connection, order, state.waiting, as_of.date())
    return Accepted(sourced=result, view=await order_views.get(connection, order_id))


def _units(order: Order) -> dict[str, int]:
    return {line.line_id: line.quantity for line in order.lines}


async def _write(database: Database, connection: AsyncConnection, order: Order, result: Sourced, *, held: bool) -> None:
    """The order's lines with its status and promise, and what the customer is told: of a hold nothing."""
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
    waits = bool(result.waiting) and not result.cancels and not held
    await messages.write(
        connection,
        order.order_id,
        MESSAGE_KEY,
        MessageKind.ORDER_BACKORDERED if waits else MessageKind.ORDER_CONFIRMED,
        context=result.backorder_context(_units(order)) if waits else {},
        webhook=database.webhooks,
    )


async def _must_be_the_same(connection: AsyncConnection, order: Order) -> None:
    known = await orders.find(connection, order.order_id)
    if known is None or known.content_hash != order.content_hash():
        raise OrderConflict(
            f"{order.channel} order {order.external_id} was captured with other content", field="external_id"
        )


async def refuse_what_may_not_wait(
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
