"""The queue of waiting orders as the database knows it, and what there is to deal out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.channels.channel import DEFAULT_PRIORITY
from dom.exceptions import ExceptionKind
from dom.network import ShippingMethod
from dom.stock.allocation import Balance, Limit, WaitingOrder
from store.backorders.failed_nodes import failed
from store.stock import terms

DECLINED_SECONDS: Final = 6 * 60 * 60
"""How long units that an order had and did not use are not granted to it again, unless their node changed since."""

# Orders that are to be shipped complete tie SKUs together: who is served of one depends on who stands in line for all.
_REACH = text("""
WITH RECURSIVE reach (sku) AS (
    SELECT unnest(CAST(:skus AS text[]))
    UNION
    SELECT other.sku FROM reach r JOIN order_lines l ON l.sku = r.sku AND l.backordered > 0
    JOIN orders o ON o.id = l.order_id AND o.ship_complete AND o.sourced_on_stock
    JOIN order_lines other ON other.order_id = o.id AND other.backordered > 0
)
SELECT sku FROM reach
WHERE EXISTS (SELECT FROM order_lines l JOIN orders o ON o.id = l.order_id AND o.sourced_on_stock
              WHERE l.sku = reach.sku AND l.backordered > 0) ORDER BY sku
""")


async def reach(connection: AsyncConnection, skus: Iterable[str]) -> list[str]:
    """Those of the SKUs that orders wait for, and the SKUs that are tied to them."""
    return list(await connection.scalars(_REACH, {"skus": sorted(set(skus))}))


_WAITED_FOR = text("""
SELECT DISTINCT l.sku FROM order_lines l JOIN orders o ON o.id = l.order_id AND o.sourced_on_stock
WHERE l.backordered > 0 ORDER BY l.sku
""")


async def waited_for(connection: AsyncConnection) -> list[str]:
    """Every SKU that an order waits for."""
    return list(await connection.scalars(_WAITED_FOR))


_ON_STOCK = text("""
UPDATE orders SET sourced_on_stock = :wakes WHERE id = :id AND sourced_on_stock <> :wakes
""")


async def set_sourced_on_stock(connection: AsyncConnection, order_id: str, wakes: bool) -> None:
    """Say whether an order stands in line for what comes in; its policy's strategy may want it otherwise."""
    await connection.execute(_ON_STOCK, {"id": order_id, "wakes": wakes})


_ANYTHING = text("""
SELECT EXISTS (SELECT FROM stock WHERE sku = ANY(:skus) AND free_units(on_hand, reserved, 0, safety_stock) > 0)
""")


async def anything_free(connection: AsyncConnection, skus: Sequence[str]) -> bool:
    """Whether there may be units to deal out; a look without a lock."""
    return bool(await connection.scalar(_ANYTHING, {"skus": skus}))


_LOCK = text("""
SELECT s.node_id, s.sku FROM stock s JOIN (
    SELECT node_id, sku FROM stock WHERE sku = ANY(:skus) AND (:all_nodes OR on_hand > reserved)
    UNION SELECT * FROM unnest(CAST(:also_nodes AS text[]), CAST(:also_skus AS text[]))) k USING (node_id, sku)
ORDER BY s.node_id, s.sku FOR NO KEY UPDATE OF s
""")
_RECLAIM = text("SELECT reclaim_lapsed(CAST(:nodes AS text[]), CAST(:skus AS text[]))")


async def lock_balances(
    connection: AsyncConnection, skus: Sequence[str], also: Sequence[Balance] | None = None
) -> list[Balance]:
    """Lock what there is of the SKUs, in the one order. With `also` every balance of them, and those named there."""
    rows = await connection.execute(
        _LOCK,
        {
            "skus": skus,
            "all_nodes": also is not None,
            "also_nodes": [node for node, _ in also or ()],
            "also_skus": [sku for _, sku in also or ()],
        },
    )
    return [(node, sku) for node, sku in rows]


