"""Work at nodes that cannot do it any more: switched off, not offering what the work needs, or not on its day.

What such a node has not begun is sourced anew, as if it had rejected it. What it has begun is put before a person.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.delivery.promise import missed
from dom.exceptions import ExceptionKind
from dom.network import Handling, Node, ShippingMethod
from dom.orders.order import REPLAY_TAG
from dom.orders.status import BEFORE_HAND_OVER, NETWORK, UNBEGUN, FulfilmentStatus
from store import exceptions
from store.database.parameters import listed, to_rows
from store.fulfilment.places import PLACE

KIND: Final = ExceptionKind.WORK_AT_A_NODE
"""The exceptions about work that a node has begun and may not be able to end."""
ACTOR: Final = NETWORK
"""Who rejects work in the name of a node that cannot do it. Once the node can again, it is asked like any other."""
_AT_ONCE: Final = 200

_HANDS_OUT: Final = f"(f.method = '{ShippingMethod.PICKUP}' OR f.status = '{FulfilmentStatus.READY}')"
_COUNTRY: Final = "coalesce(s.document->'address'->>'country', o.document->'ship_to'->>'country')"
# The planner asks the same of a node before it plans work there: see `node_index` and `fences` in the core.
_WHY: Final = f"""CASE
    WHEN NOT n.active THEN 'the node is switched off'
    WHEN {_HANDS_OUT} AND NOT (n.document->>'pickup')::boolean THEN 'the node does not hand goods out any more'
    WHEN {_HANDS_OUT} THEN NULL
    WHEN s.id IS NOT NULL AND NOT (s.active AND (s.document->>'pickup')::boolean)
        THEN s.id || ', where it is to be collected, does not hand goods out any more'
    WHEN f.method <> '{ShippingMethod.PICKUP}' AND NOT n.document->'services' ? f.method
        THEN 'the node does not send by ' || f.method || ' any more'
    WHEN f.method <> '{ShippingMethod.PICKUP}' AND n.document->'ships_to' <> '[]'
         AND NOT n.document->'ships_to' ? ({_COUNTRY})
        THEN 'the node does not send to ' || {_COUNTRY} || ' any more'
    WHEN f.method <> '{ShippingMethod.PICKUP}' AND NOT n.document->'handles' ?& CAST(:needs AS text[])
        THEN (SELECT 'the node is not equipped for ' || string_agg(DISTINCT h.need, ' and ' ORDER BY h.need)
                     || ' goods any more'
              FROM fulfilment_lines l JOIN skus k ON k.id = l.sku CROSS JOIN unnest(CAST(:needs AS text[])) h (need)
              WHERE l.fulfilment_id = f.id AND l.quantity > 0 AND (k.document->>h.need)::boolean
                AND NOT n.document->'handles' ? h.need) END"""

# What is late by itself is not given away for what a calendar says now. A replayed order lives in its own time.
_CLOCK: Final = f"CASE WHEN o.document->'tags' ? '{REPLAY_TAG}' THEN f.released_at ELSE CAST(:now AS timestamptz) END"
_WORK: Final = f"""
SELECT f.id, f.order_id, n.id AS node_id, f.status, w.why, w.lasting OR f.ship_by >= w.clock AS matters
FROM fulfilments f JOIN orders o ON o.id = f.order_id JOIN nodes n ON n.id = {PLACE}
LEFT JOIN nodes s ON s.id = f.pickup_node
LEFT JOIN jsonb_to_recordset(CAST(:days AS jsonb)) AS d (
    node_id text, ship_day date, ship_by timestamptz, pickup boolean, why text, since timestamptz)
  ON d.node_id = f.node_id AND d.ship_day = f.ship_day AND d.ship_by = f.ship_by
  AND d.pickup = (f.method = '{ShippingMethod.PICKUP}') AND f.status <> '{FulfilmentStatus.READY}'
CROSS JOIN LATERAL (SELECT {_WHY} AS lasting, {_CLOCK} AS clock) c
CROSS JOIN LATERAL (
    SELECT c.lasting IS NOT NULL AS lasting, c.clock,
           coalesce(c.lasting, CASE WHEN d.since IS NULL OR d.since < c.clock THEN d.why END) AS why) w"""

_UNBEGUN_WORK: Final = text(f"""
{_WORK} WHERE f.status IN ({listed(UNBEGUN)}) AND w.why IS NOT NULL AND (w.lasting OR f.ship_by >= w.clock)
  AND f.id > :after ORDER BY f.id LIMIT :most
