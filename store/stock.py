"""Stock: balances, the ledger behind them, and reservations. A balance changes only together with its ledger entry.

Reservation is one conditional statement: rows are locked in (node, SKU) order, everything is taken or nothing is.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from store.kinds import LedgerKind


@dataclass(frozen=True, slots=True)
class Reserved:
    """Units of one order line that a fulfilment takes at a node."""

    fulfilment_id: str
    line_id: str
    node_id: str
    sku: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Movement:
    """A change of on hand outside the order flow; the business key makes it happen once."""

    node_id: str
    sku: str
    quantity: int
    kind: LedgerKind
    reason: str
    business_key: str


class OutOfReach(Exception):
    """The stock or capacity the plan counted on was taken meanwhile; plan again on a fresh snapshot."""


_RESERVE = text("""
WITH wanted AS (
    SELECT * FROM unnest(CAST(:nodes AS text[]), CAST(:skus AS text[]), CAST(:quantities AS int[]))
        AS w (node_id, sku, quantity)
), locked AS (
    SELECT node_id, sku, w.quantity, s.on_hand - s.reserved - s.safety_stock AS available
    FROM stock s JOIN wanted w USING (node_id, sku) ORDER BY node_id, sku FOR UPDATE OF s
), whole AS (
    SELECT count(*) = cardinality(CAST(:nodes AS text[])) AND bool_and(available >= quantity) AS fits FROM locked
), taken AS (
    UPDATE stock s SET reserved = s.reserved + l.quantity, updated_at = now()
    FROM locked l, whole WHERE whole.fits AND s.node_id = l.node_id AND s.sku = l.sku
    RETURNING s.node_id, s.sku
), held AS (
    INSERT INTO reservations (kind, status, node_id, sku, quantity, order_id, line_id, fulfilment_id)
    SELECT 'firm', 'active', t.node_id, t.sku, u.quantity, :order_id, u.line_id, u.fulfilment_id
    FROM unnest(CAST(:u_fulfilments AS text[]), CAST(:u_lines AS text[]), CAST(:u_nodes AS text[]),
                CAST(:u_skus AS text[]), CAST(:u_quantities AS int[]))
        AS u (fulfilment_id, line_id, node_id, sku, quantity) JOIN taken t USING (node_id, sku)
    RETURNING fulfilment_id, node_id, sku, quantity
), noted AS (
    INSERT INTO stock_ledger (node_id, sku, kind, on_hand_delta, reserved_delta, business_key, order_id, actor,
                              occurred_at)
    SELECT node_id, sku, 'reserve', 0, sum(quantity), fulfilment_id || '/reserve', :order_id, 'ofl', :at
    FROM held GROUP BY fulfilment_id, node_id, sku
)
SELECT count(*) FROM taken
""")


async def reserve(connection: AsyncConnection, order_id: str, units: Sequence[Reserved], at: datetime) -> None:
    """Reserve every unit or none. Raises OutOfReach if any balance no longer covers its part."""
    wanted: defaultdict[tuple[str, str], int] = defaultdict(int)
    for unit in units:
        wanted[unit.node_id, unit.sku] += unit.quantity
    parameters = {
        "order_id": order_id,
        "at": at,
        "nodes": [node for node, _ in wanted],
        "skus": [sku for _, sku in wanted],
        "quantities": list(wanted.values()),
        "u_fulfilments": [u.fulfilment_id for u in units],
        "u_lines": [u.line_id for u in units],
        "u_nodes": [u.node_id for u in units],
        "u_skus": [u.sku for u in units],
        "u_quantities": [u.quantity for u in units],
    }
    if await connection.scalar(_RESERVE, parameters) != len(wanted):
        raise OutOfReach(order_id)


_TAKE_DAY = text("""
INSERT INTO node_days AS d (node_id, day, used)
SELECT id, CAST(:day AS date), 1 FROM nodes WHERE id = :node_id AND daily_capacity > 0
ON CONFLICT (node_id, day) DO UPDATE SET used = d.used + 1
WHERE d.used < (SELECT daily_capacity FROM nodes WHERE id = :node_id) RETURNING used
""")


async def take_capacity(connection: AsyncConnection, days: Iterable[tuple[str, date]]) -> None:
    """Take one fulfilment's worth of each (node, day), in a fixed order. Raises OutOfReach where a day is full."""
    for node_id, day in sorted(days):
        if await connection.scalar(_TAKE_DAY, {"node_id": node_id, "day": day}) is None:
            raise OutOfReach(f"{node_id} {day}")


