"""Changes of stock from outside the order flow: a receipt, damage, a loss. Each once, each for itself.

A change that happened before the node's last count was seen by it: what it did to sellable units is done already, and
it is `superseded`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.orders.status import Condition, ReasonCode
from store.database.parameters import to_rows
from store.enums import LedgerKind
from store.stock.item_results import ANSWERED, MOST_UNITS, Balances, ItemResult, result

KEY: Final = "adjustment:"
"""Keeps the keys callers choose apart from the system's own."""


@dataclass(frozen=True, slots=True)
class Adjustment:
    """A change of the units of a condition; positive comes in, negative goes out.

    With `to` the units (a positive quantity) move from `condition` to that one.
    """

    node_id: str
    sku: str
    quantity: int
    reason: str
    idempotency_key: str
    occurred_at: datetime
    reason_code: ReasonCode | None = None
    condition: Condition = Condition.SELLABLE
    to: Condition | None = None

    def deltas(self) -> dict[str, int]:
        """The change of each condition's units."""
        changes = dict.fromkeys(("on_hand", "damaged", "quarantine"), 0)
        changes[_COLUMN[self.condition]] = self.quantity if self.to is None else -self.quantity
        if self.to is not None:
            changes[_COLUMN[self.to]] = self.quantity
        return changes

    @property
    def kind(self) -> LedgerKind:
        """What the ledger calls it."""
        if self.to is not None:
            return LedgerKind.CONDITION
        receipt = self.reason_code is ReasonCode.RECEIPT or self.reason.startswith("receipt")
        return LedgerKind.RECEIPT if receipt else LedgerKind.ADJUSTMENT


_COLUMN: Final = {
    Condition.SELLABLE: "on_hand",
    Condition.DAMAGED: "damaged",
    Condition.QUARANTINE: "quarantine",
}
_STATEMENT: Final = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
_POSSIBLE: Final = f"""
{{on_hand}} BETWEEN reserved + reserved_soft AND {MOST_UNITS} AND {{damaged}} BETWEEN 0 AND {MOST_UNITS}
AND {{quarantine}} BETWEEN 0 AND {MOST_UNITS}
"""


def _possible(on_hand: str, damaged: str, quarantine: str) -> str:
    return f"({_POSSIBLE.format(on_hand=on_hand, damaged=damaged, quarantine=quarantine)})"


def statement(rows: str, tail: str, key_field: str = "idempotency_key") -> str:
    """SQL that makes the changes of a relation, in sequence, on balances that are locked.

    `rows` has no, node_id, sku, on_hand, damaged, quarantine, kind, reason, reason_code, business_key, at; `tail` ends
    the statement and reads `verdict`. A change that does not fit is refused and holds back none of the others.
    Balances on which all fit are worked out as sums; only the others are walked through change by change.
    """
    return _STATEMENT.format(
        rows=rows,
        tail=tail,
        key_field=key_field,
        most_units=MOST_UNITS,
        sums_fit=_possible("to_on_hand", "to_damaged", "to_quarantine"),
        change_fits=_possible("on_hand_then", "damaged_then", "quarantine_then"),
    )


_ITEMS: Final = """
SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS q (no int, node_id text, sku text, on_hand int, damaged int,
    quarantine int, kind text, reason text, reason_code text, business_key text, at timestamptz)
"""
OPENS: Final = "i.on_hand + i.damaged + i.quarantine > 0"
"""Goods that come in open a balance."""
_BALANCES = Balances.of(_ITEMS, OPENS)
_APPLY = text(statement(_ITEMS, ANSWERED))


async def apply(connection: AsyncConnection, adjustments: Sequence[Adjustment], actor: str) -> list[ItemResult]:
    """Make the changes, each once per idempotency key, node and SKU; a result for each, in sequence.

    In the caller's transaction, which holds the balances until it ends. Refused, each by itself: UnknownNode,
    UnknownSku, StockConflict if units would go that are reserved or not there, InvalidInput if the balance would grow
    beyond what can be kept, Conflict if the key stands for another change.
    """
    rows = to_rows(
        {
            "no": number,
            "node_id": each.node_id,
            "sku": each.sku,
            **each.deltas(),
            "kind": each.kind,
            "reason": each.reason,
            "reason_code": each.reason_code,
            "business_key": KEY + each.idempotency_key,
            "at": each.occurred_at,
        }
        for number, each in enumerate(adjustments)
    )
    await _BALANCES.lock(connection, {"rows": rows})
    found = await connection.execute(_APPLY, {"rows": rows, "actor": actor})
    return [result(row, _data(row)) for row in found.mappings()]


def _data(row: RowMapping) -> dict[str, Any]:
    match row["problem"]:
        case "unknown-node":
            return {"node_id": row["node_id"]}
        case "conflict":
            return {"quantity": row["done_before"]}
        case "stock-conflict":
            return _standing(row)
        case _:
            return {}


def _standing(row: RowMapping) -> dict[str, int]:
    """What stands in the way: units on hand and reserved; other quantities only where there are some."""
    others = {name: row[name] for name in ("reserved_soft", "damaged", "quarantine") if row[name]}
    return {"on_hand": row["on_hand"], "reserved": row["reserved"], **others}
