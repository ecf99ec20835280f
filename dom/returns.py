"""Returns: what may come back, what each command changes, and what is refunded.

A return is a state machine. `decide` says what a command changes, or raises why it is refused; `apply` makes the
change to the state. Both are pure. Every unit of a line that was delivered is returnable, outstanding or received, and
never two of them.

A parcel that its carrier brings back undelivered is a return too. Its units count as cancelled, nobody asked for
it, and what its inspection finds is refunded unless the units were sent once more, or the parcel was lost before: the
units of a lost one are sourced again.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal

from pydantic import Field
from pydantic_core import to_json

from dom.orders.status import FINAL_RETURN, Disposition, ReturnStatus, ReturnStep
from dom.shared.base import Value
from dom.shared.errors import DomError, InvalidInput, NothingToReturn, StepNotPossible

OTHER_REQUEST: Final = "the Idempotency-Key stands for another request"
UNEXPECTED: Final = "unexpected"
"""Where the data of a refused receipt name the units by line that the return had let go: goods that lie at the node."""
EXPIRES_AFTER: Final = timedelta(days=30)
"""How long goods are waited for, from the request or the last receipt, unless a setting says otherwise."""


def content_hash(lines: Sequence[tuple[str, int]], reason: str, node_id: str | None) -> str:
    """Tells whether two requests for a return of an order ask for the same; lines are (line, units)."""
    return hashlib.sha256(to_json({"lines": lines, "reason": reason, "node_id": node_id})).hexdigest()


# --- state ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ReturnedUnits:
    """Units of an order line, as one return sees them.

    `returnable` were delivered and are in no return. Of the `announced` units some were `received`, some of those
    `inspected`; `released` are those that never came and may be returned otherwise. `unit_price` is in minor units.
    """

    sku: str
    unit_price: int
    returnable: int = 0
    announced: int = 0
    received: int = 0
    inspected: int = 0
    released: int = 0

    @property
    def outstanding(self) -> int:
        """Units that are still to come."""
        return self.announced - self.received - self.released

    @property
    def uninspected(self) -> int:
        """Units that came and wait for their inspection."""
        return self.received - self.inspected


@dataclass(frozen=True, slots=True)
class ReturnState:
    """A return with every line of its order; `status` is None before it is requested.

    `number` counts the commands that changed it. At `expires_at` what is outstanding is let go; None once nothing is
    waited for. `released_by` is the step that let units go. `parcel` is the fulfilment whose parcel the carrier brings
    back, None for what a customer sends; `made_good`: its units were sent once more, or sourced again when it was lost.
    """

    return_id: str
    lines: Mapping[str, ReturnedUnits]
    status: ReturnStatus | None = None
    number: int = 0
    expires_at: datetime | None = None
    released_by: ReturnStep | None = None
    parcel: str | None = None
    made_good: bool = False

    @property
    def ended(self) -> bool:
        """Whether nothing follows."""
        return self.status in FINAL_RETURN

    @property
    def outstanding(self) -> dict[str, int]:
        """Units by line that are still to come."""
        return {i: line.outstanding for i, line in self.lines.items() if line.outstanding}

    @property
    def uninspected(self) -> dict[str, int]:
        """Units by line that wait for their inspection."""
        return {i: line.uninspected for i, line in self.lines.items() if line.uninspected}

    @property
    def received(self) -> dict[str, int]:
        """Units by line that came."""
        return {i: line.received for i, line in self.lines.items() if line.received}

    def by_sku(self, units: Mapping[str, int]) -> dict[str, int]:
        """Units by line as units by SKU."""
        summed: Counter[str] = Counter()
        for line_id, quantity in units.items():
            summed[self.lines[line_id].sku] += quantity
        return dict(summed)


# --- commands ---------------------------------------------------------------------------------------------------------


class Announce(Value):
    """Permission to send units back is asked for; `lines` are (line, units)."""

    do: Literal["announce"] = "announce"
    lines: tuple[tuple[str, int], ...]


class Expect(Value):
    """A carrier brings a parcel back; `lines` are its (line, units)."""

    do: Literal["expect"] = "expect"
    lines: tuple[tuple[str, int], ...]


class Receive(Value):
    """Units arrived, by line; None: all that are outstanding."""

    do: Literal["receive"] = "receive"
    lines: tuple[tuple[str, int], ...] | None = None


class Inspect(Value):
    """What becomes of units that arrived, as (line, disposition, units)."""

    do: Literal["inspect"] = "inspect"
    found: tuple[tuple[str, Disposition, int], ...]


class CancelReturn(Value):
    """The customer keeps what has not arrived yet."""

    do: Literal["cancel"] = "cancel"


class CloseReturn(Value):
    """Something arrived, and nothing more is expected."""

    do: Literal["close"] = "close"


class ExpireReturn(Value):
    """Time has passed; nothing happens before `expires_at`."""

    do: Literal["expire"] = "expire"


ReturnCommand = Announce | Expect | Receive | Inspect | CancelReturn | CloseReturn | ExpireReturn
Step = Annotated[Receive | Inspect | CancelReturn | CloseReturn | ExpireReturn, Field(discriminator="do")]
"""A command to a return that was requested."""


# --- changes ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ReturnChange:
    """What a command changes: units by line, and where the return stands after it. `refund` is in minor units.

    `neglected`: the time is over, and units that arrived were not inspected; a person has to look.
    """

    step: ReturnStep
    number: int
    status: ReturnStatus = ReturnStatus.REQUESTED
    expires_at: datetime | None = None
    announced: Mapping[str, int] = field(default_factory=dict)
    received: Mapping[str, int] = field(default_factory=dict)
    released: Mapping[str, int] = field(default_factory=dict)
    found: tuple[tuple[str, Disposition, int], ...] = ()
    refund: int = 0
    neglected: bool = False

    @property
    def units(self) -> dict[str, int]:
        """The units by line it is about."""
        if self.step in {ReturnStep.REFUNDED, ReturnStep.PUT_AWAY}:
            return _by_line(self.found)
        return dict(self.announced or self.received or self.released)


def message_key(return_id: str, change: ReturnChange) -> str:
    """The key of the messages of a return's step, and of its event in the timeline."""
    if change.step is ReturnStep.REQUESTED:
        return requested(return_id)
    return f"{return_id}:{change.number}:{change.step}"


