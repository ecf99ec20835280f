"""Work that no node has begun is moved to another node: planned there first, then taken back and given, at once.

The new place is found by the planner on a fresh snapshot, under the policy: a node that may not do the work, or has not
all of it, is refused with the reason. Units are reserved at one node at any time: all is one transaction.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from dom.orders import transitions
from dom.orders.commands import MoveWork
from dom.orders.lifecycle import FulfilmentState, OrderState
from dom.orders.order import Order
from dom.orders.status import SourcingCause
from dom.orders.transitions.moving import moved_key
from dom.orders.transitions.shared import listed_units
from dom.shared import ids
from dom.shared.errors import StepNotPossible, UnknownNode
from dom.sourcing.models import Candidate, SourcingDecision
from dom.sourcing.policy.document import FailedNodes
from dom.sourcing.reasons.phrases import FAILED
from dom.sourcing.sourced import SourcingRun
from services import sourcing
from services.change_orders import OrderChanged, Writing, answered_before, locked_with, write
from services.database import Database
from services.sourcing_again import said_of_failed_nodes
from store import backorders, stock
from store.backorders import queue
from store.fulfilment import fulfilments
from store.network import reference
from store.orders import orders, resuming
from store.orders import state as order_state
from store.sourcing.decisions import Planned


async def move(database: Database, command: MoveWork) -> OrderChanged:
    """Move the work, in a transaction of its own, which is made again while somebody else takes the stock it planned
    with. Raises as `move_in`, and StepNotPossible if that happens each time.
    """
    writing = Writing(webhook=database.webhooks, notify=True)

    async def transaction() -> OrderChanged:
        async with database.transaction() as connection:
            return await move_in(database, connection, command, writing)

    try:
        return await sourcing.in_reach(transaction)
    except stock.OutOfReach as taken:
        raise sourcing.taken_meanwhile(command.fulfilment_id) from taken


async def move_in(database: Database, connection: AsyncConnection, command: MoveWork, writing: Writing) -> OrderChanged:
    """Move the work, in this transaction; the answer's data name the new fulfilments with their nodes.

    Raises NotFound, UnknownNode, Conflict for a request that stands for another one, OnHold while sourcing is blocked,
    StepNotPossible for work that is begun or ended and for a node that cannot do all of it, and OutOfReach: the
    transaction must then end, and may be tried again.
    """
    state, work = await locked_with(connection, command.fulfilment_id)
    repeated = await answered_before(connection, state, command)
    if repeated is not None:
        return repeated
    transitions.decide(state, command)  # what is refused is refused before anything is planned
    order = await orders.document(connection, state.order_id)
    run = await _run(database, connection, order, work, command)
    planned = await sourcing.plan_order(connection, database, order, listed_units(work), run)
    _must_take_all(planned, work, command)
    return await _carry_out(connection, state, command, planned, run, writing)


async def _run(
    database: Database, connection: AsyncConnection, order: Order, work: FulfilmentState, command: MoveWork
) -> SourcingRun:
    nodes = await reference.node_ids(connection)
    if command.node_id is not None and command.node_id not in nodes:
        raise UnknownNode(f"there is no node {command.node_id}", field="node_id")
    others = nodes - {command.node_id}
    return SourcingRun(
        attempt=0,
        first_fulfilment=await fulfilments.next_number(connection, order.order_id),
        cause=SourcingCause.MOVED,
        as_of=database.as_of(order, command.at),
        excluded_nodes=others if command.node_id else await _left_out(connection, work, command),
        not_found=await backorders.not_found(connection, order.order_id),
    )


async def _left_out(connection: AsyncConnection, work: FulfilmentState, command: MoveWork) -> frozenset[str]:
    """Where work that may go anywhere does not go: where it is, and to nodes that failed the order, unless the policy
    asks them again at once.
    """
    order_id = ids.order_of(command.fulfilment_id)
    _, said = await said_of_failed_nodes(connection, order_id)
    failed = (await resuming.sourcings(connection, order_id)).failed_nodes
    return frozenset({work.node_id}) | (frozenset() if said is FailedNodes.AT_ONCE else failed)


def _must_take_all(planned: Planned, work: FulfilmentState, command: MoveWork) -> None:
    decision = planned.decision
    if decision.shipments and not decision.unfilled:
        return
    data: dict[str, Any] = {"node_id": command.node_id, "reasons": list(decision.reasons)}
    if command.node_id is None:
        raise StepNotPossible(f"no other node can do all of {work.id}: {' '.join(decision.reasons)}", data=data)
    found = next((each for each in decision.candidates if each.node_id == command.node_id), None)
    why, fence = _why(found, work, command.node_id, decision)
    raise StepNotPossible(f"{work.id} cannot be moved: {why}", field="node_id", data={**data, "fence": fence})


def _why(
    found: Candidate | None, work: FulfilmentState, node_id: str, decision: SourcingDecision
) -> tuple[str, str | None]:
    """Why a node cannot do the work, and the fence that says so; None where it lacks some of the goods."""
    if found is None:
        return f"{node_id} holds nothing of it", "stock"
    failed = next((result for result in found.fences if not result.passed), None)
    if failed is not None:
        return f"{node_id} {FAILED[failed.fence](failed)}", failed.fence
    asked = sum(work.lines.values())
    if found.units < asked:
        return f"{node_id} holds {found.units} of its {asked} units", None
    return " ".join(decision.reasons), None


async def _carry_out(
    connection: AsyncConnection,
    state: OrderState,
    command: MoveWork,
    planned: Planned,
    run: SourcingRun,
    writing: Writing,
) -> OrderChanged:
    decision, order_id = planned.decision, state.order_id
    work = state.fulfilments[command.fulfilment_id]
    to = {
        ids.fulfilment_id(order_id, number): shipment.node_id
        for number, shipment in enumerate(decision.shipments, run.first_fulfilment)
    }
    change = transitions.decide(state, command.model_copy(update={"planned": to}))
    await queue.lock_balances(connection, [], also=_balances(state, work, decision))
    after = await write(connection, state, change, writing)
    await sourcing.place(connection, after, planned, run, moved_key(work.id))
    data: Mapping[str, Any] = change.event.data.model_dump(mode="json", exclude_none=True)
    return OrderChanged(await order_state.read(connection, order_id), data)


def _balances(state: OrderState, work: FulfilmentState, decision: SourcingDecision) -> list[tuple[str, str]]:
    """The rows of stock that change, so that they are locked in the one sequence."""
    old = {(work.node_id, state.lines[line_id].sku) for line_id in listed_units(work)}
    new = {(shipment.node_id, line.sku) for shipment in decision.shipments for line in shipment.lines}
    return sorted(old | new)
