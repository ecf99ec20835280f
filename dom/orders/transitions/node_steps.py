"""What a node's step changes."""

from dataclasses import replace
from typing import Final

from dom.orders.changes import WAITING, MovedUnits, OrderChange
from dom.orders.commands import TakeNodeStep
from dom.orders.holds import BlockedStep, must_not_block
from dom.orders.lifecycle import FulfilmentState, OrderState, after_step
from dom.orders.status import UNBEGUN, FulfilmentStatus, FulfilmentStep
from dom.orders.transitions.shared import advance, fulfilment_of, not_found, rejected, with_missing
from dom.shared.errors import InvalidInput, StepNotPossible

_S = FulfilmentStatus
_NOTHING_FOUND: Final = "nothing was found"


_LEAVES: Final = frozenset({FulfilmentStep.HAND_OVER, FulfilmentStep.COLLECT})


def node_step(state: OrderState, command: TakeNodeStep) -> OrderChange:
    """A node says how far its work is, or it is said in its name."""
    fulfilment = fulfilment_of(state, command.fulfilment_id)
    _must_not_be_held(state, fulfilment, command)
    if command.if_unbegun and fulfilment.status is not _S.RELEASED:
        raise StepNotPossible(f"{fulfilment.id} is {fulfilment.status}; its node has begun")
    target = after_step(fulfilment.status, command.step, pickup=fulfilment.pickup)
    missing = _missing(state, fulfilment, command)
    if missing and sum(missing.values()) == sum(fulfilment.lines.values()):
        return rejected(fulfilment, command.actor, _NOTHING_FOUND, command.at, missing)
    if target is _S.REJECTED:
        return rejected(fulfilment, command.actor, command.reason, command.at, {})
    change = advance(fulfilment, target, command.actor, command.reason, command.at)
    if not missing:
        return change
    return replace(
        change,
        event=with_missing(change.event, missing),
        moved=tuple(MovedUnits(line_id, units, fulfilment.id, WAITING) for line_id, units in missing.items()),
        stock=(not_found(fulfilment, missing), *change.stock),
    )


def _must_not_be_held(state: OrderState, fulfilment: FulfilmentState, command: TakeNodeStep) -> None:
    """Work that no node has begun is not released to it, and goods do not leave. What is said in the node's name, for
    it cannot do the work, is no step of the node.
    """
    if fulfilment.status in UNBEGUN and not command.if_unbegun:
        must_not_block(state.holds.values(), BlockedStep.RELEASE, f"the work on {fulfilment.id}")
    if command.step in _LEAVES:
        must_not_block(state.holds.values(), BlockedStep.HAND_OVER, f"the hand-over of {fulfilment.id}")


def _missing(state: OrderState, fulfilment: FulfilmentState, command: TakeNodeStep) -> dict[str, int]:
    """Units a pick did not find; a line the node does not name was not found at all."""
    if command.step is not FulfilmentStep.PICK or command.found is None:
        return {}
    for position, (line_id, units) in enumerate(command.found.items()):
        if line_id not in fulfilment.lines:
            raise InvalidInput(f"there is no line {line_id} to pick", field=f"lines[{position}].line_id")
        if units > state.lines[line_id].quantity:
            raise InvalidInput("more than was to be picked", field=f"lines[{position}].quantity")
        if units > fulfilment.lines[line_id]:  # as it is when some were cancelled meanwhile
            raise StepNotPossible(f"{fulfilment.lines[line_id]} of line {line_id} are to be picked, not {units}")
    short = {line_id: units - command.found.get(line_id, 0) for line_id, units in fulfilment.lines.items()}
    return {line_id: units for line_id, units in short.items() if units > 0}
