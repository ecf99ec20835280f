"""Units that wait are sourced again: planned, released, reserved and told in one transaction, once per attempt."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from dom.exceptions import ExceptionKind
from dom.notifications.messages import MessageKind
from dom.orders.events import EventKind
from dom.orders.holds import BlockedStep
from dom.orders.lifecycle import OrderState
from dom.orders.order import Order
from dom.orders.status import SourcingCause
from dom.shared.access import OFL
from dom.sourcing.models import SourcingDecision
from dom.sourcing.policy.document import FailedNodes
from dom.sourcing.sourced import (
    SourceAgain,
    Sourced,
    SourcedAgain,
    SourcingRun,
    leaves_out_failed_nodes,
    sourced,
    status_with_new_work,
    summary,
)
from services import order_views, sourcing, substitution
from services.change_orders import locked
from services.database import Database
from store import backorders, exceptions
from store.backorders import first_claims
from store.fulfilment import fulfilments
from store.notifications import messages
from store.orders import customer_questions, orders, resuming, timeline
from store.orders import state as order_state
from store.sourcing import decisions
from store.sourcing.decisions import Planned


async def source_again(database: Database, asked: SourceAgain) -> SourcedAgain:
    """Source the units that wait anew; what no node can give goes on waiting. Raises NotFound."""

    async def transaction() -> SourcedAgain:
        async with database.transaction() as connection:
            result, cause = await _source(database, connection, asked)
            view = await order_views.get(connection, asked.order_id)
            return SourcedAgain(sourced=result, cause=cause, view=view)

    return await sourcing.in_reach(transaction)


async def source_waiting(
    database: Database,
    connection: AsyncConnection,
    order_id: str,
    cause: SourcingCause,
    as_of: datetime,
    without: frozenset[str] = frozenset(),
) -> Sourced | None:
    """Source the order's units that wait, not at the nodes `without`, in the transaction of what had them wait. None if
    nothing waits, or a hold blocks it. Raises OutOfReach: the transaction must then end, and may be tried again.
    """
    last, failed_nodes = await said_of_failed_nodes(connection, order_id)
    told = {"order_id": order_id, "attempt": last + 1, "cause": cause, "as_of": as_of, "without": without}
    asked = SourceAgain(**told, failed_nodes=failed_nodes)
    result, _ = await _source(database, connection, asked)
    return result


async def said_of_failed_nodes(connection: AsyncConnection, order_id: str) -> tuple[int, FailedNodes]:
    """The number of the order's last sourcing, and what the policy said then of nodes that failed the order."""
    last = (await resuming.last_sourcing(connection, order_id)).number
    made = await decisions.decision(connection, order_id, last)
    return last, sourced(*made).failed_nodes if made else FailedNodes.AFTER_OTHER_NEWS


async def _source(
    database: Database, connection: AsyncConnection, asked: SourceAgain
) -> tuple[Sourced | None, SourcingCause]:
    """What sourcing gave, and why it was done; None if nothing waits, or a hold blocks it."""
    state = await locked(connection, asked.order_id)
    made = await decisions.decision(connection, asked.order_id, asked.attempt)
    if made:
        return sourced(*made).model_copy(update={"known": True}), asked.cause
    if not state.backordered or state.blocked(BlockedStep.SOURCING):
        return None, asked.cause
    order = await orders.document(connection, asked.order_id)
    run = await run_of(database, connection, order, asked)
    planned = await _planned(database, connection, order, state, run)
    choice = await substitution.choose(connection, database, order, planned, run)
    if choice:
        await substitution.take(connection, order.order_id, state.revision, choice, run, database.writing)
        state = await order_state.read(connection, order.order_id)
        order = await orders.document(connection, order.order_id)
        planned = await sourcing.plan_order(connection, database, order, state.waiting, run)
    decision = planned.decision
    result = sourced(decision, run.first_fulfilment)
    await _move_units(connection, state, decision, result, run)
    await _tell(database, connection, state, result, run)
    await sourcing.release(connection, planned, run)
    await orders.begin_promise_anew(connection, order.order_id)
    owned = await backorders.take_allocated(connection, order.order_id, decision.balances)
    await sourcing.reserve(connection, order.channel, decision, run, owned)
    await first_claims.end(connection, order.order_id)
    return result, run.cause


