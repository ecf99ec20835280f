"""Soft reservations: units held for a cart, a checkout or a waiting order, until they expire.

Expiry needs nobody to act: what lapsed is not counted by reads, and is reclaimed by the next reservation of the row.
Many requests are one statement (`store.stock.grouped` puts them together): each is taken whole or not at all, and
hears its own verdict.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from store.kinds import SoftStatus
from store.rows import to_json
from store.stock import terms


@dataclass(frozen=True, slots=True)
class SoftUnits:
    """Units of a SKU at a node."""

    node_id: str
    sku: str
    quantity: int


@dataclass(frozen=True, slots=True)
class SoftRequest:
    """Units to be held for an owner, for `seconds` from now.

    Only one reservation of an owner is active in a channel. `brokering` counts what OFL may take instead of what may
    be promised. The id makes it happen once.
    """

    id: str
    channel: str
    owner: str
    reason: str
    seconds: int
    units: tuple[SoftUnits, ...]
    document: Mapping[str, Any] = field(default_factory=dict)
    brokering: bool = False


class Verdict(StrEnum):
    """What became of a request.

    `refused`: it does not fit, even alone. `crowded`: it did not fit behind the others of its group, and is to be tried
    again. `repeated`: the id was taken before. `owner_busy`: the owner has another reservation.
    """

    TAKEN = "taken"
    REPEATED = "repeated"
    REFUSED = "refused"
    CROWDED = "crowded"
    OWNER_BUSY = "owner_busy"


_TAKE = text(f"""
WITH request AS (
    SELECT * FROM unnest(CAST(:ids AS text[]), CAST(:channels AS text[]), CAST(:owners AS text[]),
                         CAST(:reasons AS text[]), CAST(:seconds AS int[]), CAST(:documents AS text[]),
                         CAST(:brokerings AS boolean[]))
        WITH ORDINALITY AS q (id, channel, owner, reason, seconds, document, brokering, no)
), known AS (
    SELECT q.no, 'repeated' AS verdict FROM request q JOIN soft_reservations h ON h.id = q.id
    UNION ALL
    SELECT q.no, 'owner_busy' FROM request q
    JOIN soft_reservations h ON h.channel = q.channel AND h.owner = q.owner AND h.status = 'active' AND h.id <> q.id
    UNION ALL
    SELECT no, 'owner_busy'
    FROM (SELECT no, row_number() OVER (PARTITION BY channel, owner ORDER BY no) AS place FROM request) twice
    WHERE place > 1
), wanted AS (
    SELECT u.no, u.node_id, u.sku, sum(u.quantity)::int AS quantity
    FROM unnest(CAST(:u_numbers AS int[]), CAST(:u_nodes AS text[]), CAST(:u_skus AS text[]),
                CAST(:u_quantities AS int[])) AS u (no, node_id, sku, quantity)
    WHERE u.no NOT IN (SELECT no FROM known) GROUP BY u.no, u.node_id, u.sku
), locked AS (
    SELECT s.node_id, s.sku, s.on_hand - s.reserved - s.reserved_soft AS free, s.safety_stock, s.promise_safety
    FROM stock s JOIN (SELECT DISTINCT node_id, sku FROM wanted) k USING (node_id, sku)
    ORDER BY s.node_id, s.sku FOR NO KEY UPDATE OF s
), {terms.RECLAIM}, asked AS (
    SELECT w.no, w.node_id, w.sku, w.quantity, q.brokering, l.safety_stock, l.promise_safety,
           coalesce(l.free + coalesce(c.units, 0), 0) AS free, {terms.BUFFER} AS buffer, {terms.SHARE} AS share,
           sum(w.quantity) OVER (PARTITION BY w.node_id, w.sku ORDER BY w.no) - w.quantity AS ahead
    FROM wanted w JOIN request q USING (no) LEFT JOIN locked l USING (node_id, sku)
    LEFT JOIN reclaimed c USING (node_id, sku)
    {terms.rules("q.channel", "w")}
), weighed AS (
    SELECT a.*, CASE WHEN a.brokering THEN a.safety_stock ELSE greatest(a.safety_stock, a.promise_safety) END AS safety
    FROM asked a
), judged AS (
    SELECT no,
           coalesce(bool_and(quantity <= {terms.allowed("(free - safety - ahead)", "buffer", "share")}), false) AS fits,
           coalesce(bool_and(quantity <= {terms.allowed("(free - safety)", "buffer", "share")}), false) AS fits_alone
    FROM weighed GROUP BY no
), won AS (
    SELECT w.* FROM wanted w JOIN judged j USING (no) WHERE j.fits
), taken AS (
    UPDATE stock s SET reserved_soft = s.reserved_soft + coalesce(t.units, 0) - coalesce(c.units, 0), updated_at = now()
    FROM locked l LEFT JOIN (SELECT node_id, sku, sum(quantity)::int AS units FROM won GROUP BY node_id, sku) t
        USING (node_id, sku) LEFT JOIN reclaimed c USING (node_id, sku)
    WHERE s.node_id = l.node_id AND s.sku = l.sku AND (t.units IS NOT NULL OR c.units IS NOT NULL)
), kept AS (
    INSERT INTO soft_reservations (id, channel, owner, reason, document, expires_at)
    SELECT q.id, q.channel, q.owner, q.reason, q.document::jsonb,
           statement_timestamp() + make_interval(secs => q.seconds)
    FROM request q JOIN judged j USING (no) WHERE j.fits
), held AS (
    INSERT INTO reservations (kind, status, node_id, sku, quantity, soft_id, expires_at)
    SELECT 'soft', 'active', w.node_id, w.sku, w.quantity, q.id,
           statement_timestamp() + make_interval(secs => q.seconds)
    FROM won w JOIN request q USING (no)
), noted AS (
    INSERT INTO stock_ledger (node_id, sku, kind, soft_delta, business_key, reason, actor, occurred_at)
    SELECT w.node_id, w.sku, 'soft_reserve', w.quantity, q.id || '/soft', q.reason, q.channel || ':' || q.owner,
           statement_timestamp()
    FROM won w JOIN request q USING (no)
)
SELECT q.id, CASE WHEN k.verdict IS NOT NULL THEN k.verdict WHEN j.fits THEN 'taken'
                  WHEN j.fits_alone THEN 'crowded' ELSE 'refused' END AS verdict
