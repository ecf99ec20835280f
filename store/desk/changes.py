"""Exceptions that people change, and comments on them. The database counts the version."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import RowMapping, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.exceptions.desk import ExceptionState
from dom.shared.access import Limits
from store.access import visibility
from store.enums import ExceptionStatus
from store.tables.orders import exceptions

_X: Final = exceptions.c


@dataclass(frozen=True, slots=True)
class FoundException:
    """An exception, what it is about, and what its `data` say for programs."""

    state: ExceptionState
    order_id: str | None
    data: Mapping[str, Any]
    business_key: str


async def lock(connection: AsyncConnection, exception_id: int, limits: Limits) -> FoundException | None:
    """The exception as it stands until the end of the transaction; None for one that there is not, or is not seen."""
    return await _find(connection, exception_id, limits, lock=True)


async def find(connection: AsyncConnection, exception_id: int, limits: Limits) -> FoundException | None:
    """The exception as it is now; None for one that there is not, or that is not seen."""
    return await _find(connection, exception_id, limits, lock=False)


async def _find(connection: AsyncConnection, exception_id: int, limits: Limits, *, lock: bool) -> FoundException | None:
    query = select(exceptions).where(_X.id == exception_id, *visibility.of_order_in(_X.order_id, limits))
    row = (await connection.execute(query.with_for_update() if lock else query)).mappings().one_or_none()
    return None if row is None else FoundException(_state(row), row["order_id"], row["data"], row["business_key"])


def _state(row: RowMapping) -> ExceptionState:
    return ExceptionState(
        id=row["id"],
        kind=row["kind"],
        version=row["version"],
        is_open=row["status"] == ExceptionStatus.OPEN,
        owner=row["owner"],
        owner_role=row["owner_role"],
        snoozed_until=row["snoozed_until"],
        resolution=row["resolution"],
        resolved_by=row["resolved_by"],
    )


# What is opened again counts its age anew, and is due anew: as long after as it was at first.
_WRITE: Final = text("""
UPDATE exceptions SET owner = :owner, owner_role = :owner_role, snoozed_until = :snoozed_until,
    resolution = :resolution, resolved_by = :resolved_by, status = :status,
    closed_at = CASE WHEN :status = 'open' THEN NULL ELSE coalesce(closed_at, now()) END,
    due_at = CASE WHEN :status = 'open' AND status = 'closed' THEN now() + (due_at - opened_at) ELSE due_at END,
    opened_at = CASE WHEN :status = 'open' AND status = 'closed' THEN now() ELSE opened_at END
WHERE id = :id RETURNING version
""")


async def write(connection: AsyncConnection, state: ExceptionState) -> int:
    """Write what was decided on a locked exception; answers its version."""
    names = {
        "id": state.id,
        "owner": state.owner,
        "owner_role": state.owner_role,
        "snoozed_until": state.snoozed_until,
        "resolution": state.resolution,
        "resolved_by": state.resolved_by,
        "status": ExceptionStatus.OPEN if state.is_open else ExceptionStatus.CLOSED,
    }
    return int(await connection.scalar(_WRITE, names) or 0)


_COMMENT: Final = text("""
INSERT INTO exception_comments (exception_id, author, text, request_key) VALUES (:id, :author, :text, :key)
ON CONFLICT (exception_id, author, request_key) DO NOTHING RETURNING id
""")
_COMMENTED: Final = text("""
SELECT text FROM exception_comments WHERE exception_id = :id AND author = :author AND request_key = :key
""")


async def comment(
    connection: AsyncConnection, exception_id: int, author: str, words: str, key: str | None
) -> int | None:
    """Add a comment; answers its number, None if the author wrote one under the key before."""
    names = {"id": exception_id, "author": author, "text": words, "key": key}
    number: int | None = await connection.scalar(_COMMENT, names)
    return number


async def commented(connection: AsyncConnection, exception_id: int, author: str, key: str) -> str | None:
    """What the author wrote under the key; None if nothing."""
    words: str | None = await connection.scalar(_COMMENTED, {"id": exception_id, "author": author, "key": key})
    return words
