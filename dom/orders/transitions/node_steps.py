"""What a node's step changes."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from dom.orders.changes import WAITING, MovedUnits, OrderChange
from dom.orders.commands import TakeNodeStep
from dom.orders.events import EventKind, FulfilmentData
from dom.orders.holds import BlockedStep, must_not_block
from dom.orders.lifecycle import FulfilmentState, OrderState, after_step, is_repeat
from dom.orders.status import OF_THE_GOODS, UNBEGUN, FulfilmentStatus, FulfilmentStep
from dom.orders.transitions.collecting import must_be_the_customer, of_pickup
from dom.orders.transitions.shared import advance, cannot_be_sold, fulfilment_of, listed_units, rejected, with_found
from dom.shared.errors import InvalidInput, StepNotPossible

_S = FulfilmentStatus
_NOTHING_FOUND: Final = "nothing was found"


_LEAVES: Final = frozenset({FulfilmentStep.HAND_OVER, FulfilmentStep.COLLECT})


def node_step(state: OrderState, command: TakeNodeStep) -> OrderChange:
    """A node says how far its work is, or it is said in its name."""
    fulfilment = fulfilment_of(state, command.fulfilment_id)
    _must_not_be_held(state, fulfilment, command)
    _must_give_a_reason_for_something(command)
    if command.if_unbegun and fulfilment.status is not _S.RELEASED:
        raise StepNotPossible(f"{fulfilment.id} is {fulfilment.status}; its node has begun")
    _must_name_every_line(state, fulfilment, command)
    _must_not_correct(fulfilment, command)
    target = after_step(fulfilment.status, command.step, pickup=fulfilment.pickup)
    missing = _missing(fulfilment, command)
    must_be_the_customer(fulfilment, command)
    if missing and sum(missing.values()) == sum(fulfilment.lines.values()):
        reason = command.reason if target is _S.REJECTED else _NOTHING_FOUND
        return rejected(fulfilment, command.actor, reason, command.at, missing, command.why)
    if target is _S.REJECTED:
        return rejected(fulfilment, command.actor, command.reason, command.at, missing, command.why)
    change = advance(fulfilment, target, command.actor, command.reason, command.at)
    if command.step is not FulfilmentStep.PICK:
        return of_pickup(change, fulfilment, command)
    found = listed_units(fulfilment) if command.found is None else _some(command.found)
    if not missing:
        if command.why is not None:
            raise InvalidInput("all units were found: there is nothing to give a reason for", field="reason_code")
        return replace(change, event=with_found(change.event, found, missing, None))
    change = replace(change, event=with_found(change.event, found, missing, command.why))
    return replace(
        change,
        moved=tuple(MovedUnits(line_id, units, fulfilment.id, WAITING) for line_id, units in missing.items()),
        stock=(cannot_be_sold(fulfilment, missing, command.why), *change.stock),
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
    is_known = is_repeat(fulfilment.status, command.step, brought=fulfilment.brought)
    if command.step is FulfilmentStep.PICK and is_known:
        picked = _picked(fulfilment)
        units = ", ".join(f"{n} of line {line_id}" for line_id, n in sorted(picked.items()))
        raise StepNotPossible(
            f"{fulfilment.id} is {fulfilment.status}, and was picked: {units}", data={"picked": picked}
        )


def _must_give_a_reason_for_something(command: TakeNodeStep) -> None:
    """A rejection has any reason, units that a pick leaves out one that is of the goods, and other steps none."""
    if command.why is None or command.step is FulfilmentStep.REJECT:
        return
    if command.step is not FulfilmentStep.PICK:
        raise InvalidInput(f"a node does not {command.step} for a reason", field="reason_code")
    if command.why not in OF_THE_GOODS:
        raise InvalidInput(
            f"units that were not picked are {_either()}; what the node cannot do it rejects", field="reason_code"
        )


def _either() -> str:
    return " or ".join(sorted(OF_THE_GOODS))


def _is_about_units(command: TakeNodeStep) -> bool:
    """Whether `found` says something of the work's units: of a pick, and of a rejection for what is wrong with them."""
    if command.step is FulfilmentStep.REJECT:
        return command.why in OF_THE_GOODS
    return command.step is FulfilmentStep.PICK


def _must_name_every_line(state: OrderState, fulfilment: FulfilmentState, command: TakeNodeStep) -> None:
    """What a pick does not name it may not have looked for: none found is said with a 0."""
    if not _is_about_units(command) or command.found is None or not fulfilment.living:
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
    """Units that a pick did not find, or for which the work is rejected."""
    if not _is_about_units(command):
        return {}
    if command.found is None:
        return listed_units(fulfilment) if command.step is FulfilmentStep.REJECT else {}
    for line_id, units in command.found.items():
        if units > fulfilment.lines[line_id]:  # as it is when some were cancelled meanwhile
            raise StepNotPossible(f"{fulfilment.lines[line_id]} of line {line_id} are to be picked, not {units}")
    missing = _some({line_id: units - command.found.get(line_id, 0) for line_id, units in fulfilment.lines.items()})
    if not missing and command.step is FulfilmentStep.REJECT:
        raise InvalidInput("no unit is missing or damaged: give another reason", field="reason_code")
    return missing
