"""The exception queue: what a person must look at. The business key opens each one once.

Every exception is opened by `opening`, alone or inside a larger statement; `dom.exceptions` says what each kind means.
What people do with them is in `store.desk`.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.exceptions import CATALOGUE, UNSOURCED, ExceptionKind
from dom.shared.texts import keepable
from store.database.parameters import listed, to_json


class Reopening(StrEnum):
    """What becomes of an exception that stands already. The value is the condition under which it is written anew."""

    NEVER = "false"
    IF_CLOSED_BY_ITSELF = "exceptions.status = 'closed' AND exceptions.resolved_by IS NULL"
    """One that a person resolved stays closed."""
    UNLESS_CLOSED_BY_A_PERSON = "exceptions.status = 'open' OR exceptions.resolved_by IS NULL"
    """The same, and one that is open gets the new detail."""
    ALWAYS = "true"


CLOSED: Final = "status = 'closed', closed_at = now(), snoozed_until = NULL"
"""SQL that sets the columns of an exception that closes itself."""
COLUMNS: Final = "order_id, kind, business_key, detail"
DESK_COLUMNS: Final = "severity, owner_role, due_minutes"
"""What the kind says of an exception, unless whoever opens it says it."""
_KINDS: Final = ", ".join(
    f"('{kind}', '{info.severity}', '{info.owner_role}', {info.due_in})" for kind, info in CATALOGUE.items()
)
_ANEW: Final = "CASE WHEN exceptions.status = 'open' THEN exceptions.{0} ELSE {1} END"


def opening(rows: str, reopening: Reopening = Reopening.NEVER, columns: str = COLUMNS) -> str:
    """SQL that opens an exception for each row of a query: order_id (may be null), kind, business_key and detail, or
    other columns in the sequence of `columns`.

    An exception that is opened again counts its age anew, and is due anew.
    """
    given = columns.endswith(DESK_COLUMNS)
    kept = columns.removesuffix(f", {DESK_COLUMNS}")
    start = f"""INSERT INTO exceptions ({kept}, severity, owner_role, due_at)
SELECT {", ".join(f"r.{name.strip()}" for name in kept.split(","))}, {"r" if given else "k"}.severity,
       {"r" if given else "k"}.owner_role, now() + make_interval(mins => {"r" if given else "k"}.due_minutes)
FROM ({rows}) AS r ({columns}) JOIN (VALUES {_KINDS}) AS k (kind, {DESK_COLUMNS}) ON k.kind = r.kind
ON CONFLICT (business_key) DO"""
    if reopening is Reopening.NEVER:
        return f"{start} NOTHING"
    return f"""{start} UPDATE
    SET detail = EXCLUDED.detail, data = EXCLUDED.data, status = 'open', closed_at = NULL, resolution = NULL,
        resolved_by = NULL, severity = EXCLUDED.severity,
        owner_role = {_ANEW.format("owner_role", "EXCLUDED.owner_role")},
        opened_at = {_ANEW.format("opened_at", "now()")}, due_at = {_ANEW.format("due_at", "EXCLUDED.due_at")}
    WHERE {reopening}"""


_ONE: Final = """
SELECT (SELECT id FROM orders WHERE id = CAST(:order_id AS text)), CAST(:kind AS text), CAST(:key AS text),
       CAST(:detail AS text), CAST(:data AS jsonb)"""
_OPEN: Final = {each: text(f"{opening(_ONE, each, f'{COLUMNS}, data')} RETURNING id") for each in Reopening}


async def open_(
    connection: AsyncConnection,
    order_id: str | None,
    kind: ExceptionKind,
    key: str,
    detail: str,
    data: Mapping[str, Any] | None = None,
    *,
    reopening: Reopening = Reopening.NEVER,
) -> bool:
    """Put trouble into the queue; without an order, or with one the store does not hold, it is of a node or a feed.

    `data` says what the detail says, for programs. What of the detail cannot be kept is left out or escaped. False if
    it stood already and was not written anew.
    """
    names = {
        "order_id": order_id,
        "kind": kind,
        "key": key,
        "detail": keepable(detail)[:1000],
        "data": to_json(dict(data or {})),
    }
    return await connection.scalar(_OPEN[reopening], names) is not None


_SOURCED: Final = text(f"""
UPDATE exceptions SET {CLOSED}
WHERE order_id = :order_id AND status = 'open' AND kind IN ({listed(UNSOURCED)})
  AND NOT EXISTS (SELECT FROM order_lines WHERE order_id = :order_id AND backordered > 0)
""")


async def unsourced(
    connection: AsyncConnection, order_id: str, kind: ExceptionKind, key: str, detail: str, *, anew: bool
) -> None:
    """Units of an order have no node. An exception that closed itself is opened again; one that a person closed only
    `anew`: the units had a node and lost it.
    """
    reopening = Reopening.ALWAYS if anew else Reopening.UNLESS_CLOSED_BY_A_PERSON
    await open_(connection, order_id, kind, f"{order_id}:{key}", detail, reopening=reopening)


async def close_sourced(connection: AsyncConnection, order_id: str) -> None:
    """Close what is open because units of the order have no node, if none waits any more. Call it after units moved."""
    await connection.execute(_SOURCED, {"order_id": order_id})


_CLOSE: Final = text(f"""
UPDATE exceptions SET {CLOSED} WHERE order_id = :order_id AND kind = :kind AND status = 'open'
""")
_CLOSE_SOME: Final = text(f"UPDATE exceptions SET {CLOSED} WHERE business_key = ANY(:keys) AND status = 'open'")


async def close(connection: AsyncConnection, order_id: str, kind: ExceptionKind) -> None:
    """The cause of the order's exceptions of a kind is gone."""
    await connection.execute(_CLOSE, {"order_id": order_id, "kind": kind})


async def close_by_keys(connection: AsyncConnection, *business_keys: str) -> None:
    """The cause of these exceptions is gone."""
    await connection.execute(_CLOSE_SOME, {"keys": list(business_keys)})
