"""Arriving: goods come in parts, in whatever condition, and what did not come is said."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.exceptions import ExceptionKind
from dom.shared.access import UNLIMITED, Limits
from dom.shared.errors import Conflict, InvalidInput, StepNotPossible
from store import exceptions
from store.database.parameters import HAPPENED_AT, to_rows
from store.enums import InboundKind, InboundStatus, LedgerKind
from store.inbound.rows import Inbound, come_to, lock, must_be_within

_ARRIVES_AS: Final = {
    InboundKind.PURCHASE_ORDER: LedgerKind.RECEIPT,
    InboundKind.TRANSFER: LedgerKind.TRANSFER_IN,
    InboundKind.RETURN: LedgerKind.RESTOCK,
}


@dataclass(frozen=True, slots=True)
class Arrived:
    """Units of a SKU that arrived, by condition."""

    sku: str
    quantity: int
    damaged: int = 0
    quarantine: int = 0


@dataclass(frozen=True, slots=True)
class Receipt:
    """What arrived, in one message with a key of its own. `closed`: nothing more will come.

    `node_id` is where; None for where it was to go. A transfer may be received back at its origin.
    """

    reference: str
    key: str
    lines: tuple[Arrived, ...]
    closed: bool
    actor: str
    occurred_at: datetime
    node_id: str | None = None


_ARRIVE = text(f"""
WITH arrived AS (
    SELECT * FROM jsonb_to_recordset(CAST(:lines AS jsonb))
        AS a (sku text, quantity int, damaged int, quarantine int)
), counted AS (
    UPDATE inbound_lines l SET received = l.received + a.quantity + a.damaged + a.quarantine
    FROM arrived a WHERE l.reference = :reference AND l.sku = a.sku
), balance AS (
    INSERT INTO stock AS s (node_id, sku, on_hand, damaged, quarantine)
    SELECT :node_id, sku, quantity, damaged, quarantine FROM arrived ORDER BY sku
    ON CONFLICT (node_id, sku) DO UPDATE SET
        on_hand = s.on_hand + CASE WHEN s.counted_at >= {HAPPENED_AT} THEN 0 ELSE EXCLUDED.on_hand END,
        damaged = s.damaged + EXCLUDED.damaged, quarantine = s.quarantine + EXCLUDED.quarantine, updated_at = now()
    RETURNING s.sku, coalesce(s.counted_at >= {HAPPENED_AT}, false) AS seen
), entry AS (
    SELECT a.sku, CASE WHEN b.seen THEN 0 ELSE a.quantity END AS quantity, a.damaged, a.quarantine
    FROM arrived a JOIN balance b USING (sku)
), noted AS (
    INSERT INTO stock_ledger (node_id, sku, kind, on_hand_delta, damaged_delta, quarantine_delta, business_key, reason,
                              actor, occurred_at)
    SELECT :node_id, sku, :kind, quantity, damaged, quarantine, 'inbound/' || :reference || '/receive/' || :key,
           :reason, :actor, {HAPPENED_AT}
    FROM entry WHERE quantity > 0 OR damaged > 0 OR quarantine > 0
)
INSERT INTO inbound_receipts (reference, key, node_id, lines, closed, actor, occurred_at)
VALUES (:reference, :key, :node_id, CAST(:lines AS jsonb), :closed, :actor, {HAPPENED_AT})
""")
_KNOWN = text("SELECT node_id, lines, closed FROM inbound_receipts WHERE reference = :reference AND key = :key")
_DIFFERENCE = text("""
SELECT coalesce(sum(greatest(quantity - received, 0)), 0) AS missing,
       coalesce(sum(greatest(received - quantity, 0)), 0) AS surplus
