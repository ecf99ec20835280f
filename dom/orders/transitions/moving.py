"""What moving work, or sourcing it again, changes: it is taken back from its node, and its units are planned anew."""

from dom.orders.changes import OrderChange, OrderEvent
from dom.orders.commands import MoveWork, SourceWorkAgain
from dom.orders.event_data import MovedData, SourcedAgainData
from dom.orders.events import EventKind
from dom.orders.holds import BlockedStep, must_not_block
from dom.orders.lifecycle import FulfilmentState, OrderState
from dom.orders.status import UNBEGUN
from dom.orders.transitions.shared import fulfilment_of, recalled
from dom.shared.errors import StepNotPossible


def moved_key(fulfilment_id: str) -> str:
    """The key of the event, and of the decision, by which a fulfilment was moved."""
    return f"{fulfilment_id}:moved"


def move_work(state: OrderState, command: MoveWork) -> OrderChange:
    """Its units wait after it; who writes it gives them to what was planned, in the same transaction."""
    work = fulfilment_of(state, command.fulfilment_id)
    _must_be_possible(state, work)
    if command.node_id == work.node_id:
        about = {"status": work.status, "node_id": work.node_id}
        raise StepNotPossible(f"{work.id} is at {work.node_id} already", field="node_id", data=about)
    reason = command.reason or "moved to another node"
    data = MovedData(fulfilment_id=work.id, node_id=work.node_id, to=command.node_id, fulfilments=command.planned or {})
    event = OrderEvent(EventKind.MOVED, moved_key(work.id), command.actor, command.at, reason, data)
    return recalled(OrderChange(event=event), [work], reason)


def source_work_again(state: OrderState, command: SourceWorkAgain) -> OrderChange:
    """Its units wait after it; who writes it has them sourced, in the same transaction."""
    work = fulfilment_of(state, command.fulfilment_id)
    _must_be_possible(state, work)
    reason = command.reason or "sourced again"
    told = {"fulfilment_id": work.id, "node_id": work.node_id, "without_node": command.without_node}
    data = SourcedAgainData(**told, attempt=command.attempt or 0)
    event = OrderEvent(EventKind.SOURCED_AGAIN, f"{work.id}:sourced_again", command.actor, command.at, reason, data)
    return recalled(OrderChange(event=event), [work], reason)


def _must_be_possible(state: OrderState, work: FulfilmentState) -> None:
    about = {"status": work.status, "node_id": work.node_id}
    if work.status not in UNBEGUN:
        raise StepNotPossible(f"{work.id} is {work.status}; what no node has begun can be taken from it", data=about)
    if work.pickup:
        raise StepNotPossible(f"{work.id} is collected at {work.node_id}: change the pick-up node", data=about)
    must_not_block(state.holds.values(), BlockedStep.SOURCING, f"sourcing {work.id} again")