_GIVE_DAY_BACK = text("UPDATE node_days SET used = used - 1 WHERE node_id = :node_id AND day = :day AND used > 0")


async def give_capacity_back(connection: AsyncConnection, node_id: str, day: date) -> None:
    """A fulfilment that will not be worked on frees its place in the node's day."""
    await connection.execute(_GIVE_DAY_BACK, {"node_id": node_id, "day": day})


_RELEASE = text("""
WITH asked AS (
    SELECT * FROM unnest(CAST(:lines AS text[]), CAST(:quantities AS int[])) AS a (line_id, quantity)
), let_go AS (
    UPDATE reservations r SET quantity = r.quantity - a.quantity,
        status = CASE WHEN r.quantity = a.quantity THEN 'released' ELSE r.status END
    FROM asked a WHERE r.fulfilment_id = :fulfilment_id AND r.line_id = a.line_id AND r.status = 'active'
    RETURNING r.node_id, r.sku, a.quantity
), summed AS (
    SELECT node_id, sku, sum(quantity) AS quantity FROM let_go GROUP BY node_id, sku
), locked AS (
    SELECT node_id, sku FROM stock JOIN summed USING (node_id, sku) ORDER BY node_id, sku FOR UPDATE OF stock
), freed AS (
    UPDATE stock s SET reserved = s.reserved - f.quantity, updated_at = now()
    FROM summed f JOIN locked USING (node_id, sku) WHERE s.node_id = f.node_id AND s.sku = f.sku
    RETURNING s.node_id, s.sku, f.quantity
)
INSERT INTO stock_ledger (node_id, sku, kind, on_hand_delta, reserved_delta, business_key, order_id, reason, actor,
                          occurred_at)
SELECT node_id, sku, 'release', 0, -quantity, :business_key, :order_id, :reason, :actor, :at FROM freed
""")


async def release(
    connection: AsyncConnection,
    order_id: str,
    fulfilment_id: str,
    quantities: dict[str, int],
    *,
    business_key: str,
    reason: str,
    actor: str,
    at: datetime,
) -> None:
    """Give reserved units of a fulfilment's lines back to availability."""
    await connection.execute(
        _RELEASE,
        {
            "order_id": order_id,
            "fulfilment_id": fulfilment_id,
            "lines": list(quantities),
            "quantities": list(quantities.values()),
            "business_key": business_key,
            "reason": reason,
            "actor": actor,
            "at": at,
        },
    )


_CONSUME = text("""
WITH gone AS (
    UPDATE reservations SET status = 'consumed' WHERE fulfilment_id = :fulfilment_id AND status = 'active'
    RETURNING node_id, sku, quantity
), summed AS (
    SELECT node_id, sku, sum(quantity) AS quantity FROM gone GROUP BY node_id, sku
), locked AS (
    SELECT node_id, sku FROM stock JOIN summed USING (node_id, sku) ORDER BY node_id, sku FOR UPDATE OF stock
), shipped AS (
    UPDATE stock s SET on_hand = s.on_hand - f.quantity, reserved = s.reserved - f.quantity, updated_at = now()
    FROM summed f JOIN locked USING (node_id, sku) WHERE s.node_id = f.node_id AND s.sku = f.sku
    RETURNING s.node_id, s.sku, f.quantity
)
INSERT INTO stock_ledger (node_id, sku, kind, on_hand_delta, reserved_delta, business_key, order_id, actor, occurred_at)
SELECT node_id, sku, 'ship', -quantity, -quantity, :fulfilment_id || '/ship', :order_id, :actor, :at FROM shipped
""")


async def consume(connection: AsyncConnection, order_id: str, fulfilment_id: str, *, actor: str, at: datetime) -> None:
    """The goods left the node: on hand and reserved fall together."""
    await connection.execute(_CONSUME, {"order_id": order_id, "fulfilment_id": fulfilment_id, "actor": actor, "at": at})


