"""Re-allocation in the database: units that orders wait for, work that could give, and goods on their way."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.channels.channel import DEFAULT_PRIORITY
from dom.exceptions import ExceptionKind
from dom.orders.events import EventKind
from dom.orders.holds import BlockedStep
from dom.orders.status import UNBEGUN
from dom.sourcing.models import Demand, DemandLine
from dom.sourcing.policy.document import LeftOver, Policy, Then
from dom.sourcing.policy.stock_terms import ReallocationTerms
from dom.sourcing.reallocation import Claim, DueGoods, Endangered, Forecast, Giver
from store.backorders.failed_nodes import failed
from store.database.parameters import listed, to_json
from store.inbound import terms as inbound
from store.stock import terms

_UNBEGUN_WORK: Final = listed(UNBEGUN)
_HELD: Final = f"""EXISTS (
    SELECT FROM order_holds h WHERE h.order_id = o.id AND h.released_at IS NULL
    AND h.blocks && ARRAY['{BlockedStep.SOURCING}', '{BlockedStep.RELEASE}'])"""
_DEMAND: Final = """
CROSS JOIN LATERAL (
    SELECT document->'demand' AS demand, document->'decision'->>'strategy' AS strategy FROM sourcing_decisions
    WHERE order_id = o.id ORDER BY attempt DESC LIMIT 1) d
CROSS JOIN LATERAL (
    SELECT array_agg(DISTINCT n.node) AS excluded FROM sourcing_decisions e
    CROSS JOIN LATERAL jsonb_array_elements_text(e.document->'demand'->'excluded_nodes') AS n (node)
    WHERE e.order_id = o.id) x"""
_ALLOCATED: Final = """
(SELECT jsonb_object_agg(sku, units) FROM (
    SELECT r.sku, sum(r.quantity) AS units FROM soft_reservations h JOIN reservations r ON r.soft_id = h.id
    WHERE h.backorder_of = o.id AND r.status = 'active' AND r.expires_at > statement_timestamp() GROUP BY r.sku) a)"""
_STANDS_IN_LINE: Final = f"""o.sourced_on_stock AND NOT EXISTS (
    SELECT FROM exceptions e
    WHERE e.order_id = o.id AND e.kind = '{ExceptionKind.BACKORDER_NO_PROCESS}' AND e.status = 'open')"""
_MOST: Final = 200
"""Orders that are looked at together, on either side."""

_TAKERS = text(f"""
SELECT o.id, o.ship_complete, d.demand, x.excluded, {_ALLOCATED} AS allocated,
       least(o.promise_latest, (SELECT min(l.promised) FROM order_lines l
                                WHERE l.order_id = o.id AND l.backordered > 0)) AS told,
       (SELECT jsonb_agg(jsonb_build_array(l.line_id, l.sku, l.backordered, l.unit_price) ORDER BY l.position)
        FROM order_lines l WHERE l.order_id = o.id AND l.backordered > 0) AS lines,
       (SELECT jsonb_agg(DISTINCT jsonb_build_array(node_id, sku)) FROM ({failed("o.id")}) each) AS failed
FROM orders o {_DEMAND}
WHERE {_STANDS_IN_LINE} AND o.document->>'shipping_method' <> 'pickup' AND NOT {_HELD}
  AND (o.promise_latest IS NOT NULL OR d.demand->>'requested_by' IS NOT NULL)
  AND o.id IN (SELECT l.order_id FROM order_lines l WHERE l.backordered > 0
               AND (CAST(:skus AS text[]) IS NULL OR l.sku = ANY(:skus)))
  AND (CAST(:ids AS text[]) IS NULL OR o.id = ANY(:ids))
  AND coalesce((CAST(:weights AS jsonb)->>coalesce(d.demand->>'customer_class', ''))::float, CAST(:unnamed AS float))
      > CAST(:lightest AS float)
ORDER BY coalesce(o.promise_latest, (d.demand->>'requested_by')::timestamptz), o.id LIMIT {_MOST}
""")
_GIVERS = text(f"""
SELECT f.id, f.node_id, o.ship_complete, d.demand, d.strategy, x.excluded,
       least(o.promise_latest, (SELECT min(ol.promised) FROM fulfilment_lines l
                                JOIN order_lines ol USING (order_id, line_id)
                                WHERE l.fulfilment_id = f.id AND l.quantity > 0)) AS told,
       (SELECT jsonb_agg(jsonb_build_array(l.line_id, l.sku, l.quantity, ol.unit_price) ORDER BY l.line_id)
        FROM fulfilment_lines l JOIN order_lines ol USING (order_id, line_id)
        WHERE l.fulfilment_id = f.id AND l.quantity > 0) AS lines,
       EXISTS (SELECT FROM order_lines w WHERE w.order_id = o.id AND w.backordered > 0) AS waits
