"""Work that nodes neither accepted nor rejected, and what people hear of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.exceptions import ExceptionKind
from dom.network import Node
from dom.orders.events import EventKind
from dom.orders.holds import BlockedStep
from dom.orders.order import REPLAY_TAG
from dom.orders.status import TIMEOUT, UNBEGUN
from store import exceptions
from store.database.parameters import listed

_KIND: Final = ExceptionKind.NOT_ACCEPTED
_AT_ONCE: Final = 200

# A replayed order lives in its own time. What a hold keeps from its node the node cannot accept.
_FIND: Final = text(f"""
SELECT f.id, f.order_id, f.released_at, n.document,
       (SELECT count(*) FROM timeline t WHERE t.order_id = f.order_id AND t.actor = '{TIMEOUT}'
        AND t.kind = '{EventKind.FULFILMENT_REJECTED}') AS taken_away
FROM fulfilments f JOIN orders o ON o.id = f.order_id JOIN nodes n ON n.id = f.node_id
WHERE f.status IN ({listed(UNBEGUN)}) AND f.released_at <= :before AND f.id > :after
  AND (CAST(:kinds AS text[]) IS NULL OR n.document->>'kind' = ANY(:kinds))
  AND NOT o.document->'tags' ? '{REPLAY_TAG}'
  AND NOT EXISTS (SELECT FROM order_holds h WHERE h.order_id = f.order_id AND h.released_at IS NULL
                  AND '{BlockedStep.RELEASE}' = ANY(h.blocks))
ORDER BY f.id LIMIT {_AT_ONCE}
""")
_CLOSE: Final = text(f"""
UPDATE exceptions x SET {exceptions.CLOSED} WHERE x.kind = '{_KIND}' AND x.status = 'open'
  AND NOT EXISTS (SELECT FROM fulfilments f WHERE f.id = x.data->>'fulfilment_id' AND f.status IN ({listed(UNBEGUN)}))
""")


@dataclass(frozen=True, slots=True)
class Unanswered:
    """Work that its node has not begun; `taken_away` counts how often work of the order was rejected for that."""

    fulfilment_id: str
    order_id: str
    node: Node
    released_at: datetime
    taken_away: int


async def released_before(
    connection: AsyncConnection, before: datetime, kinds: Sequence[str] | None, after: str = ""
) -> list[Unanswered]:
    """Unbegun work that was released by then at nodes of these kinds (None: of any), by id from after that one on; at
    most 200 at once.
    """
    rows = await connection.execute(_FIND, {"before": before, "kinds": kinds, "after": after})
    return [
        Unanswered(row.id, row.order_id, Node.model_validate(row.document), row.released_at, row.taken_away)
        for row in rows
    ]


async def open_exception(connection: AsyncConnection, work: Unanswered, why: str) -> None:
    """Put the work before a person, once."""
    detail = f"{work.fulfilment_id} at {work.node.id}: {why}"
    data = {"fulfilment_id": work.fulfilment_id, "node_id": work.node.id}
    await exceptions.open_(connection, work.order_id, _KIND, f"unanswered/{work.fulfilment_id}", detail, data)


async def close_exceptions(connection: AsyncConnection) -> None:
    """Close those whose work was accepted, or ended."""
    await connection.execute(_CLOSE)