_MOVE = text("""
WITH fresh AS (
    SELECT 1 WHERE NOT EXISTS (
        SELECT FROM stock_ledger WHERE business_key = :business_key AND node_id = :node_id AND sku = :sku)
), known AS (
    UPDATE stock SET on_hand = on_hand + :quantity, updated_at = now()
    WHERE node_id = :node_id AND sku = :sku AND EXISTS (SELECT FROM fresh)
    RETURNING on_hand, reserved, safety_stock
), opened AS (
    INSERT INTO stock AS s (node_id, sku, on_hand) SELECT :node_id, :sku, :quantity FROM fresh
    WHERE NOT EXISTS (SELECT FROM known)
    ON CONFLICT (node_id, sku) DO UPDATE SET on_hand = s.on_hand + EXCLUDED.on_hand, updated_at = now()
    RETURNING on_hand, reserved, safety_stock
), moved AS (
    SELECT * FROM known UNION ALL SELECT * FROM opened
), noted AS (
    INSERT INTO stock_ledger (node_id, sku, kind, on_hand_delta, reserved_delta, business_key, order_id, reason, actor,
                              occurred_at)
    SELECT :node_id, :sku, :kind, :quantity, 0, :business_key, CAST(:order_id AS text), :reason, :actor, :at
    FROM moved
)
SELECT on_hand, reserved, safety_stock, true AS applied FROM moved
UNION ALL
SELECT on_hand, reserved, safety_stock, false FROM stock
WHERE node_id = :node_id AND sku = :sku AND NOT EXISTS (SELECT FROM fresh)
""")


async def move(
    connection: AsyncConnection, movement: Movement, *, actor: str, at: datetime, order_id: str | None = None
) -> RowMapping:
    """Change on hand once per business key, with its ledger entry.

    Answers the balance after the change, and whether this call made it. The database refuses (IntegrityError) what
    would take units that are reserved, or an unknown node or SKU.
    """
    row = await connection.execute(
        _MOVE,
        {
            "node_id": movement.node_id,
            "sku": movement.sku,
            "quantity": movement.quantity,
            "kind": movement.kind,
            "reason": movement.reason,
            "business_key": movement.business_key,
            "order_id": order_id,
            "actor": actor,
            "at": at,
        },
    )
    return row.mappings().one()


_AVAILABILITY = text("""
SELECT s.sku, s.node_id, s.on_hand, s.reserved, s.safety_stock,
       greatest(s.on_hand - s.reserved - s.safety_stock, 0) AS available
FROM stock s JOIN nodes n ON n.id = s.node_id
WHERE s.sku = ANY(:skus) AND n.active AND (CAST(:node_id AS text) IS NULL OR s.node_id = :node_id)
ORDER BY s.sku, s.node_id
""")


async def availability(
    connection: AsyncConnection, skus: Sequence[str], node_id: str | None = None
) -> Sequence[RowMapping]:
    """Balances of the SKUs at every active node, or at one."""
    rows = await connection.execute(_AVAILABILITY, {"skus": list(skus), "node_id": node_id})
    return rows.mappings().all()


_DIFFERENCES = text("""
WITH ledger AS (
    SELECT node_id, sku, sum(on_hand_delta) AS on_hand, sum(reserved_delta) AS reserved
    FROM stock_ledger GROUP BY node_id, sku
), active AS (
    SELECT node_id, sku, sum(quantity) AS reserved FROM reservations WHERE status = 'active' GROUP BY node_id, sku
)
SELECT s.node_id, s.sku, s.on_hand, coalesce(l.on_hand, 0) AS ledger_on_hand, s.reserved,
       coalesce(l.reserved, 0) AS ledger_reserved, coalesce(a.reserved, 0) AS active_reservations
FROM stock s LEFT JOIN ledger l USING (node_id, sku) LEFT JOIN active a USING (node_id, sku)
WHERE s.on_hand <> coalesce(l.on_hand, 0) OR s.reserved <> coalesce(l.reserved, 0)
   OR s.reserved <> coalesce(a.reserved, 0)
ORDER BY s.node_id, s.sku
""")

_TOTALS = text("""
SELECT count(*) AS balances, coalesce(sum(on_hand), 0) AS on_hand, coalesce(sum(reserved), 0) AS reserved,
       (SELECT count(*) FROM stock_ledger) AS ledger_entries,
       (SELECT coalesce(sum(on_hand_delta), 0) FROM stock_ledger) AS ledger_on_hand,
       (SELECT coalesce(sum(reserved_delta), 0) FROM stock_ledger) AS ledger_reserved,
       (SELECT coalesce(sum(quantity), 0) FROM reservations WHERE status = 'active') AS active_reservations
FROM stock
""")


async def check(connection: AsyncConnection) -> tuple[dict[str, Any], Sequence[RowMapping]]:
    """Totals, and every (node, SKU) whose balance differs from its ledger or from its active reservations."""
    totals = (await connection.execute(_TOTALS)).mappings().one()
    return dict(totals), (await connection.execute(_DIFFERENCES)).mappings().all()