FROM fulfilments f JOIN orders o ON o.id = f.order_id {_DEMAND}
WHERE f.status IN ({_UNBEGUN_WORK}) AND f.method <> 'pickup' AND f.pickup_node IS NULL
  AND o.promise_latest IS NOT NULL AND NOT {_HELD}
  AND EXISTS (SELECT FROM fulfilment_lines l WHERE l.fulfilment_id = f.id AND l.quantity > 0 AND l.sku = ANY(:skus))
  AND NOT EXISTS (
      SELECT FROM timeline t WHERE t.order_id = o.id
      AND (t.kind = '{EventKind.MOVED}' AND t.data ? 'to' AND t.data->'fulfilments' ? f.id
           OR t.kind = '{EventKind.REALLOCATED}' AND t.data->>'role' = 'gave'))
  AND NOT EXISTS (SELECT FROM reoptimisations s WHERE s.order_id = o.id AND s.applied_at IS NULL)
  AND (CAST(:ids AS text[]) IS NULL OR f.id = ANY(:ids))
ORDER BY o.promise_latest DESC, f.id LIMIT {_MOST}
""")


async def takers(
    connection: AsyncConnection,
    now: datetime,
    terms: ReallocationTerms,
    *,
    skus: Sequence[str] | None = None,
    ids: Sequence[str] | None = None,
) -> list[Endangered]:
    """Units that orders wait for and that are not allocated to them, by order and SKU, where their customer was
    promised or wants them by some day, and is of a class that others may give to: those of the orders `ids`, or of
    SKUs, or (None) all; the most urgent first.
    """
    weighed = {"weights": to_json(dict(terms.classes)), "unnamed": terms.weight(""), "lightest": terms.lightest}
    rows = await connection.execute(_TAKERS, {"skus": _listed(skus), "ids": _listed(ids), **weighed})
    return [each for row in rows.mappings() for each in _endangered(row, now) if skus is None or each.sku in skus]


def _listed(asked: Sequence[str] | None) -> list[str] | None:
    return None if asked is None else sorted(asked)


def _endangered(row: RowMapping, now: datetime) -> list[Endangered]:
    allocated = {sku: int(units) for sku, units in (row["allocated"] or {}).items()}
    lacking: dict[str, list[DemandLine]] = {}
    for line_id, sku, units, unit_price in row["lines"]:
        has = min(units, allocated.get(sku, 0))
        allocated[sku] = allocated.get(sku, 0) - has
        if units > has:
            line = DemandLine(line_id=line_id, sku=sku, quantity=units - has, unit_price=unit_price)
            lacking.setdefault(sku, []).append(line)
    all_of_it = sum([units for _, _, units, _ in row["lines"]])
    missing = sum([line.quantity for lines in lacking.values() for line in lines])
    if row["ship_complete"] and (len(lacking) > 1 or missing < all_of_it):
        return []  # it is shipped whole: what it lacks of one SKU is not sent by itself
    nodes = {sku: {node for node, failed_sku in row["failed"] or () if failed_sku == sku} for sku in lacking}
    return [Endangered(_demand(row, lines, now, nodes[sku]), sku, _due(row)) for sku, lines in sorted(lacking.items())]


def _due(row: RowMapping) -> datetime:
    told: datetime | None = row["told"]
    return told if told is not None else datetime.fromisoformat(row["demand"]["requested_by"])


def _demand(
    row: RowMapping, lines: Sequence[DemandLine], now: datetime, nodes: set[str], deliver_by: datetime | None = None
) -> Demand:
    known = Demand.model_validate(row["demand"])
    asked = {
        "as_of": now,
        "lines": tuple(lines),
        "excluded_nodes": frozenset(row["excluded"] or ()) | nodes,
        "deliver_by": deliver_by,
    }
    return Demand.model_validate({**dict(known), **asked})


async def givers(
    connection: AsyncConnection, skus: Sequence[str], now: datetime, policy: Policy, *, ids: Sequence[str] | None = None
) -> list[Giver]:
    """Work that no node has begun and that has units of the SKUs, of orders that may give: those whose promise ends
    last first. Left out is what a person holds or moved to a named node, what the customer collects, and who gave
    before.
    """
    rows = await connection.execute(_GIVERS, {"skus": sorted(skus), "ids": _listed(ids)})
    return [_giver(row, now, policy) for row in rows.mappings()]


def _giver(row: RowMapping, now: datetime, policy: Policy) -> Giver:
    lines = [DemandLine(line_id=i, sku=sku, quantity=n, unit_price=price) for i, sku, n, price in row["lines"]]
    place = policy.position(row["strategy"])
    strategy = policy.strategies[place] if place is not None else None
    may_wait = (
        strategy is not None
        and strategy.retry.on_stock
        and strategy.on_none.then is Then.BACKORDER
        and strategy.split.left_over is LeftOver.UNITS
        and not row["ship_complete"]
        and not row["waits"]
    )
    days = strategy.retry.cancel_after_days if strategy is not None else 0
    return Giver(_demand(row, lines, now, set(), row["told"]), row["id"], row["node_id"], may_wait, days)


# --- goods on their way ----------------------------------------------------------------------------------------------

_ARRIVALS = text(f"""
SELECT l.sku, i.node_id, greatest(i.due_on, :today) AS day, sum({inbound.COUNTED})::int AS units
FROM inbound_lines l JOIN inbound i USING (reference) JOIN nodes n ON n.id = i.node_id AND n.active
WHERE l.sku = ANY(:skus) AND {inbound.OPEN} AND (i.due_on >= :today OR i.status = 'in_transit')
  AND (i.kind <> 'transfer' OR i.status = 'in_transit')