def requested(return_id: str) -> str:
    """The key of the messages of the request."""
    return f"{return_id}:{ReturnStep.REQUESTED}"


def decide(
    state: ReturnState, command: ReturnCommand, *, now: datetime, lasts: timedelta = EXPIRES_AFTER
) -> ReturnChange | None:
    """What a command changes; None if what it asks for holds already. `lasts`: how long goods are waited for.

    Raises NothingToReturn, InvalidInput and StepNotPossible; `field` names what is at fault.
    """
    change: ReturnChange | None
    match command:
        case Announce():
            change = _announce(state, command)
        case Expect():
            change = ReturnChange(ReturnStep.REQUESTED, state.number + 1, announced=dict(command.lines))
        case Receive():
            change = _receive(state, command)
        case Inspect():
            change = _inspect(state, command)
        case CancelReturn():
            change = _let_go(state, ReturnStep.CANCELLED)
        case CloseReturn():
            change = _let_go(state, ReturnStep.CLOSED)
        case ExpireReturn():
            change = _expire(state, now)
    return None if change is None else _completed(state, change, now + lasts)


def apply(state: ReturnState, change: ReturnChange) -> ReturnState:
    """The return after a change that was decided on this state."""
    found = _by_line(change.found)

    def after(line_id: str, line: ReturnedUnits) -> ReturnedUnits:
        announced, released = change.announced.get(line_id, 0), change.released.get(line_id, 0)
        return replace(
            line,
            returnable=line.returnable if state.parcel else line.returnable - announced + released,
            announced=line.announced + announced,
            received=line.received + change.received.get(line_id, 0),
            inspected=line.inspected + found.get(line_id, 0),
            released=line.released + released,
        )

    return replace(
        state,
        lines={line_id: after(line_id, line) for line_id, line in state.lines.items()},
        status=change.status,
        number=change.number,
        expires_at=change.expires_at,
        released_by=change.step if change.released else state.released_by,
    )


def _completed(state: ReturnState, change: ReturnChange, expires_at: datetime) -> ReturnChange:
    """The change with the status it leads to, and until when is waited after it."""
    after = apply(state, change)
    status = _status(after)
    if status in FINAL_RETURN or change.step in {ReturnStep.EXPIRED, ReturnStep.OVERDUE}:
        return replace(change, status=status, expires_at=None)
    waits_anew = change.step in {ReturnStep.REQUESTED, ReturnStep.RECEIVED}
    return replace(change, status=status, expires_at=expires_at if waits_anew else state.expires_at)


def _status(state: ReturnState) -> ReturnStatus:
    if state.uninspected:
        return ReturnStatus.RECEIVED
    if state.outstanding:
        part = ReturnStatus.PART_PUT_AWAY if state.made_good else ReturnStatus.PART_REFUNDED
        return part if state.received else ReturnStatus.REQUESTED
    if state.received:
        return ReturnStatus.PUT_AWAY if state.made_good else ReturnStatus.REFUNDED
    return ReturnStatus.EXPIRED if state.released_by is ReturnStep.EXPIRED else ReturnStatus.CANCELLED


