"""What people do with exceptions: take, hand on, put off, comment, resolve and reopen them.

Each is one transaction, bound to the version that was seen, and safe to repeat. What is done about an exception of an
order stands in the order's timeline.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from dom.exceptions import ExceptionAction
from dom.exceptions.desk import (
    Assign,
    DeskCommand,
    ExceptionState,
    HandOn,
    Reopen,
    Resolve,
    Snooze,
    decide,
    must_be,
)
from dom.orders.events import EventKind, ExceptionData
from dom.shared.access import UNLIMITED, Limits
from dom.shared.errors import Conflict, NotFound
from store.desk import changes
from store.desk.changes import FoundException
from store.orders import timeline

_EVENTS: Final[Mapping[type, EventKind]] = {
    Assign: EventKind.EXCEPTION_ASSIGNED,
    HandOn: EventKind.EXCEPTION_ASSIGNED,
    Snooze: EventKind.EXCEPTION_SNOOZED,
    Resolve: EventKind.EXCEPTION_RESOLVED,
    Reopen: EventKind.EXCEPTION_REOPENED,
}


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks something of an exception, when, and the version that he saw. Exceptions beyond the limits are not
    there.
    """

    exception_id: int
    seen: int
    actor: str
    at: datetime
    limits: Limits = UNLIMITED


async def change(connection: AsyncConnection, asked: Asked, command: DeskCommand) -> bool:
    """Do what the command says; False if that stood already. Raises NotFound, and what `decide` raises."""
    found = await locked(connection, asked)
    return await carry_out(connection, found, asked, command)


async def carry_out(connection: AsyncConnection, found: FoundException, asked: Asked, command: DeskCommand) -> bool:
    """The same of an exception that is locked."""
    wanted = decide(found.state, command, seen=asked.seen, now=asked.at)
    if wanted == found.state:
        return False
    written = replace(wanted, version=await changes.write(connection, wanted))
    data = _data(written).model_copy(update=_said(written, command))
    reason = command.resolution if isinstance(command, Resolve) else ""
    await _tell(connection, found, asked, _EVENTS[type(command)], f"{written.version}", data, reason)
    return True


def _said(written: ExceptionState, command: DeskCommand) -> dict[str, Any]:
    if isinstance(command, Assign | HandOn):
        return {"owner": written.owner, "owner_role": written.owner_role if written.owner is None else None}
    return {"until": written.snoozed_until} if isinstance(command, Snooze) else {}


async def comment(connection: AsyncConnection, asked: Asked, words: str, key: str | None = None) -> bool:
    """Add a comment, also to one that is closed; the version stays. With a key of the author's own it is added once:
    False for a repeat. Raises NotFound, Stale, and Conflict for a key that stands for other words.
    """
    found = await locked(connection, asked)
    before = None if key is None else await changes.commented(connection, asked.exception_id, asked.actor, key)
    if before is not None:
        if before != words:
            raise Conflict("the Idempotency-Key stands for another comment", field="Idempotency-Key")
        return False
    must_be(found.state, asked.seen)
    number = await changes.comment(connection, asked.exception_id, asked.actor, words, key)
    data = _data(found.state)
    await _tell(connection, found, asked, EventKind.EXCEPTION_COMMENTED, f"comment:{number}", data, words)
    return True


async def acted(connection: AsyncConnection, found: FoundException, asked: Asked, action: ExceptionAction) -> None:
    """Write into the order's timeline what was done about an exception."""
    data = _data(found.state).model_copy(update={"action": action})
    await _tell(connection, found, asked, EventKind.EXCEPTION_ACTION, _acted_key(asked, action), data, "")


async def was_done(connection: AsyncConnection, found: FoundException, asked: Asked, action: ExceptionAction) -> bool:
    """Whether this was done about the version that was seen, so that it is a repeat."""
    if found.order_id is None:
        return False
    return bool(await timeline.data_of(connection, found.order_id, _key(asked, _acted_key(asked, action))))


def _acted_key(asked: Asked, action: ExceptionAction) -> str:
    return f"{asked.seen}:{action}"


def _key(asked: Asked, of: str) -> str:
    return f"exception:{asked.exception_id}:{of}"


async def locked(connection: AsyncConnection, asked: Asked) -> FoundException:
    """The exception as it stands until the end of the transaction. Raises NotFound."""
    found = await changes.lock(connection, asked.exception_id, asked.limits)
    if found is None:
        raise no_such(asked.exception_id)
    return found


def no_such(exception_id: int) -> NotFound:
    """There is no such exception, or the caller may not see it."""
    return NotFound(f"there is no exception {exception_id}")


def _data(state: ExceptionState) -> ExceptionData:
    return ExceptionData(exception_id=state.id, exception_kind=state.kind, version=state.version)


async def _tell(
    connection: AsyncConnection,
    found: FoundException,
    asked: Asked,
    kind: EventKind,
    key: str,
    data: ExceptionData,
    reason: str,
) -> None:
    if found.order_id is not None:
        event = timeline.Event(found.order_id, kind, _key(asked, key), asked.actor, asked.at, data, reason)
        await timeline.append(connection, event)
