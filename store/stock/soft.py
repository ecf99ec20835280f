"""Soft reservations: units held for a cart, a checkout or a waiting order, until they expire.

Expiry needs nobody to act: what lapsed is not counted by reads, and is reclaimed by the next reservation of the row.
Many requests are one statement (`store.stock.grouped` puts them together): each is taken whole or not at all, and
hears its own verdict.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.shared.access import OFL
from store.database.parameters import to_json
from store.enums import SoftStatus
from store.stock.firm import NOTHING

SWEPT_AT_ONCE: Final = 500
"""Balances whose lapsed reservations one sweep writes down."""


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


class ReservationVerdict(StrEnum):
    """What became of a request.

    `refused`: it does not fit, even alone. `crowded`: it did not fit behind the others of its group, or stands behind
    another of its owner, and is to be tried again. `repeated`: the id was taken before. `owner_busy`: the owner has
    another reservation.
    """

    TAKEN = "taken"
    REPEATED = "repeated"
    REFUSED = "refused"
    CROWDED = "crowded"
    OWNER_BUSY = "owner_busy"


_TAKE = text("""
SELECT take_soft(CAST(:ids AS text[]), CAST(:channels AS text[]), CAST(:owners AS text[]), CAST(:reasons AS text[]),
    CAST(:seconds AS int[]), CAST(:documents AS text[]), CAST(:brokerings AS boolean[]),
    CAST(:u_requests AS int[]), CAST(:u_nodes AS text[]), CAST(:u_skus AS text[]), CAST(:u_quantities AS int[]),
    CAST(:u_owned AS int[]))
""")


async def take(
    connection: AsyncConnection, requests: Sequence[SoftRequest], owned: Mapping[tuple[str, str], int] = NOTHING
) -> list[ReservationVerdict]:
    """Hold the units of each request, whole or not at all, in one statement; a verdict for each, in sequence.

    What the channel may not have (`channel_rules`) is not free for it; `owned` is for one request alone (`replace`).
    The database refuses the whole group
    (IntegrityError) if one names an unknown channel's rule or an id at the same moment as another process: try each
    alone then.
    """
    units = [(number, each) for number, request in enumerate(requests, 1) for each in request.units]
    verdicts = await connection.scalar(
        _TAKE,
        {
            "ids": [r.id for r in requests],
            "channels": [r.channel for r in requests],
            "owners": [r.owner for r in requests],
            "reasons": [r.reason for r in requests],
            "seconds": [r.seconds for r in requests],
            "documents": [to_json(r.document) for r in requests],
            "brokerings": [r.brokering for r in requests],
            "u_requests": [number for number, _ in units],
            "u_nodes": [each.node_id for _, each in units],
            "u_skus": [each.sku for _, each in units],
            "u_quantities": [each.quantity for _, each in units],
            "u_owned": [owned.get((each.node_id, each.sku), 0) for _, each in units],
        },
    )
    return [ReservationVerdict(verdict) for verdict in verdicts]


# Locked in one order: balances, the units' rows, the header. What somebody reclaimed while this statement waited is not
# given back a second time. It also proves that the time is over: what was to expire by then has lapsed, though this
# statement began before. A reservation of which nothing was left has lapsed.
_LET_GO = text("""
WITH mine AS (
    SELECT node_id, sku FROM reservations WHERE soft_id = :id AND status = 'active'
    UNION SELECT * FROM unnest(CAST(:also_nodes AS text[]), CAST(:also_skus AS text[]))
), locked AS (
    SELECT node_id, sku FROM stock JOIN mine USING (node_id, sku) ORDER BY node_id, sku FOR NO KEY UPDATE OF stock
), standing AS (
    SELECT id, status, expires_at FROM reservations
    WHERE soft_id = :id AND status IN ('active', 'expired') AND (SELECT count(*) FROM locked) >= 0
    ORDER BY id FOR NO KEY UPDATE
), header AS (
    SELECT status, expires_at FROM soft_reservations
    WHERE id = :id AND (SELECT count(*) FROM standing) >= 0 FOR NO KEY UPDATE
), over AS (
    SELECT greatest(statement_timestamp(), max(expires_at) FILTER (WHERE status = 'expired')) AS at
    FROM (SELECT status, expires_at FROM standing UNION ALL SELECT status, expires_at FROM header) each
), gone AS (
    UPDATE reservations r SET status = CASE WHEN s.expires_at <= over.at THEN 'expired' ELSE CAST(:status AS text) END
    FROM standing s CROSS JOIN over WHERE r.id = s.id AND s.status = 'active'
    RETURNING r.id, r.node_id, r.sku, r.quantity, r.status
), freed AS (
    UPDATE stock s SET reserved_soft = s.reserved_soft - g.units, updated_at = now()
    FROM (SELECT node_id, sku, sum(quantity)::int AS units FROM gone GROUP BY node_id, sku) g
    WHERE s.node_id = g.node_id AND s.sku = g.sku
), noted AS (
    INSERT INTO stock_ledger (node_id, sku, kind, soft_delta, business_key, order_id, reason, actor, occurred_at)
    SELECT node_id, sku, CASE WHEN status = 'expired' THEN 'soft_expire' ELSE CAST(:kind AS text) END, -quantity,
           :id || '/' || status || '/' || id, CAST(:order_id AS text), :reason, :actor, statement_timestamp() FROM gone
), outcome AS (
    SELECT coalesce(jsonb_agg(jsonb_build_array(node_id, sku, quantity)) FILTER (WHERE status <> 'expired'), '[]')
        AS units FROM gone
)
UPDATE soft_reservations h SET
    status = CASE WHEN units = '[]' THEN 'expired' ELSE CAST(:status AS text) END,
    order_id = CASE WHEN units <> '[]' THEN CAST(:order_id AS text) END
