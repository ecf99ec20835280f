"""Units of an order are sourced: planned by OFL, released to their nodes, and reserved. The parts of a transaction that
capture (`capture`) and later sourcings (`sourcing_again`) share.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from dom.exceptions import ExceptionKind
from dom.orders.lifecycle import OrderState
from dom.orders.order import Order
from dom.shared.errors import StepNotPossible
from dom.sourcing.models import Outcome, SourcingDecision
from dom.sourcing.sourced import SourcingRun, demand_of, status_with_new_work
from services.database import Database
from services.planning import SnapshotTerms, plan_units
from store import backorders, exceptions, stock
from store.fulfilment import fulfilments
from store.orders import orders
from store.sourcing import decisions
from store.sourcing.decisions import Planned

ATTEMPTS: Final = 8
"""How often a plan is made again because its stock was taken between the snapshot and the reservation."""

R = TypeVar("R")


async def in_reach(transaction: Callable[[], Awaitable[R]]) -> R:
    """What the transaction answers; it is tried again while somebody else takes the stock that it planned with.

    Raises OutOfReach if that happens each time.
    """
    for _ in range(ATTEMPTS - 1):
        try:
            return await transaction()
        except stock.OutOfReach:
            continue
    return await transaction()


def taken_meanwhile(about: str) -> StepNotPossible:
    """What is answered where others took the stock each time it was planned with."""
    return StepNotPossible(f"{about} cannot be sourced now: others take the stock; try again")


async def plan_order(
    connection: AsyncConnection, database: Database, order: Order, units: Mapping[str, int], run: SourcingRun
) -> Planned:
    """Plan the given units of the order (by line) on a fresh snapshot; changes nothing.

    Raises UnknownSku and UnknownNode for what the order names and the network does not hold.
    """
    return await plan_units(connection, database.reference, demand_of(order, units, run), terms_of(order, run))


def terms_of(order: Order, run: SourcingRun) -> SnapshotTerms:
    """How the world is read for an order."""
    return SnapshotTerms(postal_code=order.ship_to.postal_code, own=run.own, not_found=run.not_found)


async def release(connection: AsyncConnection, planned: Planned, run: SourcingRun) -> None:
    """Release the planned work to the nodes and keep the decision with its reasons."""
    if planned.decision.shipments:
        await fulfilments.release(connection, planned.decision, run.first_fulfilment, run.as_of, planned.hold)
    await decisions.record(
        connection,
        planned,
        business_key=decisions.sourced_key(run.attempt),
        cause=run.cause,
        first_fulfilment=run.first_fulfilment,
    )
    if planned.decision.unfilled:
        await _leave_waiting(connection, planned.decision, run)


async def reserve(
    connection: AsyncConnection,
    channel: str,
    decision: SourcingDecision,
    run: SourcingRun,
    owned: Mapping[tuple[str, str], int] = stock.NOTHING,
) -> None:
    """Take the plan's stock and capacity, whole or not at all. Raises OutOfReach.

    `owned` are units by (node, SKU) that were held for the order and given back in this transaction. Called last in
    it, so that a hot row is held for as short as can be.
    """
    if decision.shipments:
        units = fulfilments.planned_units(decision, run.first_fulfilment)
        days = [stock.WorkDay(s.node_id, s.ship_day, s.service) for s in decision.shipments]
        await stock.reserve(connection, decision.order_id, channel, units, days, run.as_of, owned)


async def place(
    connection: AsyncConnection, state: OrderState, planned: Planned, run: SourcingRun, business_key: str
) -> None:
    """Units that wait, all of the planned demand, get the planned fulfilments with their stock; the decision is kept
    under the key, beside the numbers of the order's own sourcings. `state` is the order while they wait. Raises
    OutOfReach.
    """
    order_id, decision = state.order_id, planned.decision
    moves = [orders.UnitMove(line.line_id, backordered=-line.quantity) for line in planned.demand.lines]
    await orders.move_units(connection, order_id, moves)
    promise = decision.promise
    window = (promise.earliest, promise.latest) if promise else None
    await orders.set_status(connection, order_id, status_with_new_work(state, decision), run.as_of, window)
    await fulfilments.release(connection, decision, run.first_fulfilment, run.as_of)
    await orders.begin_promise_anew(connection, order_id)
    await decisions.record(
        connection,
        planned,
        business_key=business_key,
        cause=run.cause,
        first_fulfilment=run.first_fulfilment,
    )
    await reserve(connection, planned.demand.channel, decision, run)


def by_line(units: Mapping[str, int]) -> str:
    """Units by line, in words."""
    return ", ".join(f"{quantity} of line {line_id}" for line_id, quantity in units.items())


async def _leave_waiting(connection: AsyncConnection, decision: SourcingDecision, run: SourcingRun) -> None:
    """What the policy says of units that found no node: whether they get what comes in, and whether a person looks."""
    order_id, never = decision.order_id, decision.cannot_be_sourced
    waits = decision.outcome is not Outcome.CANCELLED
    for_stock = waits and any(line.line_id not in never for line in decision.unfilled)
    await backorders.set_sourced_on_stock(connection, order_id, for_stock and decision.retry.on_stock)
    if waits and never:
        kind, detail = ExceptionKind.CANNOT_BE_SOURCED, f"{by_line(never)}: {' '.join(decision.reasons)}"
        await exceptions.unsourced(connection, order_id, kind, kind, detail, anew=run.failed)
    else:
        await exceptions.close(connection, order_id, ExceptionKind.CANNOT_BE_SOURCED)
    if decision.outcome is Outcome.QUEUED:
        strategy = decision.strategy or "no strategy"
        units = {line.line_id: line.quantity for line in decision.unfilled}
        detail = f"{strategy} of policy {decision.policy_version} asks for a person: no node for {by_line(units)}"
        key = f"sourcing:{strategy}"
        await exceptions.unsourced(
            connection, order_id, ExceptionKind.SOURCING_NEEDS_A_PERSON, key, detail, anew=run.failed
        )