_FREE = text("""
SELECT s.node_id, s.sku, free_units(s.on_hand, s.reserved, s.reserved_soft, s.safety_stock) AS units
FROM stock s JOIN unnest(CAST(:nodes AS text[]), CAST(:skus AS text[])) AS k (node_id, sku) USING (node_id, sku)
JOIN nodes n ON n.id = s.node_id JOIN skus g ON g.id = s.sku
WHERE n.active AND coalesce(CAST(g.document->>'release_on' AS date)
                            <= (statement_timestamp() AT TIME ZONE (n.document->>'time_zone'))::date, true)
""")
_LIMITS = text(f"""
SELECT c.channel, s.node_id, s.sku, {terms.BUFFER} AS buffer, {terms.SHARE} AS share
FROM stock s JOIN unnest(CAST(:nodes AS text[]), CAST(:skus AS text[])) AS k (node_id, sku) USING (node_id, sku)
CROSS JOIN unnest(CAST(:channels AS text[])) AS c (channel) {terms.rules("c.channel")}
WHERE coalesce(rule_1.channel, rule_2.channel, rule_3.channel, rule_4.channel) IS NOT NULL
""")


async def free(connection: AsyncConnection, balances: Sequence[Balance]) -> dict[Balance, int]:
    """What OFL may take of locked balances now; what lapsed is reclaimed, and a preorder is not sent before its day."""
    keys = _keys(balances)
    await connection.execute(_RECLAIM, keys)
    rows = await connection.execute(_FREE, keys)
    return {(row.node_id, row.sku): row.units for row in rows}


async def limits(
    connection: AsyncConnection, balances: Sequence[Balance], channels: Iterable[str]
) -> dict[tuple[str, Balance], Limit]:
    """What the channels may have of the balances, where a rule says so."""
    rows = await connection.execute(_LIMITS, _keys(balances) | {"channels": sorted(channels)})
    return {(row.channel, (row.node_id, row.sku)): Limit(row.buffer, row.share) for row in rows}


_STANDING = text(f"""
SELECT o.id, o.channel, o.ship_complete AND h.id IS NOT NULL AS dealt_anew
FROM orders o LEFT JOIN channels c ON c.id = o.channel
LEFT JOIN soft_reservations h ON h.backorder_of = o.id AND h.status = 'active'
LEFT JOIN first_claims k ON k.order_id = o.id AND k.sku = ANY(:skus)
WHERE o.id IN (SELECT order_id FROM order_lines WHERE sku = ANY(:skus) AND backordered > 0) AND o.sourced_on_stock
  AND NOT EXISTS (
      SELECT FROM exceptions e
      WHERE e.order_id = o.id AND e.kind = '{ExceptionKind.BACKORDER_NO_PROCESS}' AND e.status = 'open')
ORDER BY k.claimed_at, coalesce(o.priority, c.priority, :priority), o.placed_at, o.id
""")


@dataclass(frozen=True, slots=True)
class QueueEntry:
    """An order in line. `dealt_anew`: what is allocated to it may be dealt out anew."""

    order_id: str
    channel: str
    dealt_anew: bool


async def in_line(connection: AsyncConnection, skus: Sequence[str]) -> list[QueueEntry]:
    """Who waits for the SKUs, in the order of their places: first those that gave their units
    to another order. Orders whose process is gone do not stand in line."""
    rows = await connection.execute(_STANDING, {"skus": skus, "priority": DEFAULT_PRIORITY})
    return [QueueEntry(row.id, row.channel, row.dealt_anew) for row in rows]


