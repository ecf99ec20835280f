"""Stock for people without screens: one SKU over all nodes, one node over its SKUs, the ledger.

Every total is made of the same rows as the lines above it, read in one snapshot: call `agreeing` first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from store.inbound import in_transit
from store.inbound import terms as inbound
from store.reconcile.balances import DELTAS
from store.stock import terms

DAYS_AHEAD: Final = 7

QUANTITIES: Final = ("on_hand", "damaged", "quarantine", "reserved", "soft", "safety_stock", "promise_safety")
FREE: Final = ("free_for_ofl", "free_to_promise")


async def agreeing(connection: AsyncConnection) -> None:
    """What is read from here on in this transaction is of one moment."""
    await connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))


_LINE: Final = f"""
s.on_hand, s.damaged, s.quarantine, s.reserved, ({terms.LIVE_SOFT})::bigint AS soft, s.safety_stock, s.promise_safety,
CASE WHEN n.active THEN greatest({terms.FREE_FOR_OFL}, 0) ELSE 0 END AS free_for_ofl,
CASE WHEN n.active THEN greatest({terms.FREE_TO_PROMISE}, 0) ELSE 0 END AS free_to_promise, s.counted_at"""
"""What both screens show of a balance. A node that is not in use has nothing free."""

_OF_SKU = text(f"""
WITH due AS (
    SELECT i.node_id, sum({inbound.EXPECTED})::bigint AS units FROM inbound i JOIN inbound_lines l USING (reference)
    WHERE l.sku = :sku AND {inbound.OPEN} GROUP BY i.node_id
)
SELECT n.id AS node_id, n.active, {_LINE},
       CASE WHEN n.active THEN {terms.allowed(terms.FREE_TO_PROMISE)} ELSE 0 END AS for_channel,
       coalesce(d.units, 0) AS inbound
FROM nodes n LEFT JOIN stock s ON s.node_id = n.id AND s.sku = :sku LEFT JOIN due d ON d.node_id = n.id
{terms.rules()}
WHERE s.sku IS NOT NULL OR d.units > 0 ORDER BY n.id
""")
_WAITING = text("""
SELECT o.id AS order_id, o.channel, o.placed_at, o.status, sum(l.backordered) AS units,
       coalesce((SELECT sum(r.quantity) FROM soft_reservations h JOIN reservations r ON r.soft_id = h.id
                 WHERE h.backorder_of = o.id AND r.sku = :sku AND r.status = 'active'
                 AND r.expires_at > statement_timestamp()), 0) AS allocated,
       count(*) OVER () AS orders, sum(sum(l.backordered)) OVER () AS all_units
FROM order_lines l JOIN orders o ON o.id = l.order_id LEFT JOIN channels c ON c.id = o.channel
LEFT JOIN first_claims k ON k.order_id = o.id AND k.sku = l.sku
WHERE l.sku = :sku AND l.backordered > 0
GROUP BY o.id, c.priority, k.claimed_at
ORDER BY k.claimed_at, coalesce(o.priority, c.priority, 100), o.placed_at, o.id LIMIT :limit
""")


@dataclass(frozen=True, slots=True)
class SkuScreen:
    """A SKU at every node that has, had or awaits units of it, and the orders that wait, next first.

    `waiting_orders` and `waiting_units` count all of them, also those that are not listed. `in_transit` are units that
    left one node for another and stand in no balance.
    """

    lines: Sequence[RowMapping]
    waiting: Sequence[RowMapping]
    waiting_orders: int
    waiting_units: int
    in_transit: Sequence[RowMapping]


async def of_sku(connection: AsyncConnection, sku: str, channel: str | None = None, limit: int = 20) -> SkuScreen:
    """One SKU; with a channel also what that channel may have of it, as `for_channel`."""
    lines = (await connection.execute(_OF_SKU, {"sku": sku, "channel": channel})).mappings().all()
    waiting = (await connection.execute(_WAITING, {"sku": sku, "limit": limit})).mappings().all()
    orders, units = (waiting[0]["orders"], int(waiting[0]["all_units"])) if waiting else (0, 0)
    return SkuScreen(lines, waiting, orders, units, await in_transit(connection, sku))


_OF_NODE = f"SELECT s.sku, {_LINE} FROM stock s JOIN nodes n ON n.id = s.node_id WHERE s.node_id = :node_id"
_TOTALS = text(f"""
SELECT count(*) AS skus, {", ".join(f"coalesce(sum({name}), 0) AS {name}" for name in (*QUANTITIES, *FREE))}
FROM ({_OF_NODE}) AS line
""")
_CHOSEN = text(f"""
SELECT * FROM ({_OF_NODE}) AS line
WHERE starts_with(sku, :prefix) AND (CAST(:low AS int) IS NULL OR free_to_promise <= :low)
ORDER BY sku LIMIT :limit
""")
_DAYS = text("""
SELECT CAST(days.day AS date) AS day, coalesce(whole.used, 0) AS used, n.daily_capacity AS capacity, coalesce((
    SELECT jsonb_object_agg(o.key, jsonb_build_array(coalesce(d.used, 0), o.value) ORDER BY o.key)
    FROM jsonb_each(CASE jsonb_typeof(n.document->'service_capacity') WHEN 'object'
                    THEN n.document->'service_capacity' ELSE '{}' END) o
    LEFT JOIN node_days d ON d.node_id = n.id AND d.day = CAST(days.day AS date) AND d.service = o.key), '{}')
    AS services
