"""The rule that assigns channels and shipping methods (in words: data/README.md)."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean, median

from tools.sample.draw import by_share
from tools.sample.invoices import Invoice

WHOLESALE_ORDER_PENCE = 60_000
WHOLESALE_UNITS_A_LINE = 12
SMALL_BASKET_LINES = 10
PICKUP_MOST_LINES = 20
PICKUP_MOST_UNITS = 150
PICKUP_SHARES = {True: 3, False: 1}


class Channel(StrEnum):
    WEB = "web"
    MARKETPLACE = "marketplace"
    STORE = "store"
    SOCIAL = "social"
    B2B = "b2b"


class ShippingMethod(StrEnum):
    STANDARD = "standard"
    EXPRESS = "express"
    ECONOMY = "economy"
    PICKUP = "pickup"


class Buyer(StrEnum):
    GUEST_NEAR_STORE = "guest_near_store"
    GUEST = "guest"
    WHOLESALER = "wholesaler"
    SMALL_BASKET = "small_basket"
    NEAR_STORE = "near_store"
    ANYONE = "anyone"


CHANNEL_SHARES = {
    Buyer.GUEST_NEAR_STORE: {Channel.STORE: 45, Channel.MARKETPLACE: 35, Channel.SOCIAL: 20},
    Buyer.GUEST: {Channel.MARKETPLACE: 65, Channel.SOCIAL: 35},
    Buyer.WHOLESALER: {Channel.B2B: 55, Channel.WEB: 45},
    Buyer.SMALL_BASKET: {Channel.MARKETPLACE: 45, Channel.SOCIAL: 30, Channel.WEB: 25},
    Buyer.NEAR_STORE: {Channel.WEB: 60, Channel.MARKETPLACE: 15, Channel.STORE: 15, Channel.SOCIAL: 10},
    Buyer.ANYONE: {Channel.WEB: 70, Channel.MARKETPLACE: 20, Channel.SOCIAL: 10},
}
METHOD_SHARES = {
    Channel.WEB: {ShippingMethod.STANDARD: 60, ShippingMethod.EXPRESS: 20, ShippingMethod.ECONOMY: 20},
    Channel.MARKETPLACE: {ShippingMethod.STANDARD: 75, ShippingMethod.EXPRESS: 15, ShippingMethod.ECONOMY: 10},
    Channel.STORE: {ShippingMethod.STANDARD: 80, ShippingMethod.EXPRESS: 20},
    Channel.SOCIAL: {ShippingMethod.STANDARD: 55, ShippingMethod.EXPRESS: 10, ShippingMethod.ECONOMY: 35},
    Channel.B2B: {ShippingMethod.ECONOMY: 65, ShippingMethod.STANDARD: 35},
}


@dataclass(frozen=True, slots=True)
class History:
    """What a customer bought over the whole sample."""

    mean_order_pence: float
    median_line_units: float
    median_lines: float


def histories(invoices: Iterable[Invoice]) -> dict[str, History]:
    by_customer: dict[str, list[Invoice]] = defaultdict(list)
    for invoice in invoices:
        if invoice.customer:
            by_customer[invoice.customer].append(invoice)
    return {customer: history_of(bought) for customer, bought in by_customer.items()}


def history_of(invoices: list[Invoice]) -> History:
    return History(
        mean_order_pence=fmean(invoice.total_pence for invoice in invoices),
        median_line_units=median(line.quantity for invoice in invoices for line in invoice.lines),
        median_lines=median(len(invoice.lines) for invoice in invoices),
    )


def buyer_of(history: History | None, has_store: bool) -> Buyer:
    """The kind of customer; `history` is None for a guest, `has_store` says whether the country has a store of ours."""
    if history is None:
        return Buyer.GUEST_NEAR_STORE if has_store else Buyer.GUEST
    if history.mean_order_pence >= WHOLESALE_ORDER_PENCE or history.median_line_units >= WHOLESALE_UNITS_A_LINE:
        return Buyer.WHOLESALER
    if history.median_lines <= SMALL_BASKET_LINES:
        return Buyer.SMALL_BASKET
    return Buyer.NEAR_STORE if has_store else Buyer.ANYONE


def channel_of(customer_id: str, buyer: Buyer) -> Channel:
    return by_share(CHANNEL_SHARES[buyer], "channel", customer_id)


def is_picked_up(channel: Channel, invoice: Invoice) -> bool:
    small = len(invoice.lines) <= PICKUP_MOST_LINES and invoice.units <= PICKUP_MOST_UNITS
    return channel is Channel.STORE and small and by_share(PICKUP_SHARES, "pickup", invoice.number)


def shipped_by(channel: Channel, invoice: Invoice) -> ShippingMethod:
    return by_share(METHOD_SHARES[channel], "method", invoice.number)
