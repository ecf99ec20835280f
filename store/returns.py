"""Returns: goods that come back for money, their units, what became of them, and the refunds recorded."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.orders.events import EventKind
from dom.orders.status import ARRIVED, FINAL_RETURN, FulfilmentStatus, ReturnStatus, ReturnStep
from dom.returns import ReturnChange, ReturnedUnits, ReturnState
from store.database.parameters import listed, to_json, to_rows

# What a return let go is free again; the rest of its units is on the way or came back. Units of a parcel that its
# carrier brings back were not delivered.
_LINES = text(f"""
SELECT l.line_id, l.sku, l.unit_price, d.node_id,
       coalesce(d.units, 0) - coalesce(r.claimed, 0) AS returnable,
       coalesce(this.quantity, 0) AS announced, coalesce(this.received, 0) AS received,
       coalesce(this.released, 0) AS released, coalesce((
            SELECT sum(x.quantity) FROM return_dispositions x
            WHERE x.return_id = this.return_id AND x.line_id = l.line_id), 0) AS inspected
FROM order_lines l
LEFT JOIN LATERAL (
    SELECT sum(fl.quantity) AS units, min(f.node_id) AS node_id
    FROM fulfilments f JOIN fulfilment_lines fl ON fl.fulfilment_id = f.id AND fl.line_id = l.line_id
    WHERE f.order_id = l.order_id AND f.status IN ({listed(ARRIVED)})) d ON true
LEFT JOIN LATERAL (
    SELECT sum(c.quantity - c.released) AS claimed
    FROM return_lines c JOIN returns o ON o.id = c.return_id AND o.fulfilment_id IS NULL
    WHERE c.order_id = l.order_id AND c.line_id = l.line_id) r ON true
LEFT JOIN return_lines this ON this.return_id = :id AND this.line_id = l.line_id
WHERE l.order_id = :order_id ORDER BY l.position
""")
_ORDER = text("SELECT channel, customer_id, currency FROM orders WHERE id = :id FOR NO KEY UPDATE")
_CHANGE = text(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class OfOrder:
    """A return beside its order. `node_ids` by line are the nodes that shipped it; `row` is the return's own, or None
    before it is requested.
    """

    channel: str
    customer_id: str
    currency: str
    node_ids: Mapping[str, str]
    row: RowMapping | None
    state: ReturnState


async def lock(connection: AsyncConnection, order_id: str, return_id: str) -> OfOrder | None:
    """The return as it stands; None if there is no such order. Its order is locked until the transaction ends, so that
    no two returns get the same units, and no two commands change a return at the same time.
    """
    order = (await connection.execute(_ORDER, {"id": order_id})).mappings().one_or_none()
    if order is None:
        return None
    # Statements of their own: what they read beside a row that was waited for would be older than the row.
    row = await get(connection, return_id)
    lines = (await connection.execute(_LINES, {"id": return_id, "order_id": order_id})).mappings().all()
    units = {line["line_id"]: ReturnedUnits(**{name: line[name] for name in _UNITS}) for line in lines}
    return OfOrder(
        channel=order["channel"],
        customer_id=order["customer_id"],
        currency=order["currency"],
        node_ids={line["line_id"]: line["node_id"] for line in lines if line["node_id"]},
        row=row,
        state=ReturnState(return_id, units) if row is None else await _state(connection, row, units),
    )


_UNITS: Final = ("sku", "unit_price", "returnable", "announced", "received", "inspected", "released")


async def _state(connection: AsyncConnection, row: RowMapping, units: Mapping[str, ReturnedUnits]) -> ReturnState:
    parcel = row["fulfilment_id"]
    names = {"parcel": parcel, "order_id": row["order_id"]}
    return ReturnState(
        return_id=row["id"],
        lines=units,
        status=ReturnStatus(row["status"]),
        number=row["number"],
        expires_at=row["expires_at"],
        released_by=ReturnStep(row["released_by"]) if row["released_by"] else None,
        parcel=parcel,
        made_good=parcel is not None and bool(await connection.scalar(_MADE_GOOD, names)),
    )


_MADE_GOOD = text(f"""
SELECT EXISTS (SELECT FROM timeline WHERE order_id = :order_id AND kind = '{EventKind.RESHIPPED}'
               AND data->>'fulfilment_id' = :parcel)
       OR EXISTS (SELECT FROM fulfilments WHERE id = :parcel AND status = '{FulfilmentStatus.LOST}')
