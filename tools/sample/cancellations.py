"""Finds the order that a row of a `C` invoice takes back."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from tools.sample.clean import Reason, Rejection
from tools.sample.invoices import Invoice, Line
from tools.sample.read import Row


@dataclass(frozen=True, slots=True)
class Cancellation:
    """Units of one order taken back by one `C` invoice; `lines` maps line ids to units."""

    source_invoice: str
    order_number: str
    cancelled_at: datetime
    lines: dict[str, int]


@dataclass(slots=True)
class _Bought:
    invoice: Invoice
    line: Line
    left: int


@dataclass(slots=True)
class Matched:
    """What was found. Every row given is either in `rows` or rejected."""

    cancellations: list[Cancellation] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)


def match_cancellations(rows: Iterable[Row], invoices: Iterable[Invoice]) -> Matched:
    """Gives each row to earlier orders of its customer and SKU: same price first, then the latest.

    A row may take from several orders, but only whole: one that wants more units than were bought is rejected.
    """
    bought: dict[tuple[str, str], list[_Bought]] = defaultdict(list)
    for invoice in invoices:
        for line in invoice.lines:
            bought[invoice.customer, line.sku].append(_Bought(invoice, line, line.quantity))
    matched = Matched()
    taken: dict[tuple[str, str], Cancellation] = {}
    for row in sorted(rows, key=lambda row: (row.at, row.number)):
        candidates = earlier(bought[row.customer, row.sku], row) if row.customer else []
        reason = reason_against(row, candidates)
        if reason is not None:
            matched.rejected.append(Rejection(row, reason))
            continue
        matched.rows.append(row)
        take(row, candidates, taken)
    matched.cancellations = sorted(taken.values(), key=lambda c: (c.cancelled_at, c.source_invoice, c.order_number))
    return matched


def earlier(bought: Iterable[_Bought], row: Row) -> list[_Bought]:
    """What is left of the purchases before the row, best match first."""
    before = [entry for entry in bought if entry.left > 0 and entry.invoice.placed_at <= row.at]
    before.sort(key=lambda entry: entry.invoice.placed_at, reverse=True)
    before.sort(key=lambda entry: entry.line.price_pence != row.price_pence)
    return before


def reason_against(row: Row, candidates: list[_Bought]) -> Reason | None:
    if not row.customer:
        return Reason.CANCELLATION_WITHOUT_CUSTOMER
    if not candidates:
        return Reason.CANCELLATION_WITHOUT_ORDER
    if sum(entry.left for entry in candidates) < -row.quantity:
        return Reason.CANCELLATION_EXCEEDS_ORDER
    return None


def take(row: Row, candidates: Iterable[_Bought], taken: dict[tuple[str, str], Cancellation]) -> None:
    wanted = -row.quantity
    for entry in candidates:
        units = min(wanted, entry.left)
        if units == 0:
            return
        key = (row.invoice, entry.invoice.number)
        record = taken.setdefault(key, Cancellation(row.invoice, entry.invoice.number, row.at, {}))
        record.lines[entry.line.line_id] = record.lines.get(entry.line.line_id, 0) + units
        entry.left -= units
        wanted -= units
