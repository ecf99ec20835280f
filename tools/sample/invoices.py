"""Rows become invoices: lines of one SKU at one price are one line."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from tools.sample.read import Row


@dataclass(frozen=True, slots=True)
class Line:
    """One order line. `line_id` counts from 1 within the invoice, in the feed's order."""

    line_id: str
    sku: str
    quantity: int
    price_pence: int


@dataclass(frozen=True, slots=True)
class Invoice:
    """What one customer bought at one time. `customer` is empty for a guest."""

    number: str
    placed_at: datetime
    customer: str
    country_name: str
    lines: tuple[Line, ...]

    @property
    def units(self) -> int:
        return sum(line.quantity for line in self.lines)

    @property
    def total_pence(self) -> int:
        return sum(line.quantity * line.price_pence for line in self.lines)


def invoices_from(rows: Iterable[Row]) -> list[Invoice]:
    """Invoices by time and number. An invoice booked over two minutes was placed in the first of them."""
    grouped: dict[str, list[Row]] = {}
    for row in rows:
        grouped.setdefault(row.invoice, []).append(row)
    invoices = [invoice_of(group) for group in grouped.values()]
    return sorted(invoices, key=lambda invoice: (invoice.placed_at, invoice.number))


def invoice_of(rows: list[Row]) -> Invoice:
    first = rows[0]
    return Invoice(
        number=first.invoice,
        placed_at=min(row.at for row in rows),
        customer=first.customer,
        country_name=first.country_name,
        lines=merged_lines(rows),
    )


def merged_lines(rows: Iterable[Row]) -> tuple[Line, ...]:
    """One line a SKU and price; the same SKU at another price stays a line of its own."""
    quantities: dict[tuple[str, int], int] = {}
    for row in rows:
        key = (row.sku, row.price_pence)
        quantities[key] = quantities.get(key, 0) + row.quantity
    return tuple(
        Line(line_id=str(number), sku=sku, quantity=quantity, price_pence=price)
        for number, ((sku, price), quantity) in enumerate(quantities.items(), start=1)
    )
