"""The retailer's ledger, row by row, as it was published."""

import csv
import lzma
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")
COLUMNS = ("InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country")


@dataclass(frozen=True, slots=True)
class Row:
    """One row; `number` counts from 1 below the header, `raw` keeps the fields as they stand in the file."""

    number: int
    raw: tuple[str, ...]
    invoice: str
    sku: str
    description: str
    quantity: int
    at: datetime
    price_pence: int
    customer: str
    country_name: str

    @property
    def is_cancellation(self) -> bool:
        return self.invoice.startswith("C")


def row_from(number: int, raw: tuple[str, ...]) -> Row:
    """Reads the eight fields: times become UTC, pounds become pence, SKUs upper case (72803b is 72803B)."""
    invoice, sku, description, quantity, at, price, customer, country = raw
    return Row(
        number=number,
        raw=raw,
        invoice=invoice.strip(),
        sku=sku.strip().upper(),
        description=" ".join(description.split()),
        quantity=int(quantity),
        at=datetime.fromisoformat(at).replace(tzinfo=LONDON).astimezone(UTC),
        price_pence=round(Decimal(price) * 100),
        customer=customer.strip(),
        country_name=country.strip(),
    )


def read_rows(source: Path) -> Iterator[Row]:
    """All rows of the xz-compressed CSV. Raises ValueError if its columns are not the expected ones."""
    with lzma.open(source, "rt", encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        header = tuple(next(reader))
        if header != COLUMNS:
            raise ValueError(f"{source.name}: expected columns {', '.join(COLUMNS)}, found {', '.join(header)}")
        for number, fields in enumerate(reader, start=1):
            yield row_from(number, tuple(fields))
