"""What a person does with an exception: take it, put it off, resolve it. Each command is bound to the version seen.

A command that says what stands already changes nothing. Any other is refused if the exception has changed since it was
seen, so that nobody undoes what he does not know of.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from dom.exceptions.kinds import OwnerRole
from dom.shared.access import is_name
from dom.shared.errors import InvalidInput, Stale, StepNotPossible

LONGEST_SNOOZE: Final = timedelta(days=90)
"""How long an exception can be put off at most."""


@dataclass(frozen=True, slots=True)
class ExceptionState:
    """An exception, as commands see it. `version` grows with every change, whoever makes it.

    `resolution` and `resolved_by` say what a person did about it; both are None while it is open, and where it closed
    itself.
    """

    id: int
    kind: str
    version: int
    is_open: bool
    owner: str | None
    owner_role: str
    snoozed_until: datetime | None = None
    resolution: str | None = None
    resolved_by: str | None = None

    @property
    def shown(self) -> dict[str, Any]:
        """What a caller is told whose view of it was old."""
        return {
            "version": self.version,
            "status": "open" if self.is_open else "closed",
            "owner": self.owner,
            "owner_role": self.owner_role,
            "snoozed_until": self.snoozed_until,
            "resolution": self.resolution,
            "resolved_by": self.resolved_by,
        }


@dataclass(frozen=True, slots=True)
class Assign:
    """A person is to look after it; None gives it back to the queue."""

    owner: str | None


@dataclass(frozen=True, slots=True)
class HandOn:
    """Another role is to look after it: it stands in that role's queue, with nobody's name."""

    owner_role: OwnerRole


@dataclass(frozen=True, slots=True)
class Snooze:
    """Put it off until then; None ends that. It comes back by itself."""

    until: datetime | None


@dataclass(frozen=True, slots=True)
class Resolve:
    """It is dealt with; `resolution` says how."""

    resolution: str
    by: str


@dataclass(frozen=True, slots=True)
class Reopen:
    """It is not dealt with after all."""


DeskCommand = Assign | HandOn | Snooze | Resolve | Reopen
"""Anything a person may ask of an exception."""


def decide(state: ExceptionState, command: DeskCommand, *, seen: int, now: datetime) -> ExceptionState:
    """The exception after the command; the same if it says what stands already. The store counts the version.

    Raises Stale if it is not the version `seen`, InvalidInput for a name that is none and a time that is over or too
    far away, StepNotPossible for what is closed.
    """
    wanted = _WANTED[type(command)](state, command)
    if wanted == state:
        return state
    must_be(state, seen)
    if not isinstance(command, Reopen):
        must_be_open(state)
    if isinstance(command, Assign) and command.owner is not None and not is_name(command.owner):
        raise InvalidInput("this is no name of a caller", field="owner")
    if isinstance(command, Snooze) and command.until is not None:
        if command.until <= now:
            raise InvalidInput(f"{command.until.isoformat()} is over", field="until")
        if command.until > now + LONGEST_SNOOZE:
            raise InvalidInput(f"at most {LONGEST_SNOOZE.days} days from now", field="until")
    return wanted


def must_be(state: ExceptionState, seen: int) -> None:
    """Raises Stale, with what the exception is now, if it is not the version seen."""
    if state.version != seen:
        raise Stale(
            f"exception {state.id} has changed: version {seen} was seen, and it is at {state.version}",
            field="version",
            data=state.shown,
        )


def must_be_open(state: ExceptionState) -> None:
    """Raises StepNotPossible for one that is closed."""
    if not state.is_open:
        raise StepNotPossible(f"exception {state.id} is closed; reopen it first", data=state.shown)


def _resolved(state: ExceptionState, command: Resolve) -> ExceptionState:
    return replace(state, is_open=False, snoozed_until=None, resolution=command.resolution, resolved_by=command.by)


def _reopened(state: ExceptionState, _: Reopen) -> ExceptionState:
    return replace(state, is_open=True, resolution=None, resolved_by=None)


_WANTED: Final[Mapping[type, Callable[[ExceptionState, Any], ExceptionState]]] = {
    Assign: lambda state, command: replace(state, owner=command.owner),
    HandOn: lambda state, command: replace(state, owner=None, owner_role=command.owner_role.value),
    Snooze: lambda state, command: replace(state, snoozed_until=command.until),
    Resolve: _resolved,
    Reopen: _reopened,
}