""")


async def parcel_is_refunded(connection: AsyncConnection, fulfilment_id: str) -> bool:
    """Whether a refund was recorded for units of a parcel that came back."""
    query = text("""
    SELECT EXISTS (SELECT FROM returns r JOIN refunds p ON p.return_id = r.id WHERE r.fulfilment_id = :fulfilment_id)
    """)
    return bool(await connection.scalar(query, {"fulfilment_id": fulfilment_id}))


async def get(connection: AsyncConnection, return_id: str) -> RowMapping | None:
    """The return's own row, or None."""
    rows = await connection.execute(text("SELECT * FROM returns WHERE id = :id"), {"id": return_id})
    return rows.mappings().one_or_none()


async def under_key(connection: AsyncConnection, order_id: str, key: str) -> str | None:
    """The order's return that was asked for under an Idempotency-Key, or None."""
    query = text("SELECT id FROM returns WHERE order_id = :order_id AND request_key = :key")
    found = await connection.scalar(query, {"order_id": order_id, "key": key})
    return None if found is None else str(found)


async def shipped_from(connection: AsyncConnection, order_id: str, line_id: str) -> str | None:
    """The node that units of the line which arrived were shipped from; None if none arrived."""
    query = text(f"""
    SELECT min(f.node_id) FROM fulfilments f JOIN fulfilment_lines l ON l.fulfilment_id = f.id
    WHERE f.order_id = :order_id AND l.line_id = :line_id AND f.status IN ({listed(ARRIVED)})
    """)
    found: str | None = await connection.scalar(query, {"order_id": order_id, "line_id": line_id})
    return found


async def refunded(connection: AsyncConnection, return_id: str) -> int:
    """What was recorded to be refunded for a return so far, in minor units."""
    total = text("SELECT coalesce(sum(amount), 0) FROM refunds WHERE return_id = :id")
    return int(await connection.scalar(total, {"id": return_id}) or 0)


_STEP = text("""
SELECT business_key, data FROM timeline
WHERE order_id = :order_id AND data->>'return_id' = :return_id AND data->>'request' = :request ORDER BY id LIMIT 1
""")


async def step_under(connection: AsyncConnection, order_id: str, return_id: str, request: str) -> RowMapping | None:
    """The timeline's `business_key` and `data` of a step of the return that was asked for by this request, or None."""
    names = {"order_id": order_id, "return_id": return_id, "request": request}
    return (await connection.execute(_STEP, names)).mappings().one_or_none()


_OPEN = text("""
WITH opened AS (
    INSERT INTO returns (id, order_id, node_id, status, number, reason, content_hash, request_key, requested_at,
                         expires_at, fulfilment_id)
    VALUES (:id, :order_id, :node_id, :status, :number, :reason, :content_hash, :key, :at, :expires_at, :parcel)
)
INSERT INTO return_lines (return_id, line_id, order_id, sku, quantity)
SELECT :id, l.line_id, :order_id, l.sku, l.quantity
FROM jsonb_to_recordset(CAST(:lines AS jsonb)) AS l (line_id text, sku text, quantity int)
""")


async def open_(
    connection: AsyncConnection,
    state: ReturnState,
    change: ReturnChange,
    *,
    order_id: str,
    node_id: str,
    reason: str,
    content_hash: str,
    key: str | None,
    at: datetime,
) -> None:
    """Write a new return down, as the change says."""
    lines: Sequence[Mapping[str, object]] = [
        {"line_id": i, "sku": state.lines[i].sku, "quantity": units} for i, units in change.announced.items()
    ]
    await connection.execute(
        _OPEN,
        {
            "id": state.return_id,
            "order_id": order_id,
            "node_id": node_id,
            "status": change.status,
            "number": change.number,
            "reason": reason,
            "content_hash": content_hash,
            "key": key,
            "lines": to_rows(lines),
            "at": at,
            "expires_at": change.expires_at,
            "parcel": state.parcel,
        },
    )


async def write(
    connection: AsyncConnection, return_id: str, order_id: str, change: ReturnChange, *, at: datetime
) -> None:
    """Write a change of a return. The database refuses more units than were announced, and a number that stands."""
    summed: Counter[tuple[str, str]] = Counter()
    for line_id, disposition, quantity in change.found:
        summed[line_id, disposition] += quantity
    await connection.execute(
        _CHANGE,
        {
            "id": return_id,
            "order_id": order_id,
            "number": change.number,
            "received": to_json(dict(change.received)),
            "released": to_json(dict(change.released)),
            "found": to_rows([{"line_id": i, "disposition": d, "quantity": n} for (i, d), n in summed.items()]),
            "refunds": change.step is ReturnStep.REFUNDED,
            "refund": change.refund,
            "status": change.status,
            "expires_at": change.expires_at,
            "released_by": change.step if change.released else None,
            "arrived": bool(change.received),
            "ended": change.status in FINAL_RETURN,
            "at": at,
        },
    )
