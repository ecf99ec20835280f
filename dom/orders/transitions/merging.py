"""What merging work changes: both are taken back, and their units go into one fulfilment of the same node."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from dom.orders.changes import OrderChange, OrderEvent
from dom.orders.commands import MergeWork
from dom.orders.event_data import MergedData
from dom.orders.events import EventKind
from dom.orders.lifecycle import FulfilmentState, OrderState
from dom.orders.status import UNBEGUN
from dom.orders.transitions.shared import fulfilment_of, listed_units, recalled
from dom.shared.errors import InvalidInput, StepNotPossible


def merge_work(state: OrderState, command: MergeWork) -> OrderChange:
    """The units of both wait after it; who writes it gives them to the new fulfilment, in the same transaction."""
    work = fulfilment_of(state, command.fulfilment_id)
    _must_be_unbegun(work)
    other = fulfilment_of(state, command.merged)
    if other.id == work.id:
        raise InvalidInput(f"{work.id} cannot be merged with itself", field="merged")
    _must_be_unbegun(other)
    if other.node_id != work.node_id:
        about = {"node_id": work.node_id, "other_node_id": other.node_id}
        raise StepNotPossible(
            f"{other.id} is at {other.node_id}, {work.id} at {work.node_id}", field="merged", data=about
        )
    reason = command.reason or "merged"
    lines = together(work, other)
    data = MergedData(
        fulfilment_id=work.id, node_id=work.node_id, merged=other.id, lines=lines, made=command.made or ""
    )
    event = OrderEvent(EventKind.MERGED, f"{work.id}:merged", command.actor, command.at, reason, data)
    return recalled(OrderChange(event=event), [work, other], reason)


@dataclass(frozen=True, slots=True)
class ShippingTerms:
    """How a fulfilment's goods go: by which service and carrier, when they leave, and by when they are promised."""

    fulfilment_id: str
    method: str
    carrier: str | None
    ship_by: datetime
    promised: datetime


def must_go_together(first: ShippingTerms, other: ShippingTerms) -> None:
    """Raises StepNotPossible for work that goes otherwise than the first, or whose goods would come later with it."""
    for differs, words in (
        (first.method != other.method, "by another service"),
        (first.carrier != other.carrier, "by another carrier"),
    ):
        if differs:
            raise StepNotPossible(f"{other.fulfilment_id} goes {words} than {first.fulfilment_id}", field="merged")
    for later, words in ((first.ship_by > other.ship_by, "leaves"), (first.promised > other.promised, "is promised")):
        if later:
            detail = f"{first.fulfilment_id} {words} later than {other.fulfilment_id}: name {other.fulfilment_id} first"
            raise StepNotPossible(detail, field="merged")


def together(work: FulfilmentState, other: FulfilmentState) -> dict[str, int]:
    """Units of both, by line."""
    return dict(Counter(listed_units(work)) + Counter(listed_units(other)))


def _must_be_unbegun(work: FulfilmentState) -> None:
    if work.status not in UNBEGUN:
        about = {"status": work.status, "node_id": work.node_id}
        raise StepNotPossible(f"{work.id} is {work.status}; what no node has begun can be merged", data=about)
