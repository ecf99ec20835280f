"""The work list: fulfilments with their lines and shipment, open work first, by the time they are to be shipped."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final, NamedTuple

from sqlalchemy import RowMapping, TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.orders.events import EventKind
from dom.orders.holds import BlockedStep
from dom.orders.status import BEFORE_HAND_OVER, UNBEGUN
from dom.shared.access import UNLIMITED, Limits
from store.database.parameters import listed
from store.enums import LedgerKind
from store.fulfilment.places import BROUGHT, COLLECTED_AT

_OPEN: Final = ", ".join(f"'{status}'" for status in sorted(BEFORE_HAND_OVER))
"""Written out in the statements, so that the indexes of open and of closed work serve them."""
_PART: Final = {
    "open": f"SELECT false AS closed, f.* FROM fulfilments f WHERE f.status IN ({_OPEN})",
    "closed": f"SELECT true AS closed, f.* FROM fulfilments f WHERE f.status NOT IN ({_OPEN})",
}
_PAGE: Final = """
WITH page AS (SELECT * FROM ({parts}) AS parts ORDER BY closed, ship_by, id LIMIT :limit)
SELECT f.*, o.channel, o.placed_at, coalesce((
           SELECT p.document->'address' || jsonb_build_object('name', p.document->>'name')
           FROM nodes p WHERE p.id = f.pickup_node), o.document->'ship_to') AS ship_to,
       (SELECT jsonb_agg(jsonb_build_object('line_id', l.line_id, 'sku', l.sku, 'quantity', l.quantity)
                         ORDER BY ol.position)
        FROM fulfilment_lines l JOIN order_lines ol USING (order_id, line_id)
        WHERE l.fulfilment_id = f.id AND l.quantity > 0) AS lines,
       s.carrier AS booked_carrier, s.tracking_number, s.id AS shipment_id,
       CASE WHEN c.ended_at IS NULL THEN c.collect_by END AS collect_by,
       coalesce(c.code_required AND c.ended_at IS NULL, false) AS code_required,
       coalesce(c.to_put_back, false) AS to_put_back,
       coalesce(CASE WHEN c.to_put_back THEN (
           SELECT jsonb_agg(jsonb_build_object('sku', b.sku, 'quantity', b.units) ORDER BY b.sku) FROM ({put_back}) b)
       END, '[]') AS units_to_put_back
FROM page f JOIN orders o ON o.id = f.order_id LEFT JOIN collections c ON c.fulfilment_id = f.id
LEFT JOIN LATERAL (
    SELECT s.* FROM shipment_fulfilments sf JOIN shipments s ON s.id = sf.shipment_id
    WHERE sf.fulfilment_id = f.id AND s.status <> 'voided' ORDER BY s.booked_at DESC LIMIT 1) s ON true
ORDER BY f.closed, f.ship_by, f.id
"""
# What was released of it lies there, since it was ready or something of it was put back; its lines have the rest.
_PUT_BACK: Final = f"""
SELECT e.sku, -sum(e.reserved_delta)::int AS units
FROM timeline t JOIN stock_ledger e ON e.business_key = f.id || ':' || t.business_key AND e.node_id = {COLLECTED_AT}
WHERE t.order_id = f.order_id AND e.kind = '{LedgerKind.RELEASE}' AND t.id > (
    SELECT max(r.id) FROM timeline r
    WHERE r.order_id = f.order_id AND r.kind IN ('{EventKind.FULFILMENT_READY}', '{EventKind.PUT_BACK}')
      AND r.data->>'fulfilment_id' = f.id)
