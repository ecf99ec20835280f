"""Orders and returns that must have a process, and what a person is told of those that have none, or a wrong one.

A process keeps an order until it is final and every booking nobody needs is taken back. Whether it runs only Temporal
knows: what is open here is compared with what runs there (`processes.consistency`).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.exceptions import WITHOUT_PROCESS, ExceptionKind
from dom.orders.status import FINAL_ORDER, FINAL_RETURN, FulfilmentStatus
from dom.shared.access import PROCESSES
from store import exceptions
from store.database.parameters import listed
from store.exceptions import CLOSED, Reopening

_CLOSED_BY_LIFE: Final = [
    *WITHOUT_PROCESS,
    ExceptionKind.PROCESS_STUCK,
    ExceptionKind.BACKORDER_NO_PROCESS,
    ExceptionKind.REOPTIMISED_NO_PROCESS,
]

# An order with a final status may still have a booking to take back.
_NOT_WANTED = (FulfilmentStatus.CANCELLED, FulfilmentStatus.REJECTED)
_TO_VOID = f"""
SELECT f.order_id FROM fulfilments f JOIN shipment_fulfilments sf ON sf.fulfilment_id = f.id
JOIN shipments s ON s.id = sf.shipment_id WHERE f.status IN ({listed(_NOT_WANTED)}) AND s.status = 'booked'"""
_OPEN = text(f"""
SELECT o.id, o.status FROM orders o WHERE o.status <> ALL(:final) UNION ALL
SELECT o.id, o.status FROM orders o WHERE o.status = ANY(:final) AND o.id IN ({_TO_VOID})
""")
# The process of a parcel that comes back begins with a message of the outbox.
_OPEN_RETURNS = text("""
SELECT id, status FROM returns r WHERE status <> ALL(:final) AND NOT EXISTS (
    SELECT FROM outbox m WHERE m.receiver = 'workflow/return-' || r.id AND m.status IN ('pending', 'sending'))
""")
_MUST_LIVE = text(f"""
SELECT o.status FROM orders o WHERE o.id = :id AND (o.status <> ALL(:final)
    OR EXISTS ({_TO_VOID} AND f.order_id = o.id))
""")
_RETURN_STATUS = text("SELECT status FROM returns WHERE id = :id")
_FINAL = sorted(FINAL_ORDER)
_FINAL_RETURN = sorted(FINAL_RETURN)


async def open_orders(connection: AsyncConnection) -> dict[str, str]:
    """Orders that must have a process, with their status."""
    return {row.id: row.status for row in await connection.execute(_OPEN, {"final": _FINAL})}


async def open_returns(connection: AsyncConnection) -> dict[str, str]:
    """Returns that must have a process, with their status."""
    return {row.id: row.status for row in await connection.execute(_OPEN_RETURNS, {"final": _FINAL_RETURN})}


async def must_live(connection: AsyncConnection, order_id: str) -> str | None:
    """The status of an order that must have a process; None for one that need not, or is not known."""
    status: str | None = await connection.scalar(_MUST_LIVE, {"id": order_id, "final": _FINAL})
    return status


async def status_of_return(connection: AsyncConnection, return_id: str) -> str | None:
    """The status of a return; None if it is not known."""
    status: str | None = await connection.scalar(_RETURN_STATUS, {"id": return_id})
    return status


async def must_live_return(connection: AsyncConnection, return_id: str) -> str | None:
    """The status of a return that must have a process; None for one that need not, or is not known."""
    status = await status_of_return(connection, return_id)
    return None if status in _FINAL_RETURN else status


_NOT_HELD = {
    False: text("SELECT id FROM unnest(CAST(:ids AS text[])) AS i (id) WHERE NOT EXISTS "
                "(SELECT FROM orders o WHERE o.id = i.id)"),
    True: text("SELECT id FROM unnest(CAST(:ids AS text[])) AS i (id) WHERE NOT EXISTS "
               "(SELECT FROM returns r WHERE r.id = i.id)"),
}  # fmt: skip


async def not_held(connection: AsyncConnection, ids: Collection[str], *, returns: bool) -> set[str]:
    """Those of the orders (or returns) that the store does not hold."""
    return set(await connection.scalars(_NOT_HELD[returns], {"ids": list(ids)}))


_STANDING = text("""
SELECT o.status,
       (SELECT jsonb_object_agg(line_id, jsonb_build_object('cancelled', cancelled, 'backordered', backordered))
        FROM order_lines WHERE order_id = o.id) AS lines,
       coalesce((SELECT jsonb_object_agg(id, status) FROM fulfilments WHERE order_id = o.id), '{}') AS fulfilments
