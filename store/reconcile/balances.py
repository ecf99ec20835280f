"""Balances against their ledger and their active reservations."""

from collections.abc import Iterator
from typing import Final

from sqlalchemy import RowMapping

from store.reconcile.differences import StockDifference, StockFault, Subject, Trust, of_balance

OWN: Final = {
    StockFault.ON_HAND: "on_hand",
    StockFault.DAMAGED: "damaged",
    StockFault.QUARANTINE: "quarantine",
    StockFault.SAFETY_STOCK: "safety_stock",
    StockFault.PROMISE_SAFETY: "promise_safety",
}
"""Quantities that only the balance and its ledger know."""
HELD: Final = {StockFault.RESERVED: ("reserved", "firm"), StockFault.RESERVED_SOFT: ("reserved_soft", "soft")}
"""Quantities that follow the active reservations."""
QUANTITIES: Final = (*OWN.values(), *(column for column, _ in HELD.values()))
DELTAS: Final = {
    "on_hand": "on_hand_delta",
    "damaged": "damaged_delta",
    "quarantine": "quarantine_delta",
    "safety_stock": "safety_delta",
    "promise_safety": "promise_safety_delta",
    "reserved": "reserved_delta",
    "reserved_soft": "soft_delta",
}
"""The ledger's column of each quantity."""

_IMPOSSIBLE: Final = (
    "s.on_hand < 0 OR s.damaged < 0 OR s.quarantine < 0 OR s.safety_stock < 0 OR s.promise_safety < 0 "
    "OR s.reserved < 0 OR s.reserved_soft < 0 OR s.reserved + s.reserved_soft > s.on_hand"
)


def query(place: str = "true") -> str:
    """The books side by side: one row for each (node, SKU) any of them knows and `place` allows."""
    balance = ", ".join(f"s.{name}" for name in QUANTITIES)
    ledger = ", ".join(f"coalesce(l.{name}, 0) AS ledger_{name}" for name in QUANTITIES)
    sums = ", ".join(f"sum({delta}) AS {name}" for name, delta in DELTAS.items())
    return f"""
WITH s AS (
    SELECT *, true AS there FROM stock WHERE {place}
), l AS (
    SELECT node_id, sku, true AS there, {sums} FROM stock_ledger WHERE {place} GROUP BY node_id, sku
), h AS (
    SELECT node_id, sku, sum(quantity) FILTER (WHERE kind = 'firm') AS firm,
           sum(quantity) FILTER (WHERE kind = 'soft') AS soft
    FROM reservations WHERE {place}
      -- said so that a single place finds its way through the two kinds' own indexes
      AND (kind = 'firm' AND status = 'active' OR kind = 'soft' AND status = 'active') GROUP BY node_id, sku
)
SELECT node_id, sku, s.there IS NOT NULL AS has_balance, l.there IS NOT NULL AS has_ledger,
       coalesce({_IMPOSSIBLE}, false) AS impossible, {balance}, {ledger},
       coalesce(h.firm, 0) AS firm, coalesce(h.soft, 0) AS soft
FROM s FULL JOIN l USING (node_id, sku) FULL JOIN h USING (node_id, sku)"""


def differing() -> str:
    """Only the rows that hold a difference."""
    own = " OR ".join(f"b.{name} IS DISTINCT FROM b.ledger_{name}" for name in QUANTITIES)
    held = " OR ".join(f"b.{column} IS DISTINCT FROM b.{sums}" for column, sums in HELD.values())
    return f"SELECT * FROM ({query()}) b WHERE NOT has_balance OR impossible OR {own} OR {held} ORDER BY node_id, sku"


def differences(row: RowMapping, trust: Trust) -> Iterator[StockDifference]:
    """What is wrong with one row of the books."""
    subject = of_balance(row["node_id"], row["sku"])
    if not row["has_balance"]:
        yield _without_balance(row, subject)
        return
    if not row["has_ledger"] and any(row[column] for column in OWN.values()):
        kept = "ledger entries for what it says" if trust is Trust.BALANCE else "the balance becomes zero"
        yield StockDifference(
            StockFault.LEDGER_MISSING, subject, f"balance {_words(row)}, no ledger entry at all", kept
        )
    else:
        yield from _own(row, subject, trust)
    yield from _held(row, subject)
    if row["impossible"]:
        yield StockDifference(
            StockFault.IMPOSSIBLE, subject, _words(row), "what the other differences of the place allow"
        )


def _without_balance(row: RowMapping, subject: Subject) -> StockDifference:
    detail = (
        f"the ledger says {row['ledger_on_hand']} on hand, {row['firm']} are reserved firm, {row['soft']} soft; "
        "there is no balance"
    )
    return StockDifference(StockFault.BALANCE_MISSING, subject, detail, "a balance is made from the ledger")


def _own(row: RowMapping, subject: Subject, trust: Trust) -> Iterator[StockDifference]:
    for fault, column in OWN.items():
        balance, ledger = row[column], row[f"ledger_{column}"]
        if balance == ledger:
            continue
        if trust is Trust.BALANCE and balance is not None:
            mend = f"a ledger entry of {balance - ledger:+d}"
        else:
            mend = f"the balance becomes {ledger}"
        yield StockDifference(fault, subject, f"balance {_or_null(balance)}, ledger {ledger}", mend)


def _held(row: RowMapping, subject: Subject) -> Iterator[StockDifference]:
    for fault, (column, sums) in HELD.items():
        balance, ledger, active = row[column], row[f"ledger_{column}"], row[sums]
        if balance == ledger == active:
            continue
        detail = f"balance {_or_null(balance)}, ledger {ledger}, active reservations {active}"
        yield StockDifference(fault, subject, detail, "balance and ledger follow the reservations that stand")


def _words(row: RowMapping) -> str:
    said = (f"{_or_null(row[column])} {column.replace('_', ' ')}" for column in QUANTITIES if row[column] != 0)
    return ", ".join(said) or "nothing"


def _or_null(value: int | None) -> str:
    return "NULL" if value is None else str(value)
