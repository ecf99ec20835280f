"""Work at nodes that cannot do it any more: switched off, or not offering what the work needs.

What such a node has not begun is sourced anew, as if it had rejected it. What it has begun is put before a person.
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.network import ShippingMethod
from dom.status import BEFORE_HAND_OVER, UNBEGUN
from store.rows import listed

KIND: Final = "work_at_a_node"
"""The exceptions about work that a node has begun and may not be able to end."""
ACTOR: Final = "network"
"""Who rejects work in the name of a node that cannot do it. Once the node can again, it is asked like any other."""
_AT_ONCE: Final = 200

# The planner asks the same of a node before it plans work there: `dom.ofl.roster`.
_WHY: Final = f"""CASE
    WHEN NOT n.active THEN 'the node is switched off'
    WHEN f.method = '{ShippingMethod.PICKUP}' AND NOT (n.document->>'pickup')::boolean
        THEN 'the node does not hand goods out any more'
    WHEN f.method <> '{ShippingMethod.PICKUP}' AND NOT n.document->'services' ? f.method
        THEN 'the node does not send by ' || f.method || ' any more'
    WHEN f.method <> '{ShippingMethod.PICKUP}' AND n.document->'ships_to' <> '[]'
         AND NOT n.document->'ships_to' ? (o.document->'ship_to'->>'country')
        THEN 'the node does not send to ' || (o.document->'ship_to'->>'country') || ' any more' END"""
_WORK: Final = f"""
SELECT f.id, f.order_id, f.node_id, f.status, w.why
FROM fulfilments f JOIN orders o ON o.id = f.order_id JOIN nodes n ON n.id = f.node_id
CROSS JOIN LATERAL (SELECT {_WHY} AS why) w"""

_UNBEGUN_WORK: Final = text(f"""
{_WORK} WHERE f.status IN ({listed(UNBEGUN)}) AND w.why IS NOT NULL AND f.id > :after ORDER BY f.id LIMIT :most
""")
_OPEN: Final = text(f"""
INSERT INTO exceptions (order_id, kind, business_key, detail)
SELECT b.order_id, '{KIND}', 'node/' || b.id, b.id || ' at ' || b.node_id || ' is ' || b.status || ', and ' || b.why
       || ': ' || coalesce((SELECT string_agg(l.quantity || ' of ' || l.sku, ', ' ORDER BY l.line_id)
                            FROM fulfilment_lines l WHERE l.fulfilment_id = b.id AND l.quantity > 0), 'nothing in it')
FROM ({_WORK}) b WHERE b.status IN ({listed(BEFORE_HAND_OVER - UNBEGUN)}) AND b.why IS NOT NULL
ON CONFLICT (business_key) DO UPDATE SET status = 'open', closed_at = NULL, detail = EXCLUDED.detail
    WHERE exceptions.status = 'closed' AND exceptions.owner IS NULL
""")
_CLOSE: Final = text(f"""
UPDATE exceptions x SET status = 'closed', closed_at = now() WHERE x.kind = '{KIND}' AND x.status = 'open'
  AND NOT EXISTS (SELECT FROM ({_WORK}) b WHERE 'node/' || b.id = x.business_key AND b.order_id = x.order_id
                  AND b.status IN ({listed(BEFORE_HAND_OVER)}) AND b.why IS NOT NULL)
""")


@dataclass(frozen=True, slots=True)
class Unable:
    """Work that a node has not begun and cannot do, and why."""

    fulfilment_id: str
    order_id: str
    node_id: str
    why: str


async def unbegun(connection: AsyncConnection, after: str = "") -> list[Unable]:
    """Work no node has begun, at nodes that cannot do it, by id from after that one on; at most 200 at once."""
    rows = await connection.execute(_UNBEGUN_WORK, {"after": after, "most": _AT_ONCE})
    return [Unable(row.id, row.order_id, row.node_id, row.why) for row in rows]


async def open_exceptions(connection: AsyncConnection) -> None:
    """Put begun work at nodes that cannot do it before a person, each once."""
    await connection.execute(_OPEN)


async def close_exceptions(connection: AsyncConnection) -> None:
    """Close those whose work left the node, ended, or whose node can do it again."""
    await connection.execute(_CLOSE)
