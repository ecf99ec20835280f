"""What a node's step changes."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from dom.orders.changes import WAITING, MovedUnits, OrderChange
from dom.orders.commands import TakeNodeStep
from dom.orders.events import EventKind, FulfilmentData
from dom.orders.holds import BlockedStep, must_not_block
from dom.orders.lifecycle import FulfilmentState, OrderState, after_step, is_repeat
from dom.orders.status import UNBEGUN, FulfilmentStatus, FulfilmentStep
from dom.orders.transitions.shared import advance, fulfilment_of, listed_units, not_found, rejected, with_found
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
    _must_name_every_line(state, fulfilment, command)
    _must_not_correct(fulfilment, command)
    target = after_step(fulfilment.status, command.step, pickup=fulfilment.pickup)
    missing = _missing(fulfilment, command)
    if missing and sum(missing.values()) == sum(fulfilment.lines.values()):
        return rejected(fulfilment, command.actor, _NOTHING_FOUND, command.at, missing)
    if target is _S.REJECTED:
        return rejected(fulfilment, command.actor, command.reason, command.at, {})
    change = advance(fulfilment, target, command.actor, command.reason, command.at)
    if command.step is not FulfilmentStep.PICK:
        return change
    found = listed_units(fulfilment) if command.found is None else _some(command.found)
    change = replace(change, event=with_found(change.event, found, missing))
    if not missing:
        return change
    return replace(
        change,
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


def says_the_same(fulfilment: FulfilmentState, command: TakeNodeStep) -> bool:
    """Whether a pick found what was written down of the pick before it; true of every other step. Where packing implied
    the pick, all units count as found.
    """
    if command.step is not FulfilmentStep.PICK:
        return True
    if command.found is None:
        return not fulfilment.missing
    return command.found.keys() <= fulfilment.lines.keys() and _some(command.found) == _picked(fulfilment)


def with_picked(fulfilment: FulfilmentState, change: OrderChange) -> FulfilmentState:
    """The fulfilment with what the change says of its pick."""
    data = change.event.data
    if change.event.kind is not EventKind.FULFILMENT_PICKED or not isinstance(data, FulfilmentData):
        return fulfilment
    if data.fulfilment_id != fulfilment.id:
        return fulfilment
    return replace(fulfilment, found=data.found, missing=data.missing or {})


def _picked(fulfilment: FulfilmentState) -> dict[str, int]:
    return listed_units(fulfilment) if fulfilment.found is None else dict(fulfilment.found)


def _some(units: Mapping[str, int]) -> dict[str, int]:
    return {line_id: n for line_id, n in units.items() if n}


def _must_not_correct(fulfilment: FulfilmentState, command: TakeNodeStep) -> None:
    if command.step is FulfilmentStep.PICK and is_repeat(fulfilment.status, command.step):
        picked = _picked(fulfilment)
        units = ", ".join(f"{n} of line {line_id}" for line_id, n in sorted(picked.items()))
        raise StepNotPossible(
            f"{fulfilment.id} is {fulfilment.status}, and was picked: {units}", data={"picked": picked}
        )


def _must_name_every_line(state: OrderState, fulfilment: FulfilmentState, command: TakeNodeStep) -> None:
    """What a pick does not name it may not have looked for: none found is said with a 0."""
    if command.step is not FulfilmentStep.PICK or command.found is None or not fulfilment.living:
        return
    for position, (line_id, units) in enumerate(command.found.items()):
        if line_id not in fulfilment.lines:
            raise InvalidInput(f"there is no line {line_id} to pick", field=f"lines[{position}].line_id")
        if units > state.lines[line_id].quantity:
            raise InvalidInput("more than was to be picked", field=f"lines[{position}].quantity")
    unnamed = sorted(listed_units(fulfilment).keys() - command.found.keys())
    if unnamed:
        raise InvalidInput(
            f"say what was found of every line, 0 where nothing was; not named: {', '.join(unnamed)}",
            field="lines",
            data={"missing_lines": unnamed},
        )


def _missing(fulfilment: FulfilmentState, command: TakeNodeStep) -> dict[str, int]:
    """Units a pick did not find."""
    if command.step is not FulfilmentStep.PICK or command.found is None:
        return {}
    for line_id, units in command.found.items():
        if units > fulfilment.lines[line_id]:  # as it is when some were cancelled meanwhile
            raise StepNotPossible(f"{fulfilment.lines[line_id]} of line {line_id} are to be picked, not {units}")
    return _some({line_id: units - command.found.get(line_id, 0) for line_id, units in fulfilment.lines.items()})