""")
_OPENED: Final = f"""
SELECT b.order_id, '{KIND}', 'node/' || b.id, b.id || ' at ' || b.node_id || ' is ' || b.status || ', and ' || b.why
       || ': ' || coalesce((SELECT string_agg(l.quantity || ' of ' || l.sku, ', ' ORDER BY l.line_id)
                            FROM fulfilment_lines l WHERE l.fulfilment_id = b.id AND l.quantity > 0), 'nothing in it'),
       jsonb_build_object('fulfilment_id', b.id, 'node_id', b.node_id)
FROM ({_WORK}) b
WHERE b.status IN ({listed(BEFORE_HAND_OVER - UNBEGUN)}) AND b.why IS NOT NULL AND b.matters
"""
_OPEN: Final = text(
    exceptions.opening(_OPENED, exceptions.Reopening.IF_CLOSED_BY_ITSELF, f"{exceptions.COLUMNS}, data")
)
_CLOSE: Final = text(f"""
UPDATE exceptions x SET {exceptions.CLOSED} WHERE x.kind = '{KIND}' AND x.status = 'open'
  AND NOT EXISTS (SELECT FROM ({_WORK}) b WHERE 'node/' || b.id = x.business_key AND b.order_id = x.order_id
                  AND b.status IN ({listed(BEFORE_HAND_OVER)}) AND b.why IS NOT NULL)
""")
_DAYS: Final = text(f"""
SELECT DISTINCT node_id, ship_day, ship_by, method = '{ShippingMethod.PICKUP}' AS pickup
FROM fulfilments WHERE status IN ({listed(BEFORE_HAND_OVER - {FulfilmentStatus.READY})})
""")
_NODES: Final = text("SELECT document FROM nodes WHERE id = ANY(:nodes)")


@dataclass(frozen=True, slots=True)
class Unable:
    """Work that a node has not begun and cannot do, and why."""

    fulfilment_id: str
    order_id: str
    node_id: str
    why: str


@dataclass(frozen=True, slots=True)
class Moment:
    """When one looks, and the days on which nodes cannot do work any more that was planned for them (as JSON rows)."""

    now: datetime
    days: str

    @property
    def parameters(self) -> dict[str, Any]:
        """Of the statements."""
        return {"now": self.now, "days": self.days, "needs": [str(need) for need in Handling]}


async def moment(connection: AsyncConnection, now: datetime) -> Moment:
    """Lay every node's calendar, as it is now, against the days its open work was planned for."""
    planned = (await connection.execute(_DAYS)).mappings().all()
    documents = await connection.scalars(_NODES, {"nodes": sorted({row["node_id"] for row in planned})})
    nodes = {node.id: node for node in map(Node.model_validate, documents)}
    return Moment(now, to_rows(_missed(planned, nodes)))


def _missed(planned: Sequence[RowMapping], nodes: Mapping[str, Node]) -> Iterator[dict[str, Any]]:
    for row in planned:
        found = missed(nodes[row["node_id"]], row["ship_day"], row["ship_by"], pickup=row["pickup"])
        if found is not None:
            yield {**row, "why": found.why, "since": found.since}


async def unbegun(connection: AsyncConnection, at: Moment, after: str = "") -> list[Unable]:
    """Work no node has begun, at nodes that cannot do it, by id from after that one on; at most 200 at once."""
    rows = await connection.execute(_UNBEGUN_WORK, {**at.parameters, "after": after, "most": _AT_ONCE})
    return [Unable(row.id, row.order_id, row.node_id, row.why) for row in rows]


async def open_exceptions(connection: AsyncConnection, at: Moment) -> None:
    """Put begun work at nodes that cannot do it before a person, each once."""
    await connection.execute(_OPEN, at.parameters)


async def close_exceptions(connection: AsyncConnection, at: Moment) -> None:
    """Close those whose work left the node, ended, or whose node can do it again."""
    await connection.execute(_CLOSE, at.parameters)
