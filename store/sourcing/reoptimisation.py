"""Re-optimisation in the database: unbegun work, the locks of its change, and what the orders' processes are told."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.network import ShippingMethod
from dom.notifications.messages import Notice
from dom.orders.order import REPLAY_TAG
from dom.orders.status import UNBEGUN
from dom.sourcing.models import Demand, DemandLine
from dom.sourcing.reoptimisation import Held, Unbegun
from store.database.parameters import listed
from store.notifications import outbox

_UNBEGUN_WORK: Final = listed(UNBEGUN)


# --- what is looked at -----------------------------------------------------------------------------------------------

# What the customer collects stays where it is to be collected. An order whose process has not applied the last change
# is left alone until it has.
_ORDERS = text(f"""
SELECT f.order_id FROM fulfilments f
WHERE f.status IN ({_UNBEGUN_WORK}) AND f.method <> 'pickup' AND f.pickup_node IS NULL AND f.order_id > :after
  AND (CAST(:skus AS text[]) IS NULL OR EXISTS (
      SELECT FROM fulfilment_lines l WHERE l.fulfilment_id = f.id AND l.quantity > 0 AND l.sku = ANY(:skus)))
  AND NOT EXISTS (SELECT FROM reoptimisations s WHERE s.order_id = f.order_id AND s.applied_at IS NULL)
GROUP BY f.order_id ORDER BY f.order_id LIMIT :most
""")


async def orders(
    connection: AsyncConnection, *, skus: Iterable[str] | None, after: str = "", most: int = 100
) -> list[str]:
    """Orders with work that no node has begun, by id: those with one of the SKUs in it, or (None) all of them."""
    asked = None if skus is None else sorted(skus)
    return list(await connection.scalars(_ORDERS, {"skus": asked, "after": after, "most": most}))


_UNBEGUN = text(f"""
SELECT o.id, d.demand, x.excluded,
       jsonb_agg(jsonb_build_object(
           'id', f.id, 'node_id', f.node_id, 'ship_day', f.ship_day, 'method', f.method, 'latest', f.promise_latest,
           'lines', l.lines) ORDER BY f.id) AS held,
       CASE WHEN bool_and(l.all_told) AND min(l.told) = max(l.last_told) THEN min(l.told) END AS told
FROM orders o
JOIN fulfilments f ON f.order_id = o.id AND f.status IN ({_UNBEGUN_WORK}) AND f.method <> 'pickup'
  AND f.pickup_node IS NULL
CROSS JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_array(fl.line_id, fl.sku, fl.quantity, ol.unit_price) ORDER BY fl.line_id) AS lines,
           min(ol.promised) AS told, max(ol.promised) AS last_told, bool_and(ol.promised IS NOT NULL) AS all_told
    FROM fulfilment_lines fl JOIN order_lines ol USING (order_id, line_id)
    WHERE fl.fulfilment_id = f.id AND fl.quantity > 0) l
CROSS JOIN LATERAL (
    SELECT document->'demand' AS demand FROM sourcing_decisions WHERE order_id = o.id ORDER BY attempt DESC LIMIT 1) d
CROSS JOIN LATERAL (
    SELECT array_agg(DISTINCT n.node) AS excluded FROM sourcing_decisions e
    CROSS JOIN LATERAL jsonb_array_elements_text(e.document->'demand'->'excluded_nodes') AS n (node)
    WHERE e.order_id = o.id) x
WHERE o.id = ANY(:ids) AND l.lines IS NOT NULL
GROUP BY o.id, d.demand, x.excluded ORDER BY o.id
""")


async def unbegun(
    connection: AsyncConnection, order_ids: Sequence[str], now: datetime, *, replaying: bool = False
) -> list[Unbegun]:
    """The orders' unbegun work, asked for again as of now; what is replayed, as of its own time."""
    rows = (await connection.execute(_UNBEGUN, {"ids": list(order_ids)})).mappings()
    return [_unbegun(row, now, replaying) for row in rows]