FROM outcome WHERE h.id = :id AND h.status = 'active' RETURNING units
""")


async def release(connection: AsyncConnection, soft_id: str, *, reason: str, actor: str) -> bool:
    """Give the units back; False if the reservation is not active (any more)."""
    return await _let_go(connection, soft_id, _Ending(SoftStatus.RELEASED, "soft_release", reason, actor)) is not None


async def convert(
    connection: AsyncConnection, soft_id: str, order_id: str, also: Sequence[tuple[str, str]] = ()
) -> Mapping[tuple[str, str], int]:
    """Give the units back so that the order takes its own in the same transaction (`firm.reserve(owned=...)`).

    Answers the units by (node, SKU); none if they lapsed or are gone. The rows the order will take (`also`, as node
    and SKU) are locked together with the reservation's own, in the one fixed order, so that nobody slips in between.
    """
    ending = _Ending(SoftStatus.CONVERTED, "soft_convert", "became an order", OFL, order_id)
    return await _let_go(connection, soft_id, ending, also) or {}


async def replace(connection: AsyncConnection, soft_id: str, request: SoftRequest) -> ReservationVerdict:
    """Take other units for the owner of a reservation, who keeps what he holds and asks for again.

    Unless the verdict is TAKEN the caller's transaction has to be rolled back, and the old reservation stands.
    """
    also = [(each.node_id, each.sku) for each in request.units]
    ending = _Ending(SoftStatus.RELEASED, "soft_release", "replaced", f"{request.channel}/{request.owner}")
    owned = await _let_go(connection, soft_id, ending, also) or {}
    return (await take(connection, [request], owned))[0]


@dataclass(frozen=True, slots=True)
class _Ending:
    """How a reservation ends, and what the ledger says of it."""

    status: SoftStatus
    kind: str
    reason: str
    actor: str
    order_id: str | None = None


async def _let_go(
    connection: AsyncConnection, soft_id: str, ending: _Ending, also: Sequence[tuple[str, str]] = ()
) -> Mapping[tuple[str, str], int] | None:
    """The units given back that were still held, by (node, SKU); None if the reservation was not active."""
    units: list[tuple[str, str, int]] | None = await connection.scalar(
        _LET_GO,
        {
            "id": soft_id,
            "status": ending.status,
            "kind": ending.kind,
            "reason": ending.reason,
            "actor": ending.actor,
            "order_id": ending.order_id,
            "also_nodes": [node for node, _ in also],
            "also_skus": [sku for _, sku in also],
        },
    )
    if units is None:
        return None
    owned: Counter[tuple[str, str]] = Counter()
    for node, sku, quantity in units:
        owned[node, sku] += quantity
    return owned


# The units' rows are locked first: those that somebody reclaimed while this statement waited are not held any more, and
# an owner must not hear that the rest is.
_EXTEND = text("""
WITH standing AS (
    SELECT id, status, expires_at FROM reservations WHERE soft_id = :id AND status IN ('active', 'expired')
    ORDER BY id FOR NO KEY UPDATE
), over AS (
    SELECT greatest(statement_timestamp(), max(expires_at) FILTER (WHERE status = 'expired')) AS at FROM standing
), mine AS (
    UPDATE soft_reservations
    SET expires_at = greatest(expires_at, statement_timestamp() + make_interval(secs => :seconds))
    WHERE id = :id AND status = 'active' AND expires_at > statement_timestamp()
      AND (SELECT bool_and(s.expires_at > over.at) FROM standing s CROSS JOIN over WHERE s.status = 'active')
    RETURNING expires_at
), rows AS (
    UPDATE reservations r SET expires_at = m.expires_at FROM mine m, standing s
    WHERE r.id = s.id AND s.status = 'active'
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
                 FROM reservations r WHERE r.soft_id = h.id AND (h.status <> 'active' OR r.status = 'active')), '[]')
           AS units