GROUP BY 1, 2, 3 HAVING sum({inbound.COUNTED}) > 0 ORDER BY 1, 3, 2
""")
_SHORT = text(f"""
SELECT s.sku, s.node_id, -({terms.FREE_FOR_OFL}) AS units FROM stock s
WHERE s.sku = ANY(:skus) AND {terms.FREE_FOR_OFL} < 0
""")
_LINE = text(f"""
SELECT l.sku, o.id, sum(l.backordered)::int AS units, {_ALLOCATED} AS allocated, k.order_id IS NOT NULL AS first
FROM order_lines l JOIN orders o ON o.id = l.order_id LEFT JOIN channels c ON c.id = o.channel
LEFT JOIN first_claims k ON k.order_id = o.id AND k.sku = l.sku
WHERE l.sku = ANY(:skus) AND l.backordered > 0 AND {_STANDS_IN_LINE}
GROUP BY l.sku, o.id, c.priority, k.order_id, k.claimed_at
ORDER BY l.sku, k.claimed_at, coalesce(o.priority, c.priority, :priority), o.placed_at, o.id
""")


@dataclass(slots=True)
class _Known:
    arrivals: list[DueGoods] = field(default_factory=list)
    line: list[Claim] = field(default_factory=list)


async def forecasts(connection: AsyncConnection, skus: Sequence[str], today: date) -> dict[str, Forecast]:
    """What is known of each SKU: goods on their way that are counted on, and who stands in line for them.

    What a node is short of, as for its safety stock, comes off what arrives there first.
    """
    names = {"skus": sorted(skus), "today": today, "priority": DEFAULT_PRIORITY}
    short = {
        (row.node_id, row.sku): int(row.units) for row in await connection.execute(_SHORT, {"skus": names["skus"]})
    }
    found = {sku: _Known() for sku in skus}
    for row in await connection.execute(_ARRIVALS, {"skus": names["skus"], "today": today}):
        gone = min(short.get((row.node_id, row.sku), 0), row.units)
        short[row.node_id, row.sku] = short.get((row.node_id, row.sku), 0) - gone
        if row.units > gone:
            found[row.sku].arrivals.append(DueGoods(row.day, row.node_id, row.units - gone))
    for row in await connection.execute(_LINE, {"skus": names["skus"], "priority": DEFAULT_PRIORITY}):
        lacking = row.units - int(_of(row.allocated, row.sku))
        if lacking > 0:
            found[row.sku].line.append(Claim(row.id, lacking, row.first))
    return {sku: Forecast(tuple(known.arrivals), tuple(known.line)) for sku, known in found.items()}


def _of(allocated: Mapping[str, Any] | None, sku: str) -> Any:
    return (allocated or {}).get(sku, 0)
