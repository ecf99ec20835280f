"""An inbound as its row stands, locked for whoever changes it: all changes of one come one after the other."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.shared.access import UNLIMITED, Limits
from dom.shared.errors import Forbidden, NotFound, StepNotPossible
from store.access import visibility
from store.enums import InboundKind, InboundStatus


@dataclass(frozen=True, slots=True)
class Inbound:
    """What is known of it; `announced` is units by SKU, `has_receipts` whether anything came."""

    reference: str
    kind: InboundKind
    status: InboundStatus
    origin_node: str | None
    node_id: str
    due_on: date
    confidence: int
    announced: dict[str, int]
    has_receipts: bool

    @property
    def untouched(self) -> bool:
        """Whether it is announced and nothing more."""
        return self.status is InboundStatus.ANNOUNCED and not self.has_receipts

    @property
    def ends(self) -> tuple[str, ...]:
        """The nodes it concerns: where it goes and, of a transfer, what it leaves."""
        return (self.node_id,) if self.origin_node is None else (self.node_id, self.origin_node)

    @property
    def content(self) -> tuple[Any, ...]:
        """What was announced."""
        return self.kind, self.origin_node, self.node_id, self.due_on, self.confidence, self.announced


_LOCK = text("SELECT reference FROM inbound WHERE reference = :reference FOR UPDATE")
_READ = text("""
SELECT i.reference, i.kind, i.status, i.origin_node, i.node_id, i.due_on, i.confidence,
       coalesce((SELECT jsonb_object_agg(l.sku, l.quantity) FROM inbound_lines l WHERE l.reference = i.reference), '{}')
           AS announced,
       EXISTS (SELECT FROM inbound_receipts r WHERE r.reference = i.reference) AS has_receipts,
       i.kind = 'return' AND EXISTS (SELECT FROM returns r WHERE r.id = i.reference) AS own_return
FROM inbound i WHERE i.reference = :reference
""")


def must_be_within(limits: Limits, *nodes: str, field: str | None = None) -> None:
    """Raises Forbidden for a node that is not within the limits of who works on it."""
    for node in nodes:
        if not limits.allow(node=node):
            raise Forbidden(f"this is for {node} to do, to which the caller has no access", field=field)


async def lock(connection: AsyncConnection, reference: str, limits: Limits = UNLIMITED) -> Inbound:
    """The inbound, nobody else's to change until the transaction ends.

    Raises NotFound, also for one that is not seen under the limits; StepNotPossible for a return of this system, which
    is worked on as a return.
    """
    found = await connection.scalar(_LOCK, {"reference": reference})
    if found is None or not await visibility.sees(connection, limits, visibility.INBOUND, reference):
        raise NotFound(f"there is no inbound {reference}")
    # A second statement: the first may have waited, and what it reads beside the row would be older than the row.
    row = (await connection.execute(_READ, {"reference": reference})).mappings().one()
    if row["own_return"]:
        raise StepNotPossible(f"{reference} is a return of this system: receive and inspect it at /v1/returns")
    return Inbound(
        reference=reference,
        kind=InboundKind(row["kind"]),
        status=InboundStatus(row["status"]),
        origin_node=row["origin_node"],
        node_id=row["node_id"],
        due_on=row["due_on"],
        confidence=row["confidence"],
        announced=row["announced"],
        has_receipts=row["has_receipts"],
    )


async def come_to(connection: AsyncConnection, reference: str, status: InboundStatus, actor: str) -> None:
    """Write down how far it has come, and by whom."""
    await connection.execute(
        text("UPDATE inbound SET status = :status, actor = :actor, updated_at = now() WHERE reference = :reference"),
        {"reference": reference, "status": status, "actor": actor},
    )
