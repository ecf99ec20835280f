"""Which rows are order lines, which are cancellations, and why the others are neither."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from tools.sample.read import Row

# The feed's codes for goods: five digits and up to two letters, or the codes of the retailer's sister shop.
GOODS = re.compile(r"\d{5}[A-Z]{0,2}|DCGS[0-9A-Z]+")
# "DOTCOM POSTAGE" stands on customerless invoices only: read here as the postage of a consumer shop, posted in one sum.
CONSUMER_POSTAGE = "DOT"
# Our threshold for the postage of several buyers; the 173 invoices above it have 187 rows on average.
CONSOLIDATED_POSTAGE_PENCE = 2500

COUNTRY_CODES = {
    "Australia": "AU",
    "Austria": "AT",
    "Belgium": "BE",
    "Cyprus": "CY",
    "Czech Republic": "CZ",
    "Denmark": "DK",
    "EIRE": "IE",
    "Finland": "FI",
    "France": "FR",
    "Germany": "DE",
    "Iceland": "IS",
    "Italy": "IT",
    "Japan": "JP",
    "Lithuania": "LT",
    "Netherlands": "NL",
    "Norway": "NO",
    "Poland": "PL",
    "Portugal": "PT",
    "Singapore": "SG",
    "Spain": "ES",
    "Sweden": "SE",
    "Switzerland": "CH",
    "United Kingdom": "GB",
}
# One name in the feed, two postal administrations: which of them an order goes to is assigned with its address.
CHANNEL_ISLANDS = "Channel Islands"
COUNTRIES_WITHOUT_POSTAL_CODES = frozenset(
    {"Bahrain", "Greece", "Hong Kong", "Israel", "Lebanon", "Saudi Arabia", "United Arab Emirates"}
)


class Reason(StrEnum):
    """Why a row is no order line and no cancellation of one."""

    NOT_GOODS = "not_goods"
    NO_PRICE = "no_price"
    STOCK_CORRECTION = "stock_correction"
    NEGATIVE_WITHOUT_INVOICE_C = "negative_without_invoice_c"
    POSITIVE_IN_INVOICE_C = "positive_in_invoice_c"
    DUPLICATE_ROW = "duplicate_row"
    CONSOLIDATED_INVOICE = "consolidated_invoice"
    COUNTRY_WITHOUT_POSTAL_CODES = "country_without_postal_codes"
    COUNTRY_UNKNOWN = "country_unknown"
    CANCELLATION_WITHOUT_CUSTOMER = "cancellation_without_customer"
    CANCELLATION_WITHOUT_ORDER = "cancellation_without_order"
    CANCELLATION_EXCEEDS_ORDER = "cancellation_exceeds_order"


@dataclass(frozen=True, slots=True)
class Rejection:
    row: Row
    reason: Reason


@dataclass(slots=True)
class SortedRows:
    """The ledger taken apart; every row is in exactly one of the three lists."""

    lines: list[Row] = field(default_factory=list)
    cancellations: list[Row] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)


def sort_rows(rows: Iterable[Row]) -> SortedRows:
    """Puts every row into its list; an exact copy of an earlier good row is a `duplicate_row`."""
    all_rows = list(rows)
    consolidated = consolidated_invoices(all_rows)
    seen: set[tuple[str, ...]] = set()
    result = SortedRows()
    for row in all_rows:
        reason = reason_against(row, consolidated)
        if reason is None and row.raw in seen:
            reason = Reason.DUPLICATE_ROW
        seen.add(row.raw)
        if reason is not None:
            result.rejected.append(Rejection(row, reason))
        elif row.is_cancellation:
            result.cancellations.append(row)
        else:
            result.lines.append(row)
    return result


def consolidated_invoices(rows: Iterable[Row]) -> frozenset[str]:
    """Invoices that are many buyers' orders in one posting: no customer, and the postage of several parcels.

    They cannot be taken apart again, and as one order they would be nobody's.
    """
    postage: dict[str, int] = defaultdict(int)
    for row in rows:
        if row.sku == CONSUMER_POSTAGE and not row.customer and not row.is_cancellation:
            postage[row.invoice] += row.quantity * row.price_pence
    return frozenset(invoice for invoice, pence in postage.items() if pence > CONSOLIDATED_POSTAGE_PENCE)


def reason_against(row: Row, consolidated: frozenset[str]) -> Reason | None:
    """The first reason that keeps the row out, None if it is good."""
    negative = row.quantity <= 0 and not row.is_cancellation
    free = row.price_pence <= 0
    verdicts = (
        (Reason.STOCK_CORRECTION, (negative and free) or is_booking_note(row)),
        (Reason.NEGATIVE_WITHOUT_INVOICE_C, negative),
        (Reason.NOT_GOODS, not GOODS.fullmatch(row.sku)),
        (Reason.NO_PRICE, free),
        (Reason.POSITIVE_IN_INVOICE_C, row.is_cancellation and row.quantity >= 0),
        (Reason.CONSOLIDATED_INVOICE, row.invoice in consolidated),
    )
    return next((reason for reason, applies in verdicts if applies), country_reason(row.country_name))


def is_booking_note(row: Row) -> bool:
    """Free, nobody's, and with a clerk's note ("found", "amazon", "?") where goods have their name in capitals."""
    return row.price_pence <= 0 and not row.customer and not any(word.isupper() for word in row.description.split())


def country_reason(name: str) -> Reason | None:
    if name in COUNTRY_CODES or name == CHANNEL_ISLANDS:
        return None
    if name in COUNTRIES_WITHOUT_POSTAL_CODES:
        return Reason.COUNTRY_WITHOUT_POSTAL_CODES
    return Reason.COUNTRY_UNKNOWN
