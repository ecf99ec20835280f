"""Returns this system has allowed itself: followed as inbound, so that ATP knows what is likely to come back.

The return's own steps move the stock; here is only how much is still to come. What arrived counts as nothing until it
is inspected: whether it can be sold again is not known before.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from store.database.parameters import to_json

DAYS_ON_THE_WAY: Final = 7
"""How long goods take to come back after a return was allowed."""
CONFIDENCE: Final = 60
"""Percent of allowed returns that arrive and can be sold again."""

_FOLLOW = text("""
WITH opened AS (
    INSERT INTO inbound (reference, kind, status, node_id, due_on, confidence, actor)
    VALUES (:reference, 'return', 'announced', :node_id, :due_on, :confidence, :actor)
    ON CONFLICT (reference) DO NOTHING RETURNING reference
)
INSERT INTO inbound_lines (reference, sku, quantity)
SELECT o.reference, u.key, CAST(u.value AS int) FROM opened o, jsonb_each_text(CAST(:units AS jsonb)) AS u
""")
_ARRIVED = text("""
UPDATE inbound_lines l SET received = l.received + CAST(u.value AS int)
FROM inbound i, jsonb_each_text(CAST(:units AS jsonb)) AS u
WHERE i.reference = :reference AND i.kind = 'return' AND i.status IN ('announced', 'in_transit')
  AND l.reference = i.reference AND l.sku = u.key
""")
_CLOSE = text("""
UPDATE inbound i SET actor = :actor, updated_at = now(), status = CASE WHEN EXISTS (
    SELECT FROM inbound_lines l WHERE l.reference = i.reference AND l.received > 0) THEN 'received' ELSE 'cancelled' END
WHERE reference = :reference AND kind = 'return' AND status IN ('announced', 'in_transit')
""")


async def follow_return(
    connection: AsyncConnection, return_id: str, node_id: str, units: Mapping[str, int], *, allowed_on: date, actor: str
) -> None:
    """A return was allowed: so many units by SKU are to come to the node."""
    await connection.execute(
        _FOLLOW,
        {
            "reference": return_id,
            "node_id": node_id,
            "due_on": allowed_on + timedelta(days=DAYS_ON_THE_WAY),
            "confidence": CONFIDENCE,
            "actor": actor,
            "units": to_json(dict(units)),
        },
    )


async def return_arrived(connection: AsyncConnection, return_id: str, units: Mapping[str, int]) -> None:
    """Goods of a return came: so many units by SKU."""
    await connection.execute(_ARRIVED, {"reference": return_id, "units": to_json(dict(units))})


async def follow_no_more(connection: AsyncConnection, return_id: str, *, actor: str) -> None:
    """Nothing more of a return is to come."""
    await connection.execute(_CLOSE, {"reference": return_id, "actor": actor})