async def _planned(
    database: Database, connection: AsyncConnection, order: Order, state: OrderState, run: SourcingRun
) -> Planned:
    """Who stands first for goods is to keep its promise; where the goods have come and it cannot, it goes at once. What
    it waits for besides is sent late if it cannot be in time.
    """
    planned = await sourcing.plan_order(connection, database, order, state.waiting, run)
    if run.deliver_by is None:
        return planned
    claimed = await first_claims.sku(connection, order.order_id)
    others = any(line.sku != claimed for line in planned.decision.unfilled)
    has_come = not planned.decision.shipments and await first_claims.have_come(connection, order.order_id)
    if not others and not has_come:
        return planned
    return await sourcing.plan_order(connection, database, order, state.waiting, replace(run, deliver_by=None))


async def run_of(database: Database, connection: AsyncConnection, order: Order, asked: SourceAgain) -> SourcingRun:
    """Why the units are sourced, and without which nodes. The store knows better than who asks.

    An order's process that hears of a sourcing it did not make asks once more, as of an edit. Where staff had work
    sourced again and nothing happened since, that is on the same terms.
    """
    order_id = order.order_id
    found = await resuming.sourcings(connection, order_id)
    cause = terms = found.cause or asked.cause
    without = asked.without
    if found.by_staff is not None and found.cause is None and cause is SourcingCause.EDITED:
        terms, without = SourcingCause.SOURCED_AGAIN, without | found.by_staff
    failed = found.failed_nodes if leaves_out_failed_nodes(asked.failed_nodes, terms) else frozenset()
    return SourcingRun(
        attempt=asked.attempt,
        first_fulfilment=await fulfilments.next_number(connection, order_id),
        cause=cause,
        as_of=database.as_of(order, max(asked.as_of, found.as_of)),
        excluded_nodes=failed | without,
        own=backorders.soft_id(order_id),
        not_found=await backorders.not_found(connection, order_id),
        deliver_by=await first_claims.promised(connection, order_id),
    )


async def _move_units(
    connection: AsyncConnection, state: OrderState, decision: SourcingDecision, result: Sourced, run: SourcingRun
) -> None:
    """Note the decision in the timeline, and what waits after it, with the order's status and promise."""
    order_id, about = state.order_id, summary(decision, result, run)
    key = decisions.sourced_key(run.attempt)
    await timeline.append(
        connection, timeline.Event(order_id, EventKind.SOURCED, key, OFL, run.as_of, about, run.cause)
    )
    moves = [
        orders.UnitMove(line_id, backordered=result.waiting.get(line_id, 0) - quantity)
        for line_id, quantity in state.waiting.items()
        if result.waiting.get(line_id, 0) != quantity
    ]
    if moves:
        await orders.move_units(connection, order_id, moves)
        window = (result.promise.earliest, result.promise.latest) if result.promise else None
        await orders.set_status(connection, order_id, status_with_new_work(state, decision), run.as_of, window)


async def _tell(
    database: Database, connection: AsyncConnection, state: OrderState, result: Sourced, run: SourcingRun
) -> None:
    """Of units that lost their node and found no other the customer hears and, if it is for stock, a person."""
    order_id = state.order_id
    await tell_first_days(database, connection, order_id, decisions.sourced_key(run.attempt))
    if run.failed and result.waiting and not result.cancels:
        await messages.write(
            connection,
            order_id,
            decisions.sourced_key(run.attempt),
            MessageKind.ORDER_BACKORDERED,
            context=result.backorder_context(state.waiting),
            webhook=database.webhooks,
        )
        if result.for_stock:
            detail = f"no stock for {sourcing.by_line(result.for_stock)}: {run.cause}"
            await exceptions.unsourced(connection, order_id, ExceptionKind.BACKORDER, "backorder", detail, anew=True)
    await exceptions.close_sourced(connection, order_id)


async def tell_first_days(database: Database, connection: AsyncConnection, order_id: str, key: str) -> None:
    """Lines that waited without a day have the order's promise from now on; a customer who was asked hears of it."""
    if await customer_questions.tell_first_days(connection, order_id) and (
        await customer_questions.waited_without_a_day(connection, order_id)
    ):
        await messages.write(
            connection, order_id, key, MessageKind.PROMISE_UPDATED, context={}, webhook=database.webhooks
        )