FROM soft_reservations h WHERE h.id = :id
""")


async def get(connection: AsyncConnection, soft_id: str) -> RowMapping | None:
    """A soft reservation with its units, or None."""
    return (await connection.execute(_GET, {"id": soft_id})).mappings().one_or_none()


async def one_at_a_time(connection: AsyncConnection, channel: str, owner: str) -> None:
    """Of those who call this for one owner, one goes on at a time, until its transaction ends."""
    await connection.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:owner, 0))"), {"owner": f"soft/{channel}/{owner}"}
    )


_STANDING = text("""
SELECT status = 'active' AND expires_at > statement_timestamp() AND EXISTS (
    SELECT FROM reservations r WHERE r.soft_id = h.id AND r.status = 'active') AS live
FROM soft_reservations h WHERE id = :id AND channel = :channel AND backorder_of IS NULL
""")


async def is_live(connection: AsyncConnection, soft_id: str, channel: str) -> bool | None:
    """Whether the reservation holds units now; None if the channel has no such cart or checkout."""
    live: bool | None = await connection.scalar(_STANDING, {"id": soft_id, "channel": channel})
    return live


_OF_OWNER = text("SELECT id FROM soft_reservations WHERE channel = :channel AND owner = :owner AND status = 'active'")


async def of_owner(connection: AsyncConnection, channel: str, owner: str) -> str | None:
    """The id of the owner's reservation, if one is active; it may have lapsed."""
    found: str | None = await connection.scalar(_OF_OWNER, {"channel": channel, "owner": owner})
    return found


_DUE = text("""
SELECT DISTINCT node_id, sku FROM reservations
WHERE kind = 'soft' AND status = 'active' AND expires_at <= statement_timestamp()
AND (CAST(:node_id AS text) IS NULL OR (node_id = :node_id AND sku = :sku)) ORDER BY node_id, sku LIMIT :most
""")
_LOCK = text("""
SELECT FROM stock s JOIN unnest(CAST(:nodes AS text[]), CAST(:skus AS text[])) AS w (node_id, sku)
USING (node_id, sku) ORDER BY s.node_id, s.sku FOR NO KEY UPDATE OF s
""")
_RECLAIM = text("SELECT reclaim_lapsed(CAST(:nodes AS text[]), CAST(:skus AS text[]))")
_END = text("""
UPDATE soft_reservations SET status = 'expired' WHERE id IN (
    SELECT id FROM soft_reservations WHERE status = 'active' AND expires_at <= statement_timestamp()
    LIMIT :most FOR UPDATE SKIP LOCKED)
""")


_IS_DUE = text("""
SELECT EXISTS (SELECT FROM reservations
               WHERE kind = 'soft' AND status = 'active' AND expires_at <= statement_timestamp())
    OR EXISTS (SELECT FROM soft_reservations WHERE status = 'active' AND expires_at <= statement_timestamp())
""")


async def is_due(connection: AsyncConnection) -> bool:
    """Whether something lapsed that is not written down."""
    return bool(await connection.scalar(_IS_DUE))


async def sweep(connection: AsyncConnection, node_id: str | None = None, sku: str | None = None) -> int:
    """Write down what lapsed, everywhere or of one balance; answers how many reservations.

    Availability is right without it. It tells those who listen to changes, and makes room for a count or an adjustment.
    At most SWEPT_AT_ONCE balances a call, in the caller's transaction.
    """
    due = (await connection.execute(_DUE, {"node_id": node_id, "sku": sku, "most": SWEPT_AT_ONCE})).all()
    reclaimed = 0
    if due:
        rows = {"nodes": [row.node_id for row in due], "skus": [row.sku for row in due]}
        await connection.execute(_LOCK, rows)
        reclaimed = int(await connection.scalar(_RECLAIM, rows) or 0)
    await connection.execute(_END, {"most": SWEPT_AT_ONCE})
    return reclaimed