_STILL = text("SELECT id FROM orders WHERE id = ANY(:ids) FOR NO KEY UPDATE SKIP LOCKED")
# The store that other nodes may send the order's goods to, where the policy lets them.
_STORE: Final = f"""
SELECT n.id, coalesce(p.terms->>'service', '{ShippingMethod.STANDARD}') AS service,
       n.document->'address'->>'country' AS country
FROM nodes n JOIN (
    SELECT document->'collection'->'ship_to_store' AS terms FROM policies ORDER BY version DESC LIMIT 1) p
  ON jsonb_typeof(p.terms) = 'object'
WHERE n.id = o.document->>'pickup_node' AND n.active AND (n.document->>'pickup')::boolean"""
_ORDERS = text(f"""
SELECT o.id, o.channel, coalesce(o.priority, c.priority, :priority) AS priority, o.placed_at, o.captured_at,
       o.ship_complete, CASE WHEN s.service IS NULL THEN o.document->>'pickup_node' END AS pickup_node,
       coalesce(h.ready, false) AS ready,
       (SELECT jsonb_object_agg(sku, units) FROM (
            SELECT sku, sum(backordered) AS units FROM order_lines
            WHERE order_id = o.id AND backordered > 0 AND (o.ship_complete OR sku = ANY(:skus)) GROUP BY sku) w)
           AS wanted,
       (SELECT jsonb_agg(jsonb_build_array(node_id, sku, units)) FROM (
            SELECT node_id, sku, sum(quantity) AS units FROM reservations
            WHERE soft_id = h.id AND status = 'active' AND expires_at > statement_timestamp() GROUP BY node_id, sku) r)
           AS allocated,
       (SELECT jsonb_agg(n.id) FROM nodes n WHERE n.id = ANY(:nodes)
        AND NOT CASE WHEN o.document->>'shipping_method' = 'pickup' AND (s.service IS NULL OR n.id = s.id)
                         THEN (n.document->>'pickup')::boolean
                     WHEN o.document->>'shipping_method' = 'pickup'
                         THEN n.document->'services' ? s.service
                              AND (n.document->'ships_to' = '[]' OR n.document->'ships_to' ? s.country)
                     ELSE n.document->'services' ? (o.document->>'shipping_method')
                          AND (n.document->'ships_to' = '[]'
                               OR n.document->'ships_to' ? (o.document->'ship_to'->>'country'))
                END) AS excluded,
       (SELECT jsonb_agg(balance) FROM jsonb_each_text(h.declined) AS d (balance, at)
        JOIN nodes n ON n.id = split_part(d.balance, '/', 1) AND n.updated_at < d.at::timestamptz
        WHERE d.at::timestamptz > statement_timestamp() - make_interval(secs => :declined)) AS declined,
       (SELECT jsonb_build_array(k.node_id, k.sku) FROM first_claims k
        WHERE k.order_id = o.id AND k.counted_on >= (statement_timestamp() AT TIME ZONE 'UTC')::date) AS claimed,
       (SELECT jsonb_agg(DISTINCT node_id || '/' || sku) FROM ({failed("o.id")}) each) AS failed
FROM orders o LEFT JOIN channels c ON c.id = o.channel LEFT JOIN soft_reservations h ON h.backorder_of = o.id
LEFT JOIN LATERAL ({_STORE}) s ON true
WHERE o.id = ANY(:ids)
""")


@dataclass(frozen=True, slots=True)
class InLine:
    """A waiting order as it stands now, and whether it is to take what is allocated to it."""

    order: WaitingOrder
    ready: bool


async def still(
    connection: AsyncConnection, order_ids: Sequence[str], skus: Sequence[str], nodes: Sequence[str]
) -> dict[str, InLine]:
    """The orders as they stand, held still until the transaction ends; one whose units are on the move is left out.

    A node that rejected the order's units, or did not find them, is left out for them until goods come in there or it
    counted them.
    """
    found = list(await connection.scalars(_STILL, {"ids": order_ids}))
    parameters = {
        "ids": found,
        "skus": skus,
        "nodes": nodes,
        "priority": DEFAULT_PRIORITY,
        "declined": DECLINED_SECONDS,
    }
    rows = (await connection.execute(_ORDERS, parameters)).mappings() if found else ()
    return {row["id"]: InLine(_order(row), row["ready"]) for row in rows}


def _order(row: RowMapping) -> WaitingOrder:
    return WaitingOrder(
        order_id=row["id"],
        channel=row["channel"],
        priority=row["priority"],
        placed_at=row["placed_at"],
        since=row["captured_at"],
        wanted=_units(row["wanted"]),
        ship_complete=row["ship_complete"],
        pickup_node=row["pickup_node"],
        excluded_nodes=frozenset(row["excluded"] or ()),
        declined=frozenset(_balance(each) for each in (*(row["declined"] or ()), *(row["failed"] or ()))),
        claimed=tuple(row["claimed"]) if row["claimed"] else None,
        allocated={(node, sku): int(units) for node, sku, units in row["allocated"] or ()},
    )


def _units(found: Mapping[str, Any] | None) -> dict[str, int]:
    return {sku: int(units) for sku, units in (found or {}).items()}


def _balance(name: str) -> Balance:
    node, _, sku = name.partition("/")
    return node, sku


def _keys(balances: Sequence[Balance]) -> dict[str, list[str]]:
    return {"nodes": [node for node, _ in balances], "skus": [sku for _, sku in balances]}