def _announce(state: ReturnState, command: Announce) -> ReturnChange:
    asked = [line_id for line_id, _ in command.lines]
    for position, (line_id, quantity) in enumerate(command.lines):
        if line_id not in state.lines:
            raise InvalidInput(f"the order has no line {line_id}", field=f"lines[{position}].line_id")
        if asked.index(line_id) < position:
            raise InvalidInput(f"line {line_id} stands twice", field=f"lines[{position}].line_id")
        free = max(state.lines[line_id].returnable, 0)
        if quantity > free:
            raise NothingToReturn(
                f"line {line_id}: {quantity} asked, {free} delivered and not returned yet",
                field=f"lines[{position}].quantity",
                data={"returnable": free},
            )
    return ReturnChange(ReturnStep.REQUESTED, state.number + 1, announced=dict(command.lines))


def _receive(state: ReturnState, command: Receive) -> ReturnChange | None:
    if command.lines is None:
        if state.released_by and not state.outstanding:
            raise _too_late(state, {i: line.released for i, line in state.lines.items() if line.released})
        if state.ended:
            raise _past(state, "has ended")
        units = state.outstanding
        return ReturnChange(ReturnStep.RECEIVED, state.number + 1, received=units) if units else None
    asked = [line_id for line_id, _ in command.lines]
    for position, (line_id, quantity) in enumerate(command.lines):
        line = state.lines.get(line_id, _NO_UNITS)
        if asked.index(line_id) < position:
            raise InvalidInput(f"line {line_id} stands twice", field=f"lines[{position}].line_id")
        if quantity > line.announced - line.received:
            if state.ended:
                raise _past(state, "has ended")
            words = f"{quantity} received, {line.announced} announced, {line.received} received before"
            raise InvalidInput(f"line {line_id}: {words}", field=f"lines[{position}].quantity")
    units = dict(command.lines)
    if any(quantity > state.lines[line_id].outstanding for line_id, quantity in units.items()):
        raise _too_late(state, units)
    return ReturnChange(ReturnStep.RECEIVED, state.number + 1, received=units)


_NO_UNITS: Final = ReturnedUnits(sku="", unit_price=0)


def _inspect(state: ReturnState, command: Inspect) -> ReturnChange:
    if not state.uninspected:
        raise _past(state, "has nothing that waits for its inspection")
    counted, waiting = _by_line(command.found), state.uninspected
    wrong = {i: units for i, units in counted.items() if units > waiting.get(i, 0)}
    if wrong:
        parts = "; ".join(
            f"line {i}: {units} inspected, {waiting.get(i, 0)} wait" for i, units in sorted(wrong.items())
        )
        raise InvalidInput(f"only received units can be inspected, each once ({parts})", field="lines")
    prices = {i: line.unit_price for i, line in state.lines.items()}
    if state.made_good:
        return ReturnChange(ReturnStep.PUT_AWAY, state.number + 1, found=command.found)
    refund = refund_amount(counted, prices)
    return ReturnChange(ReturnStep.REFUNDED, state.number + 1, found=command.found, refund=refund)


def _let_go(state: ReturnState, step: ReturnStep) -> ReturnChange | None:
    """Nothing more is to come; what has come goes its way."""
    if state.released_by is step and not state.outstanding:
        return None
    if state.ended:
        raise _past(state, "has ended")
    if step is ReturnStep.CANCELLED and state.parcel:
        raise _past(state, "is a parcel that its carrier brings back; nobody keeps it")
    if step is ReturnStep.CLOSED and not state.received:
        possible = "it expires by itself" if state.parcel else "it can be cancelled"
        raise _past(state, f"cannot be closed before anything came; {possible}")
    if not state.outstanding:
        if step is ReturnStep.CLOSED:
            return None
        raise _past(state, "has nothing that is still to come")
    return ReturnChange(step, state.number + 1, released=state.outstanding)


def _expire(state: ReturnState, now: datetime) -> ReturnChange | None:
    if state.expires_at is None or now < state.expires_at:
        return None
    step = ReturnStep.EXPIRED if state.outstanding else ReturnStep.OVERDUE
    return ReturnChange(step, state.number + 1, released=state.outstanding, neglected=bool(state.uninspected))


def _past(state: ReturnState, words: str) -> DomError:
    return StepNotPossible(f"return {state.return_id} is {state.status} and {words}", data={"status": state.status})


def _too_late(state: ReturnState, units: Mapping[str, int]) -> DomError:
    """Goods came that the return had let go: they may be in another return by now, so that a person decides."""
    words = f"return {state.return_id} does not expect these units any more: it is {state.released_by}"
    return StepNotPossible(words, data={"status": state.status, UNEXPECTED: dict(units)})


def refund_amount(units: Mapping[str, int], unit_prices: Mapping[str, int]) -> int:
    """What is paid back for units, in minor units: the price that was paid, whatever becomes of them."""
    return sum(quantity * unit_prices[line_id] for line_id, quantity in units.items())


def _by_line(found: Sequence[tuple[str, Disposition, int]]) -> dict[str, int]:
    counted: Counter[str] = Counter()
    for line_id, _, quantity in found:
        counted[line_id] += quantity
    return dict(counted)
