"""Announcing: what is to come, where, when and how surely. Nothing moves, so that it may be replaced or called off."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.shared.access import UNLIMITED, Limits
from dom.shared.errors import Conflict, Forbidden, InvalidInput, StepNotPossible, UnknownNode, UnknownSku
from store.database.parameters import to_rows
from store.enums import InboundKind, InboundStatus
from store.inbound.rows import Inbound, lock, must_be_within
from store.orders import reads


@dataclass(frozen=True, slots=True)
class Announcement:
    """Units by SKU that are to arrive at a node; a transfer comes from another node. Confidence is in percent."""

    reference: str
    kind: InboundKind
    node_id: str
    origin_node: str | None
    due_on: date
    confidence: int
    lines: tuple[tuple[str, int], ...]


_OPEN = text("""
INSERT INTO inbound (reference, kind, status, origin_node, node_id, due_on, confidence, actor)
VALUES (:reference, :kind, 'announced', CAST(:origin_node AS text), :node_id, :due_on, :confidence, :actor)
ON CONFLICT (reference) DO NOTHING RETURNING reference
""")
_REPLACE = text("""
WITH gone AS (DELETE FROM inbound_lines WHERE reference = :reference)
UPDATE inbound SET kind = :kind, origin_node = CAST(:origin_node AS text), node_id = :node_id, due_on = :due_on,
    confidence = :confidence, actor = :actor, updated_at = now()
WHERE reference = :reference
""")
_LINES = text("""
INSERT INTO inbound_lines (reference, sku, quantity)
SELECT :reference, l.sku, l.quantity FROM jsonb_to_recordset(CAST(:lines AS jsonb)) AS l (sku text, quantity int)
""")
_CANCEL = text("""
UPDATE inbound SET status = 'cancelled', actor = :actor, updated_at = now() WHERE reference = :reference
""")


async def announce(
    connection: AsyncConnection, announced: Announcement, actor: str, limits: Limits = UNLIMITED
) -> bool:
    """Write it down; True if the reference is new. The same content again changes nothing, however far it has come.

    Raises UnknownNode, UnknownSku, InvalidInput; Conflict for other content once something was shipped or received,
    or it was called off; Forbidden unless all nodes of it, and of what it would replace, are within the limits. For a
    transaction.
    """
    must_be_within(limits, announced.node_id, field="node_id")
    if announced.origin_node is not None:
        must_be_within(limits, announced.origin_node, field="origin_node")
    _check(announced)
    await _check_known(connection, announced)
    fields = _fields(announced, actor)
    if await connection.scalar(_OPEN, fields) is not None:
        await _write_lines(connection, announced)
        return True
    known = await lock(connection, announced.reference)
    if not all(limits.allow(node=node) for node in known.ends):
        raise Forbidden(f"the caller cannot use the reference {announced.reference}")
    if known.content != _content(announced):
        if not known.untouched:
            raise Conflict(
                f"{announced.reference} was announced with other content and is {known.status}",
                data={"status": known.status},
            )
        await connection.execute(_REPLACE, fields)
        await _write_lines(connection, announced)
    return False


async def cancel(connection: AsyncConnection, reference: str, actor: str, limits: Limits = UNLIMITED) -> None:
    """Call it off; once is as good as twice.

    Raises NotFound; Forbidden unless all its nodes are within the limits; StepNotPossible once something has moved.
    """
    known = await lock(connection, reference, limits)
    must_be_within(limits, *known.ends)
    if known.status is InboundStatus.CANCELLED:
        return
    if not known.untouched:
        raise StepNotPossible(_too_late(known), data={"status": known.status})
    await connection.execute(_CANCEL, {"reference": reference, "actor": actor})


def _too_late(known: Inbound) -> str:
    if known.status is InboundStatus.RECEIVED:
        return f"{known.reference} has ended"
    if known.kind is InboundKind.TRANSFER:
        return f"{known.reference} is on its way; receive it back at {known.origin_node}"
    return f"{known.reference} has come in part or is on its way; close it with what came"


def _check(announced: Announcement) -> None:
    is_transfer = announced.kind is InboundKind.TRANSFER
    if is_transfer and announced.origin_node is None:
        raise InvalidInput("a transfer names the node it leaves", field="origin_node")
    if not is_transfer and announced.origin_node is not None:
        raise InvalidInput("only a transfer leaves a node", field="origin_node")
    if announced.origin_node == announced.node_id:
        raise InvalidInput("a transfer goes to another node", field="node_id")
    seen: set[str] = set()
    for index, (sku, _) in enumerate(announced.lines):
        if sku in seen:
            raise InvalidInput(f"SKU {sku} stands twice", field=f"lines[{index}].sku")
        seen.add(sku)


async def _check_known(connection: AsyncConnection, announced: Announcement) -> None:
    places = {"node_id": announced.node_id, "origin_node": announced.origin_node}
    known = set(
        await connection.scalars(
            text("SELECT id FROM nodes WHERE id = ANY(:ids)"), {"ids": [place for place in places.values() if place]}
        )
    )
    for field, place in places.items():
        if place is not None and place not in known:
            raise UnknownNode(f"there is no node {place}", field=field, data={"node_id": place})
    skus = [sku for sku, _ in announced.lines]
    unknown = await reads.unknown_skus(connection, skus)
    if unknown:
        first = min(skus.index(sku) for sku in unknown)
        raise UnknownSku(f"there is no SKU {skus[first]}", field=f"lines[{first}].sku", data={"skus": sorted(unknown)})


async def _write_lines(connection: AsyncConnection, announced: Announcement) -> None:
    lines = [{"sku": sku, "quantity": quantity} for sku, quantity in announced.lines]
    await connection.execute(_LINES, {"reference": announced.reference, "lines": to_rows(lines)})


def _fields(announced: Announcement, actor: str) -> dict[str, object]:
    return {
        "reference": announced.reference,
        "kind": announced.kind,
        "origin_node": announced.origin_node,
        "node_id": announced.node_id,
        "due_on": announced.due_on,
        "confidence": announced.confidence,
        "actor": actor,
    }


def _content(announced: Announcement) -> tuple[object, ...]:
    return (
        announced.kind,
        announced.origin_node,
        announced.node_id,
        announced.due_on,
        announced.confidence,
        dict(announced.lines),
    )