FROM request q LEFT JOIN (SELECT DISTINCT ON (no) no, verdict FROM known ORDER BY no, verdict DESC) k USING (no)
LEFT JOIN judged j USING (no) ORDER BY q.no
""")


async def take(connection: AsyncConnection, requests: Sequence[SoftRequest]) -> list[Verdict]:
    """Hold the units of each request, whole or not at all, in one statement; a verdict for each, in sequence.

    What the channel may not have (`channel_rules`) is not free for it. The database refuses the whole group
    (IntegrityError) if one names an unknown channel's rule or an id at the same moment as another process: try each
    alone then.
    """
    units = [(number, each) for number, request in enumerate(requests, 1) for each in request.units]
    rows = await connection.execute(
        _TAKE,
        {
            "ids": [r.id for r in requests],
            "channels": [r.channel for r in requests],
            "owners": [r.owner for r in requests],
            "reasons": [r.reason for r in requests],
            "seconds": [r.seconds for r in requests],
            "documents": [to_json(r.document) for r in requests],
            "brokerings": [r.brokering for r in requests],
            "u_numbers": [number for number, _ in units],
            "u_nodes": [each.node_id for _, each in units],
            "u_skus": [each.sku for _, each in units],
            "u_quantities": [each.quantity for _, each in units],
        },
    )
    return [Verdict(row.verdict) for row in rows]


_LET_GO = text("""
WITH mine AS (
    SELECT DISTINCT node_id, sku FROM reservations WHERE soft_id = :id AND status = 'active'
    UNION SELECT * FROM unnest(CAST(:also_nodes AS text[]), CAST(:also_skus AS text[]))
), locked AS (
    SELECT node_id, sku FROM stock JOIN mine USING (node_id, sku) ORDER BY node_id, sku FOR NO KEY UPDATE OF stock
), gone AS (
    UPDATE reservations r SET status = CASE WHEN r.expires_at <= statement_timestamp() THEN 'expired'
                                            ELSE CAST(:status AS text) END
    FROM locked l WHERE r.soft_id = :id AND r.status = 'active' AND r.node_id = l.node_id AND r.sku = l.sku
    RETURNING r.id, r.node_id, r.sku, r.quantity
), freed AS (
    UPDATE stock s SET reserved_soft = s.reserved_soft - g.units, updated_at = now()
    FROM (SELECT node_id, sku, sum(quantity)::int AS units FROM gone GROUP BY node_id, sku) g
    WHERE s.node_id = g.node_id AND s.sku = g.sku
), noted AS (
    INSERT INTO stock_ledger (node_id, sku, kind, soft_delta, business_key, order_id, reason, actor, occurred_at)
    SELECT node_id, sku, CAST(:kind AS text), -quantity, :id || '/' || :status || '/' || id, CAST(:order_id AS text),
           :reason, :actor, statement_timestamp() FROM gone
)
UPDATE soft_reservations SET order_id = CAST(:order_id AS text),
    status = CASE WHEN expires_at <= statement_timestamp() THEN 'expired' ELSE CAST(:status AS text) END