FROM orders o WHERE o.id = :id
""")


async def standing(connection: AsyncConnection, order_id: str) -> dict[str, Any] | None:
    """An order's status, units cancelled and waiting by line, status of each fulfilment; or None."""
    row = (await connection.execute(_STANDING, {"id": order_id})).mappings().one_or_none()
    return None if row is None else dict(row)


_IS_REPORTED = text("""
SELECT EXISTS (SELECT FROM exceptions WHERE order_id = :order_id AND kind = :kind AND status = 'open'
               AND starts_with(business_key, CAST(:about AS text) || ':'))
""")


async def report(
    connection: AsyncConnection, *, order_id: str, about: str, run_id: str, kind: ExceptionKind, detail: str
) -> bool:
    """Put a missing or wrong process before a person, once for each run of it; False if that was done before.

    One that closed by itself, because both agreed for a time, is opened again; one that a person closed is not.
    `about` is the order or the return, `run_id` its last run in Temporal, or empty if it is not known. Nothing is added
    while a report about it is open.
    """
    if await connection.scalar(_IS_REPORTED, {"order_id": order_id, "kind": kind, "about": about}):
        return False
    key = f"{about}:{kind}:{run_id or 'none'}"
    return await exceptions.open_(connection, order_id, kind, key, detail, reopening=Reopening.IF_CLOSED_BY_ITSELF)


async def gone(connection: AsyncConnection, order_id: str) -> None:
    """No process hears of the order: a person is told, unless the order needs none."""
    status = await must_live(connection, order_id)
    if status is not None:
        words = in_words(ExceptionKind.NO_PROCESS, order_id, status)
        await report(
            connection, order_id=order_id, about=order_id, run_id="", kind=ExceptionKind.NO_PROCESS, detail=words
        )


@dataclass(frozen=True, slots=True)
class ProcessReport:
    """An open exception about the process of an order or a return."""

    exception_id: int
    about: str


_REPORTS = text("SELECT id, business_key FROM exceptions WHERE status = 'open' AND kind = ANY(:kinds) ORDER BY id")
_CLOSE = text(f"UPDATE exceptions SET {CLOSED} WHERE id = :id AND status = 'open'")


async def open_reports(connection: AsyncConnection) -> list[ProcessReport]:
    """Every missing or wrong process that stands before a person."""
    rows = await connection.execute(_REPORTS, {"kinds": list(WITHOUT_PROCESS)})
    return [ProcessReport(row.id, row.business_key.rsplit(":", 2)[0]) for row in rows]


async def close(connection: AsyncConnection, report: ProcessReport) -> None:
    """Store and process agree again: nobody needs to look at that any more."""
    await connection.execute(_CLOSE, {"id": report.exception_id})


_LIVES = text(f"""
UPDATE exceptions SET {CLOSED}, resolution = 'its process runs again', resolved_by = '{PROCESSES}'
WHERE order_id = :order_id AND status = 'open' AND kind = ANY(:kinds)
  AND (starts_with(business_key, CAST(:about AS text) || ':')
       OR kind = '{ExceptionKind.BACKORDER_NO_PROCESS}' AND order_id = :about)
""")


async def process_runs_again(connection: AsyncConnection, order_id: str, return_id: str | None = None) -> None:
    """The order has a process again, or the return: nobody needs to look at that any more."""
    names = {"order_id": order_id, "kinds": _CLOSED_BY_LIFE, "about": return_id or order_id}
    await connection.execute(_LIVES, names)


_DETAILS: Final[Mapping[ExceptionKind, str]] = {
    ExceptionKind.NO_PROCESS: "{about} is {status}, but no process runs for it; `dom orders revive {about}` starts it "
    "where it stands",
    ExceptionKind.PROCESS_DIFFERS: "the process of {about} does not agree with the store ({status}): {words}; `dom "
    "orders revive {about}` starts it anew where the store stands",
    ExceptionKind.NOT_IN_STORE: "the process of {about} {words}, but the store does not hold it, as after a restore of "
    "an older store: ask node and customer what happened. `dom orders revive {about}` captures it anew, which "
    "reserves, releases and mails once more: tell the node not to send again what has left, and report its steps; or "
    "cancel it",
}


def in_words(kind: ExceptionKind, about: str, status: str, words: str = "") -> str:
    """What a person is told of a missing or wrong process."""
    return _DETAILS[kind].format(about=about, status=status, words=words)