GROUP BY e.sku"""
_HELD: Final = f"""EXISTS (
    SELECT FROM order_holds h
    WHERE h.order_id = f.order_id AND h.released_at IS NULL AND '{BlockedStep.RELEASE}' = ANY(h.blocks))"""
_CONDITIONS: Final = {
    "node_id": "f.node_id = :node_id",
    "statuses": "f.status = ANY(CAST(:statuses AS text[]))",
    "order_id": "f.order_id = :order_id",
    "own_nodes": "f.node_id = ANY(CAST(:own_nodes AS text[]))",
    "own_channels": "EXISTS (SELECT FROM orders c WHERE c.id = f.order_id"
    " AND c.channel = ANY(CAST(:own_channels AS text[])))",
    "put_back": "EXISTS (SELECT FROM collections b WHERE b.fulfilment_id = f.id AND b.to_put_back)",
    "released": f"f.released_at <= statement_timestamp() AND NOT (f.status IN ({listed(UNBEGUN)}) AND {_HELD})",
}
_OWN: Final = {
    "put_back": "EXISTS (SELECT FROM collections b WHERE b.fulfilment_id = f.id AND b.to_put_back"
    " AND b.node_id = f.node_id)"
}
"""The same of a node's own work: what it sent to a store is put back there."""
_BROUGHT: Final = {
    "node_id": "f.pickup_node = :node_id",
    "own_nodes": "f.pickup_node = ANY(CAST(:own_nodes AS text[]))",
    "elsewhere": "f.node_id <> ALL(CAST(:own_nodes AS text[]))",
    "brought": BROUGHT,
}
"""The same of goods that a carrier brings to a store, as the store sees them."""
_AFTER: Final = "(f.ship_by, f.id) > (:after_ship_by, :after_id)"


class Position(NamedTuple):
    """Where a row stands in the list."""

    closed: bool
    ship_by: datetime
    id: str


@dataclass(frozen=True, slots=True)
class WorkFilter:
    """Which work is asked for; what is None does not matter."""

    node_id: str | None = None
    statuses: Sequence[str] | None = None
    order_id: str | None = None
    put_back: bool = False
    limits: Limits = UNLIMITED


@cache
def _page(conditions: tuple[str, ...], parts: tuple[str, ...], within: str | None) -> TextClause:
    """The statement with just these conditions: with all of them optional in one, no index would serve it."""
    selects = []
    of_nodes = {"node_id", "own_nodes"} & {*conditions}
    views = ({**_CONDITIONS, **_OWN}, {**_CONDITIONS, **_BROUGHT}) if of_nodes else (_CONDITIONS,)
    for part in parts:
        for known in views:
            asked = [known[name] for name in (*conditions, *_also(known, conditions))]
            where = "".join(f" AND {condition}" for condition in (*asked, *([_AFTER] if part == within else [])))
            selects.append(f"({_PART[part]}{where} ORDER BY ship_by, id LIMIT :limit)")
    return text(_PAGE.format(parts=" UNION ALL ".join(selects), put_back=_PUT_BACK))


def _also(known: Mapping[str, str], conditions: tuple[str, ...]) -> tuple[str, ...]:
    """What else is asked of goods for a store: they left their node, and no row stands in the list twice."""
    if "brought" not in known:
        return ()
    return ("brought", "elsewhere") if "own_nodes" in conditions and "node_id" not in conditions else ("brought",)


def _parts(wanted: WorkFilter, after: Position | None) -> tuple[str, ...]:
    statuses = set(wanted.statuses) if wanted.statuses else None
    is_open = after is None or not after.closed
    has_open = is_open and (statuses is None or bool(statuses & BEFORE_HAND_OVER))
    has_closed = statuses is None or bool(statuses - BEFORE_HAND_OVER)
    return (*(("open",) if has_open else ()), *(("closed",) if has_closed else ()))


async def work_list(
    connection: AsyncConnection,
    wanted: WorkFilter = WorkFilter(),
    *,
    after: Position | None = None,
    limit: int = 100,
) -> Sequence[RowMapping]:
    """What is not handed over yet, the most urgent first; then the rest, by the time it was to be shipped.

    A node's list has its own work, and what a carrier brings there for customers to collect, from when that left the
    node that sends it. What is held back stands in no work list yet; of a single order it is shown. `closed`, `ship_by`
    and `id` of a row are its position.
    """
    parts = _parts(wanted, after)
    if not parts:
        return []
    asked: dict[str, Any] = {
        "node_id": wanted.node_id,
        "statuses": list(wanted.statuses) if wanted.statuses else None,
        "order_id": wanted.order_id,
        "own_nodes": None if wanted.limits.nodes is None else sorted(wanted.limits.nodes),
        "own_channels": None if wanted.limits.channels is None else sorted(wanted.limits.channels),
    }
    filters = {name: value for name, value in asked.items() if value is not None}
    ours = (*(("put_back",) if wanted.put_back else ()), *(() if wanted.order_id else ("released",)))
    conditions = (*filters, *ours)
    position = {"after_ship_by": after.ship_by, "after_id": after.id} if after else {}
    within = None if after is None else "closed" if after.closed else "open"
    rows = await connection.execute(_page(conditions, parts, within), {**filters, **position, "limit": limit})
    return rows.mappings().all()
