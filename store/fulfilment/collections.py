"""Goods that wait at their node for the customer. They are read with the order (`store.orders.state`)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.network import Node
from dom.orders.holds import BlockedStep
from dom.orders.order import REPLAY_TAG
from dom.orders.pickup import Pickup
from store.fulfilment.places import COLLECTED_AT

# The policy's own part of it alone: the rest is long, and of no matter here.
_TERMS: Final = text(f"""
SELECT n.document AS node, o.document->'tags' ? '{REPLAY_TAG}' AS is_replayed, statement_timestamp() AS now,
       (SELECT document->'collection' FROM policies ORDER BY version DESC LIMIT 1) AS policy
FROM fulfilments f JOIN nodes n ON n.id = {COLLECTED_AT} JOIN orders o ON o.id = f.order_id WHERE f.id = :id
""")
_IS_TAKEN: Final = text("""
SELECT EXISTS (SELECT FROM collections WHERE node_id = :node_id AND code = :code AND ended_at IS NULL)
""")
_PUT: Final = text(f"""
INSERT INTO collections (fulfilment_id, order_id, node_id, code, code_required, collect_by, reminders)
SELECT f.id, f.order_id, {COLLECTED_AT}, :code, :code_required, :collect_by, CAST(:reminders AS timestamptz[])
FROM fulfilments f WHERE f.id = :id
ON CONFLICT (fulfilment_id) DO UPDATE SET collect_by = EXCLUDED.collect_by, reminders = EXCLUDED.reminders,
    wrong_codes = :wrong_codes, reminded = :reminded, kept = :kept
""")
_END: Final = text("""
UPDATE collections SET ended_at = :at, to_put_back = :to_put_back,
    put_back_at = CASE WHEN :to_put_back THEN NULL ELSE put_back_at END
WHERE fulfilment_id = :id AND ended_at IS NULL
""")
_IN_PART: Final = text("UPDATE collections SET to_put_back = true, put_back_at = NULL WHERE fulfilment_id = :id")
_PUT_BACK: Final = text("""
UPDATE collections SET to_put_back = false, put_back_at = :at WHERE fulfilment_id = :id AND to_put_back
""")
# A replayed order lives in its own time. What a hold keeps from its customer he cannot collect.
_DUE: Final = text(f"""
SELECT c.fulfilment_id, c.collect_by <= :now AS is_over FROM collections c JOIN orders o ON o.id = c.order_id
WHERE c.ended_at IS NULL AND (c.collect_by <= :now OR c.reminders[1] <= :now) AND c.fulfilment_id > :after
  AND NOT o.document->'tags' ? '{REPLAY_TAG}'
  AND NOT EXISTS (SELECT FROM order_holds h WHERE h.order_id = c.order_id AND h.released_at IS NULL
                  AND '{BlockedStep.HAND_OVER}' = ANY(h.blocks))
ORDER BY c.fulfilment_id LIMIT 200
""")


@dataclass(frozen=True, slots=True)
class Terms:
    """What says how long a fulfilment's goods are kept: its node, the live policy's `collection` (None: as it is by
    itself), and the present moment. A replayed order lives in its own time.
    """

    node: Node
    policy: dict[str, Any] | None
    now: datetime
    is_replayed: bool


async def terms(connection: AsyncConnection, fulfilment_id: str) -> Terms:
    """What says how long its goods are kept."""
    row = (await connection.execute(_TERMS, {"id": fulfilment_id})).one()
    return Terms(Node.model_validate(row.node), row.policy, row.now, row.is_replayed)


async def is_taken(connection: AsyncConnection, node_id: str, code: str) -> bool:
    """Whether other goods that wait at the node have the code."""
    return bool(await connection.scalar(_IS_TAKEN, {"node_id": node_id, "code": code}))


async def put(connection: AsyncConnection, fulfilment_id: str, waiting: Pickup) -> None:
    """Write how a fulfilment's goods wait. The order must be locked. A code that other goods at the node have is an
    error of the database.
    """
    values = waiting.model_dump(exclude={"reminders"})
    await connection.execute(_PUT, {"id": fulfilment_id, "reminders": list(waiting.reminders), **values})


async def end(connection: AsyncConnection, fulfilment_id: str, at: datetime, *, to_put_back: bool) -> None:
    """The goods do not wait any more. The order must be locked."""
    await connection.execute(_END, {"id": fulfilment_id, "at": at, "to_put_back": to_put_back})


async def put_back_in_part(connection: AsyncConnection, fulfilment_id: str) -> None:
    """Units of the goods are to be put back, and the rest goes on waiting. The order must be locked."""
    await connection.execute(_IN_PART, {"id": fulfilment_id})


async def put_back(connection: AsyncConnection, fulfilment_id: str, at: datetime) -> None:
    """The node has put the goods back. The order must be locked."""
    await connection.execute(_PUT_BACK, {"id": fulfilment_id, "at": at})


async def due(connection: AsyncConnection, now: datetime, after: str = "") -> list[tuple[str, bool]]:
    """Work whose time is over (True) or of which a reminder is due, by id from after that one on; at most 200."""
    return [(row.fulfilment_id, row.is_over) for row in await connection.execute(_DUE, {"now": now, "after": after})]