FROM inbound_lines WHERE reference = :reference
""")


async def receive(connection: AsyncConnection, receipt: Receipt, limits: Limits = UNLIMITED) -> bool:
    """Put what arrived on hand, once a key; False if this receipt was written before.

    It ends when everything announced has come, or with a `closed` receipt; what a transfer then lacks or has too much
    goes to the exception queue. What arrived before the node's last count was seen by the count, and raises nothing
    but what is damaged or in quarantine. Raises NotFound, InvalidInput; StepNotPossible for a transfer that was not
    shipped and for what has ended; Conflict if the key stands for another receipt; Forbidden unless the node where it
    arrived is within the limits. For a transaction.
    """
    known = await lock(connection, receipt.reference, limits)
    node_id = receipt.node_id or known.node_id
    must_be_within(limits, node_id, field="node_id")
    lines = [_line(line) for line in sorted(receipt.lines, key=lambda line: line.sku)]
    if await _is_repeat(connection, receipt, node_id, lines):
        return False
    _check(receipt, known, node_id)
    await connection.execute(
        _ARRIVE,
        {
            "reference": receipt.reference,
            "key": receipt.key,
            "node_id": node_id,
            "kind": _ARRIVES_AS[known.kind],
            "reason": f"{known.kind.replace('_', ' ')} {receipt.reference}",
            "lines": to_rows(lines),
            "closed": receipt.closed,
            "actor": receipt.actor,
            "at": receipt.occurred_at,
        },
    )
    await _end(connection, receipt, known)
    return True


async def _is_repeat(
    connection: AsyncConnection, receipt: Receipt, node_id: str, lines: list[dict[str, str | int]]
) -> bool:
    rows = await connection.execute(_KNOWN, {"reference": receipt.reference, "key": receipt.key})
    before = rows.one_or_none()
    if before is None:
        return False
    if (before.node_id, before.lines, before.closed) != (node_id, lines, receipt.closed):
        raise Conflict(f"the key was used before, for another receipt of {receipt.reference}", field="idempotency_key")
    return True


def _check(receipt: Receipt, known: Inbound, node_id: str) -> None:
    if known.status not in {InboundStatus.ANNOUNCED, InboundStatus.IN_TRANSIT}:
        raise StepNotPossible(
            f"{receipt.reference} is {known.status}; what came is an adjustment", data={"status": known.status}
        )
    if known.kind is InboundKind.TRANSFER and known.status is InboundStatus.ANNOUNCED:
        raise StepNotPossible(f"{receipt.reference} was not shipped yet", data={"status": known.status})
    if node_id not in {known.node_id, known.origin_node}:
        raise InvalidInput(f"{receipt.reference} does not go to {node_id}", field="node_id")
    if not receipt.lines and not receipt.closed:
        raise InvalidInput("say what came, or that nothing will", field="lines")
    seen: set[str] = set()
    for index, line in enumerate(receipt.lines):
        if line.sku in seen:
            raise InvalidInput(f"SKU {line.sku} stands twice", field=f"lines[{index}].sku")
        if line.sku not in known.announced:
            raise InvalidInput(
                f"SKU {line.sku} was not announced; what came of it is an adjustment", field=f"lines[{index}].sku"
            )
        if line.quantity + line.damaged + line.quarantine == 0:
            raise InvalidInput("0 units change nothing", field=f"lines[{index}].quantity")
        seen.add(line.sku)


async def _end(connection: AsyncConnection, receipt: Receipt, known: Inbound) -> None:
    difference = (await connection.execute(_DIFFERENCE, {"reference": receipt.reference})).one()
    if not receipt.closed and difference.missing:
        return
    await come_to(connection, receipt.reference, InboundStatus.RECEIVED, receipt.actor)
    if known.kind is not InboundKind.TRANSFER:
        return
    for kind, units, said in (
        (ExceptionKind.TRANSFER_SHORT, difference.missing, "did not come"),
        (ExceptionKind.TRANSFER_OVER, difference.surplus, "came that were never sent"),
    ):
        if units:
            detail = f"transfer {known.reference} from {known.origin_node} to {known.node_id}: {units} units {said}"
            await exceptions.open_(connection, None, kind, f"inbound/{known.reference}/{kind}", detail)


def _line(line: Arrived) -> dict[str, str | int]:
    return {"sku": line.sku, "quantity": line.quantity, "damaged": line.damaged, "quarantine": line.quarantine}