FROM nodes n
CROSS JOIN LATERAL (SELECT CAST(
    statement_timestamp() AT TIME ZONE coalesce(n.document->>'time_zone', 'UTC') AS date) AS today) here
CROSS JOIN LATERAL generate_series(here.today, here.today + CAST(:ahead AS int), interval '1 day') AS days (day)
LEFT JOIN node_days whole ON whole.node_id = n.id AND whole.day = CAST(days.day AS date) AND whole.service = ''
WHERE n.id = :node_id ORDER BY day
""")


@dataclass(frozen=True, slots=True)
class NodeScreen:
    """Chosen SKUs of a node, totals over all of them, and the capacity of its next days in its own time zone."""

    lines: Sequence[RowMapping]
    totals: RowMapping
    days: Sequence[RowMapping]


async def of_node(
    connection: AsyncConnection, node_id: str, *, prefix: str = "", low: int | None = None, limit: int = 50
) -> NodeScreen | None:
    """One node; `prefix` chooses SKUs, `low` those with at most so many units free to promise. None: no such node."""
    days = (await connection.execute(_DAYS, {"node_id": node_id, "ahead": DAYS_AHEAD - 1})).mappings().all()
    if not days:
        return None
    chosen = {"node_id": node_id, "prefix": prefix, "low": low, "limit": limit}
    lines = (await connection.execute(_CHOSEN, chosen)).mappings().all()
    totals = (await connection.execute(_TOTALS, {"node_id": node_id})).mappings().one()
    return NodeScreen(lines, totals, days)


_SUMS: Final = ", ".join(f"coalesce(sum({delta}), 0) AS {name}" for name, delta in DELTAS.items())
_ENTRY: Final = ", ".join(f"{delta} AS {name}" for name, delta in DELTAS.items())
_CONDITIONS: Final = {
    "sku": "sku = :sku",
    "node_id": "node_id = :node_id",
    "order_id": "order_id = :order_id",
    "kind": "kind = :kind",
    "key": "starts_with(business_key, :key)",
    "since": "recorded_at >= :since",
}
_PLACE: Final = "node_id = :node_id AND sku = :sku"


@dataclass(frozen=True, slots=True)
class LedgerFilter:
    """Which entries are asked for; what is None does not matter. `key` is how business keys begin."""

    sku: str | None = None
    node_id: str | None = None
    order_id: str | None = None
    kind: str | None = None
    key: str | None = None
    since: datetime | None = None

    def asked(self) -> dict[str, Any]:
        """What matters."""
        given = {name: getattr(self, name) for name in _CONDITIONS}
        return {name: value for name, value in given.items() if value is not None}

    @property
    def is_whole_place(self) -> bool:
        """Whether every entry of one (node, SKU) is asked for, so that balances can be told between them."""
        asked = self.asked().keys()
        return {"sku", "node_id"} <= asked <= {"sku", "node_id", "since"}


@dataclass(frozen=True, slots=True)
class LedgerScreen:
    """The last entries asked for, oldest first; `earlier` says that there are more before them.

    For one (node, SKU) also what the ledger said before the first (`opening`) and after the last (`closing`), and the
    balance itself, which says the same or is to be reconciled; None where there is no balance.
    """

    entries: Sequence[RowMapping]
    earlier: bool
    opening: Mapping[str, int] | None = None
    closing: Mapping[str, int] | None = None
    balance: RowMapping | None = None


async def ledger(connection: AsyncConnection, wanted: LedgerFilter, limit: int = 50) -> LedgerScreen:
    """The last `limit` entries."""
    asked = wanted.asked()
    conditions = " AND ".join(_CONDITIONS[name] for name in asked) or "true"
    rows = await connection.execute(
        text(f"""
        SELECT id, recorded_at, occurred_at, node_id, sku, kind, {_ENTRY}, business_key, order_id, reason_code, reason,
               actor
        FROM stock_ledger WHERE {conditions} ORDER BY id DESC LIMIT :limit
        """),
        asked | {"limit": limit + 1},
    )
    newest = rows.mappings().all()
    entries, earlier = newest[:limit][::-1], len(newest) > limit
    if not wanted.is_whole_place:
        return LedgerScreen(entries, earlier)
    sums = await connection.execute(text(f"SELECT {_SUMS} FROM stock_ledger WHERE {_PLACE}"), asked)
    closing = dict(sums.mappings().one())
    opening = {name: closing[name] - sum(entry[name] or 0 for entry in entries) for name in DELTAS}
    balance = await connection.execute(text(f"SELECT {', '.join(DELTAS)} FROM stock WHERE {_PLACE}"), asked)
    return LedgerScreen(entries, earlier, opening, closing, balance.mappings().one_or_none())


async def exists(connection: AsyncConnection, kind: str, name: str) -> bool:
    """Whether there is a SKU, a node or a channel of that name."""
    table = {"SKU": "skus", "node": "nodes", "channel": "channels"}[kind]
    return bool(await connection.scalar(text(f"SELECT EXISTS (SELECT FROM {table} WHERE id = :id)"), {"id": name}))