def _unbegun(row: RowMapping, now: datetime, replaying: bool) -> Unbegun:
    known = Demand.model_validate(row["demand"])
    lines: dict[str, DemandLine] = {}
    for each in row["held"]:
        for line_id, sku, quantity, unit_price in each["lines"]:
            units = quantity + (lines[line_id].quantity if line_id in lines else 0)
            lines[line_id] = DemandLine(line_id=line_id, sku=sku, quantity=units, unit_price=unit_price)
    asked = {
        "as_of": known.as_of if replaying and REPLAY_TAG in known.tags else now,
        "lines": tuple([lines[line_id] for line_id in sorted(lines)]),
        "excluded_nodes": frozenset(row["excluded"] or ()),
        "deliver_by": max([datetime.fromisoformat(each["latest"]) for each in row["held"]]),
        "promised_by": row["told"],  # where lines were promised for several days, none stands for the work as a whole
    }
    demand = Demand.model_validate({**dict(known), **asked})
    return Unbegun(demand, tuple([_held(each) for each in row["held"]]))


def _held(document: Mapping[str, Any]) -> Held:
    units: dict[str, int] = {}
    for _, sku, quantity, _ in document["lines"]:
        units[sku] = units.get(sku, 0) + quantity
    day = datetime.fromisoformat(document["ship_day"]).date()
    return Held(document["id"], document["node_id"], day, ShippingMethod(document["method"]), units)


# --- the change ------------------------------------------------------------------------------------------------------

_LOCK_ORDERS = text("SELECT id FROM orders WHERE id = ANY(:ids) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED")
# Whoever advances a fulfilment holds its order, which is locked already: nobody waits here.
_LOCK_WORK = text(f"""
SELECT id, released_at FROM fulfilments WHERE id = ANY(:ids) AND status IN ({_UNBEGUN_WORK})
ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
""")
_UNITS = text("""
SELECT fulfilment_id, line_id, sku, quantity FROM fulfilment_lines
WHERE fulfilment_id = ANY(:ids) AND quantity > 0 ORDER BY fulfilment_id, line_id
""")
_WRITE = text("""
INSERT INTO reoptimisations (order_id, number) VALUES (:order_id, :number)
""")
_NUMBER = text("SELECT coalesce(max(number), 0) + 1 FROM reoptimisations WHERE order_id = :order_id")


async def lock_orders(connection: AsyncConnection, order_ids: Sequence[str]) -> bool:
    """Lock the orders, waiting for none; False if somebody is busy with one of them."""
    return len(list(await connection.scalars(_LOCK_ORDERS, {"ids": list(order_ids)}))) == len(order_ids)


async def lock_work(connection: AsyncConnection, fulfilment_ids: Sequence[str]) -> dict[str, datetime]:
    """Lock unbegun work, waiting for none: when each fulfilment was released. What is begun or busy is left out."""
    rows = (await connection.execute(_LOCK_WORK, {"ids": list(fulfilment_ids)})).all()
    return {row.id: row.released_at for row in rows}


async def units(connection: AsyncConnection, fulfilment_ids: Sequence[str]) -> Sequence[Row[Any]]:
    """Units of the fulfilments: fulfilment_id, line_id, sku, quantity."""
    return (await connection.execute(_UNITS, {"ids": list(fulfilment_ids)})).all()


async def next_number(connection: AsyncConnection, order_id: str) -> int:
    """The number of the order's next revision. The order must be locked."""
    return int(await connection.scalar(_NUMBER, {"order_id": order_id}) or 1)


async def write(connection: AsyncConnection, order_id: str, number: int) -> None:
    """Note that the order's process is to take a revision in, and have it told."""
    await connection.execute(_WRITE, {"order_id": order_id, "number": number})
    notice = outbox.to_order(order_id, Notice.REOPTIMISED, {"number": number}, key=f"reoptimised:{number}")
    await outbox.write(connection, notice)


# --- what the orders' processes apply -------------------------------------------------------------------------------


TAKE_IN: Final = """
UPDATE reoptimisations SET applied_at = statement_timestamp()
WHERE order_id = :id AND applied_at IS NULL RETURNING number
"""
"""Says of the order `:id` that its process has all changes from now on: for a statement that reads the order for it."""
_MARK_APPLIED: Final = text(TAKE_IN)


async def mark_applied(connection: AsyncConnection, order_id: str) -> list[int]:
    """The numbers of the changes that the order's process has from now on, and had not before."""
    return sorted(await connection.scalars(_MARK_APPLIED, {"id": order_id}))


_NOT_APPLIED = text("""
SELECT number FROM reoptimisations WHERE order_id = :order_id AND applied_at IS NULL ORDER BY number
""")


async def not_applied(connection: AsyncConnection, order_id: str) -> list[int]:
    """The numbers of the changes that the order's process does not know of."""
    return list(await connection.scalars(_NOT_APPLIED, {"order_id": order_id}))
