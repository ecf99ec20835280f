"""What splitting work changes: some of its units leave it, for a fulfilment of their own at the same node."""

from dom.orders.changes import WAITING, MovedUnits, OrderChange, OrderEvent, ReleaseStock
from dom.orders.commands import SplitWork
from dom.orders.event_data import SplitData
from dom.orders.events import EventKind
from dom.orders.lifecycle import FulfilmentState, OrderState
from dom.orders.status import UNBEGUN
from dom.orders.transitions.shared import fulfilment_of
from dom.shared.errors import InvalidInput, StepNotPossible


def split_work(state: OrderState, command: SplitWork) -> OrderChange:
    """The units wait after it; who writes it gives them to the new fulfilment, in the same transaction."""
    work = fulfilment_of(state, command.fulfilment_id)
    if work.status not in UNBEGUN:
        about = {"status": work.status, "node_id": work.node_id}
        raise StepNotPossible(f"{work.id} is {work.status}; what no node has begun can be split", data=about)
    _check_lines(work, command)
    made = command.made or ""
    data = SplitData(fulfilment_id=work.id, node_id=work.node_id, lines=command.lines, made=made)
    key = f"{work.id}:split:{made}"
    event = OrderEvent(EventKind.SPLIT, key, command.actor, command.at, command.reason, data)
    return OrderChange(
        event=event,
        moved=tuple(MovedUnits(line_id, units, work.id, WAITING) for line_id, units in command.lines.items()),
        stock=(ReleaseStock(work.id, dict(command.lines), key, command.reason or "split"),),
    )


def _check_lines(work: FulfilmentState, command: SplitWork) -> None:
    """Raises InvalidInput for a line that the work does not have, StepNotPossible for more than it has, and for all."""
    for position, (line_id, units) in enumerate(command.lines.items()):
        there = work.lines.get(line_id, 0)
        if not there:
            raise InvalidInput(f"{work.id} has nothing of line {line_id}", field=f"lines[{position}].line_id")
        if units > there:
            raise StepNotPossible(f"{work.id} has {there} of line {line_id}", field=f"lines[{position}].quantity")
    if sum(command.lines.values()) >= sum(work.lines.values()):
        raise StepNotPossible(f"nothing would be left of {work.id}", field="lines")