WHERE id = :id AND status = 'active' RETURNING status
""")


async def release(connection: AsyncConnection, soft_id: str, *, reason: str, actor: str) -> bool:
    """Give the units back; False if the reservation is not active (any more)."""
    ended = await _let_go(connection, soft_id, SoftStatus.RELEASED, "soft_release", reason, actor)
    return ended is not None


async def convert(
    connection: AsyncConnection, soft_id: str, order_id: str, also: Sequence[tuple[str, str]] = ()
) -> bool:
    """Give the units back so that the order takes its own in the same transaction; False if they lapsed or are gone.

    The rows the order will take (`also`, as node and SKU) are locked together with the reservation's own, in the one
    fixed order.
    """
    status = await _let_go(
        connection, soft_id, SoftStatus.CONVERTED, "soft_convert", "became an order", "ofl", order_id, also
    )
    return status == SoftStatus.CONVERTED


async def _let_go(
    connection: AsyncConnection,
    soft_id: str,
    status: SoftStatus,
    kind: str,
    reason: str,
    actor: str,
    order_id: str | None = None,
    also: Sequence[tuple[str, str]] = (),
) -> str | None:
    ended: str | None = await connection.scalar(
        _LET_GO,
        {
            "id": soft_id,
            "status": status,
            "kind": kind,
            "reason": reason,
            "actor": actor,
            "order_id": order_id,
            "also_nodes": [node for node, _ in also],
            "also_skus": [sku for _, sku in also],
        },
    )
    return ended


_EXTEND = text("""
WITH mine AS (
    UPDATE soft_reservations
    SET expires_at = greatest(expires_at, statement_timestamp() + make_interval(secs => :seconds))
    WHERE id = :id AND status = 'active' AND expires_at > statement_timestamp() RETURNING id, expires_at
), rows AS (
    UPDATE reservations r SET expires_at = m.expires_at FROM mine m
    WHERE r.soft_id = m.id AND r.status = 'active' AND r.expires_at > statement_timestamp()
)
SELECT expires_at FROM mine
""")


async def extend(connection: AsyncConnection, soft_id: str, seconds: int) -> datetime | None:
    """Hold the units for so many seconds from now, never for less than before; None if they lapsed or are gone."""
    until: datetime | None = await connection.scalar(_EXTEND, {"id": soft_id, "seconds": seconds})
    return until


_GET = text("""
SELECT h.id, h.channel, h.owner, h.reason, h.document, h.order_id, h.expires_at, h.created_at,
       CASE WHEN h.status = 'active' AND h.expires_at <= statement_timestamp() THEN 'expired' ELSE h.status END
           AS status,
       coalesce((SELECT jsonb_agg(jsonb_build_object('node_id', r.node_id, 'sku', r.sku, 'quantity', r.quantity)
                                  ORDER BY r.node_id, r.sku)
                 FROM reservations r WHERE r.soft_id = h.id), '[]') AS units
FROM soft_reservations h WHERE h.id = :id
""")


async def get(connection: AsyncConnection, soft_id: str) -> RowMapping | None:
    """A soft reservation with its units, or None."""
    return (await connection.execute(_GET, {"id": soft_id})).mappings().one_or_none()


_OF_OWNER = text("SELECT id FROM soft_reservations WHERE channel = :channel AND owner = :owner AND status = 'active'")


async def of_owner(connection: AsyncConnection, channel: str, owner: str) -> str | None:
    """The id of the owner's reservation, if one is active; it may have lapsed."""
    found: str | None = await connection.scalar(_OF_OWNER, {"channel": channel, "owner": owner})
    return found


_SWEEP = text(f"""
WITH due AS (
    SELECT DISTINCT node_id, sku FROM reservations r WHERE {terms.LAPSED}
    AND (CAST(:node_id AS text) IS NULL OR (r.node_id = :node_id AND r.sku = :sku))
), locked AS (
    SELECT node_id, sku FROM stock JOIN due USING (node_id, sku) ORDER BY node_id, sku FOR NO KEY UPDATE OF stock
), {terms.RECLAIM}, freed AS (
    UPDATE stock s SET reserved_soft = s.reserved_soft - c.units, updated_at = now()
    FROM reclaimed c WHERE s.node_id = c.node_id AND s.sku = c.sku
), ended AS (
    UPDATE soft_reservations SET status = 'expired' WHERE id IN (
        SELECT id FROM soft_reservations WHERE status = 'active' AND expires_at <= statement_timestamp()
        FOR UPDATE SKIP LOCKED)
)
SELECT count(*) FROM lapsed
""")


async def sweep(connection: AsyncConnection, node_id: str | None = None, sku: str | None = None) -> int:
    """Write down what lapsed, everywhere or of one balance; answers how many reservations.

    Availability is right without it. It tells those who listen to changes, and makes room for a count or an adjustment.
    """
    return int(await connection.scalar(_SWEEP, {"node_id": node_id, "sku": sku}) or 0)
