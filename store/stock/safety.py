"""Safety stocks: what OFL never takes of a balance, and what is never promised to a channel.

They are set, not changed by so much. The ledger has every setting under its key, also one that found the quantity as it
was to be: said again late, it must not undo what was set since.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.shared.errors import Conflict, DomError, UnknownNode, UnknownSku
from store.database.parameters import to_rows
from store.enums import ItemOutcome
from store.stock.item_results import Balances

_KEY: Final = "safety/"
"""Keeps the keys callers choose apart from the system's own."""


@dataclass(frozen=True, slots=True)
class SafetySetting:
    """What the safety stocks of a balance are to be; one that is None stays. The key makes it count once a balance."""

    node_id: str
    sku: str
    safety_stock: int | None
    promise_safety: int | None
    reason: str
    idempotency_key: str

    @property
    def says(self) -> str:
        """The setting in words of the ledger's, to tell a repeat from another setting under the same key."""
        named = {"safety_stock": self.safety_stock, "promise_safety": self.promise_safety}
        return ",".join(f"{name}={units}" for name, units in named.items() if units is not None)


@dataclass(frozen=True, slots=True)
class SettingResult:
    """What became of a setting, and the balance as it stands after it."""

    outcome: ItemOutcome
    on_hand: int = 0
    safety_stock: int = 0
    promise_safety: int = 0
    error: DomError | None = None


_ROWS: Final = """
SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb))
    AS g (no int, node_id text, sku text, safety_stock int, promise_safety int, reason text, key text, says text)
"""
_BALANCES: Final = Balances.of(_ROWS)
_SET: Final = text(f"""
WITH item AS MATERIALIZED (
    SELECT i.*, s.on_hand, s.safety_stock AS was, s.promise_safety AS was_promise, e.id IS NOT NULL AS done,
           CASE WHEN n.id IS NULL THEN 'unknown-node' WHEN k.id IS NULL THEN 'unknown-sku'
                WHEN e.reason_code <> i.says THEN 'conflict' END AS problem
    FROM ({_ROWS}) i LEFT JOIN nodes n ON n.id = i.node_id LEFT JOIN skus k ON k.id = i.sku
    LEFT JOIN stock s ON s.node_id = i.node_id AND s.sku = i.sku
    LEFT JOIN stock_ledger e ON e.business_key = '{_KEY}' || i.key AND e.node_id = i.node_id AND e.sku = i.sku
), fresh AS (
    SELECT no, node_id, sku, coalesce(safety_stock, was) AS safety_stock, was, was_promise,
           coalesce(promise_safety, was_promise) AS promise_safety, reason, says, key
    FROM item WHERE problem IS NULL AND NOT done
), settled AS (
    UPDATE stock s SET safety_stock = f.safety_stock, promise_safety = f.promise_safety, updated_at = now()
    FROM fresh f WHERE s.node_id = f.node_id AND s.sku = f.sku
), noted AS (
    INSERT INTO stock_ledger (node_id, sku, kind, safety_delta, promise_safety_delta, business_key, reason_code, reason,
                              actor, occurred_at)
    SELECT node_id, sku, 'safety', safety_stock - was, promise_safety - was_promise, '{_KEY}' || key, says, reason,
           :actor, statement_timestamp() FROM fresh
)
SELECT i.no, i.node_id, i.sku, i.problem, i.done, i.on_hand, coalesce(f.safety_stock, i.was) AS safety_stock,
       coalesce(f.promise_safety, i.was_promise) AS promise_safety
FROM item i LEFT JOIN fresh f USING (no)
""")


async def put(connection: AsyncConnection, settings: Sequence[SafetySetting], actor: str) -> list[SettingResult]:
    """Set safety stocks, each once a key, node and SKU; a balance that is not there is opened. For a transaction.

    A setting that is refused (UnknownNode, UnknownSku, Conflict for a key that stands for another setting) holds back
    none of the others.
    """
    numbered = list(enumerate(settings))
    await _BALANCES.lock(connection, {"rows": _as_rows(numbered)})
    results: dict[int, SettingResult] = {}
    for turn in _turns(numbered):
        found = await connection.execute(_SET, {"rows": _as_rows(turn), "actor": actor})
        results |= {row["no"]: _result(row) for row in found.mappings()}
    return [results[number] for number, _ in numbered]


def _turns(settings: Sequence[tuple[int, SafetySetting]]) -> list[list[tuple[int, SafetySetting]]]:
    """Settings of one balance come one after the other; all others at once."""
    seen: Counter[tuple[str, str]] = Counter()
    turns: list[list[tuple[int, SafetySetting]]] = []
    for number, setting in settings:
        turn = seen[setting.node_id, setting.sku]
        seen[setting.node_id, setting.sku] += 1
        if turn == len(turns):
            turns.append([])
        turns[turn].append((number, setting))
    return turns


def _result(row: RowMapping) -> SettingResult:
    if row["problem"] is not None:
        return SettingResult(ItemOutcome.REFUSED, error=_refusal(row))
    outcome = ItemOutcome.REPEATED if row["done"] else ItemOutcome.APPLIED
    return SettingResult(outcome, row["on_hand"], row["safety_stock"], row["promise_safety"])


def _refusal(row: RowMapping) -> DomError:
    node_id, sku = row["node_id"], row["sku"]
    if row["problem"] == UnknownNode.type:
        return UnknownNode(f"there is no node {node_id}", field="node_id", data={"node_id": node_id})
    if row["problem"] == UnknownSku.type:
        return UnknownSku(f"there is no SKU {sku}", field="sku", data={"sku": sku})
    return Conflict("the key was used before, for another setting", field="idempotency_key")


def _as_rows(settings: Sequence[tuple[int, SafetySetting]]) -> str:
    return to_rows(
        {
            "no": number,
            "node_id": each.node_id,
            "sku": each.sku,
            "safety_stock": each.safety_stock,
            "promise_safety": each.promise_safety,
            "reason": each.reason,
            "key": each.idempotency_key,
            "says": each.says,
        }
        for number, each in settings
    )
