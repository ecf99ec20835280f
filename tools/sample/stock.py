"""Opening stock and goods receipts, sized by what the sample will ask for: enough for most of it, not for all."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tools.sample.draw import fraction, number
from tools.sample.orders import Order

MAIN_NODE = "dc-daventry"
SUPPLIER_NODE = "supplier-krakow"
# Orders of wholesalers who ask before they buy; nobody keeps such a pile.
UNUSUAL_LINE_UNITS = 5000
NICHE_WORDS = ("GLASS", "CANDLE")
NICHE_MOST_ORDERS = 18
NICHE_SHARE = 0.34
SCARCE_ORDERS = range(12, 45)
SCARCE_SHARE = 0.03
REFILLED_SHARE = 0.9
SAFETY_SHARE = 0.02
MARGIN = 1.1
# What the main node keeps of a SKU that nobody but an unusual line asks for.
IDLE_UNITS = 200


@dataclass(frozen=True, slots=True)
class Keeping:
    """What a node keeps: a part of the range, best sellers first, for a part of some (None: all) countries' demand."""

    range_share: float
    demand_share: float
    countries: frozenset[str] | None = None


KEEPING = {
    MAIN_NODE: Keeping(1.0, 1.0),
    "dc-doncaster": Keeping(0.9, 0.5),
    "wh-glasgow": Keeping(0.7, 0.15),
    "wh-bristol": Keeping(0.7, 0.15),
    "wh-london": Keeping(0.75, 0.2),
    "store-london": Keeping(0.1, 0.02),
    "store-manchester": Keeping(0.1, 0.02),
    "store-edinburgh": Keeping(0.08, 0.015),
    "wh-dublin": Keeping(0.9, 1.0, frozenset({"IE"})),
    "dc-dortmund": Keeping(
        0.95, 1.0, frozenset({"DE", "AT", "CH", "PL", "CZ", "DK", "SE", "NO", "FI", "LT"})
    ),
    "store-berlin": Keeping(0.1, 0.15, frozenset({"DE"})),
    "wh-lille": Keeping(0.9, 1.0, frozenset({"FR", "BE"})),
    "wh-venlo": Keeping(0.8, 0.8, frozenset({"NL", "BE", "DE"})),
    "wh-zaragoza": Keeping(0.8, 1.0, frozenset({"ES", "PT"})),
    "wh-milan": Keeping(0.8, 1.0, frozenset({"IT", "CH", "CY"})),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Level:
    """Units of a SKU at a node when the sample begins; `safety` is part of `on_hand`."""

    node_id: str
    sku: str
    on_hand: int
    safety: int


@dataclass(frozen=True, slots=True)
class Receipt:
    node_id: str
    sku: str
    quantity: int
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Want:
    """Units of a SKU that one order asks for."""

    sku: str
    quantity: int
    at: datetime
    country: str
    pickup_node: str | None


def wants_of(orders: Iterable[Order]) -> list[Want]:
    """What the stock is made for, in time order: all but the unusual lines."""
    return [
        Want(line.sku, line.quantity, order.invoice.placed_at, order.country, order.pickup_node)
        for order in orders
        for line in order.invoice.lines
        if line.quantity <= UNUSUAL_LINE_UNITS
    ]


def niche_skus(descriptions: dict[str, str], wants: Sequence[Want]) -> frozenset[str]:
    """What only the supplier has: part of the seldom asked for glass and candles."""
    frequency = Counter(want.sku for want in wants)
    return frozenset(
        sku
        for sku, text in descriptions.items()
        if any(word in text for word in NICHE_WORDS)
        and frequency[sku] <= NICHE_MOST_ORDERS
        and fraction("niche", sku) < NICHE_SHARE
    )


def scarce_skus(niche: frozenset[str], wants: Sequence[Want]) -> frozenset[str]:
    """What runs out: part of the middling sellers."""
    frequency = Counter(want.sku for want in wants)
    return frozenset(
        sku
        for sku, orders in frequency.items()
        if orders in SCARCE_ORDERS and sku not in niche and fraction("scarce", sku) < SCARCE_SHARE
    )


def opening_stock(
    skus: Sequence[str], wants: Sequence[Want], niche: frozenset[str], scarce: frozenset[str]
) -> list[Level]:
    """Levels by node and SKU; scarce SKUs lie in the main node alone and last for part of their demand."""
    ranked = ranks(skus, wants)
    pickup = Counter[tuple[str, str]]()
    for want in wants:
        if want.pickup_node is not None:
            pickup[want.pickup_node, want.sku] += want.quantity
    levels: list[Level] = []
    for node_id, keeping in KEEPING.items():
        demand = demand_of(wants, keeping.countries)
        for sku in skus:
            handed_out = pickup[node_id, sku]
            kept = ranked[sku] < keeping.range_share and sku not in niche and sku not in scarce
            if kept or handed_out:
                units = units_kept(node_id, demand[sku] * keeping.demand_share) if kept else 0
                levels.append(level(node_id, sku, units + handed_out))
    levels += [level(MAIN_NODE, sku, lasting_units(sku, wants)) for sku in scarce]
    demand = demand_of(wants, None)
    levels += [level(SUPPLIER_NODE, sku, math.ceil(demand[sku] * MARGIN) + 10) for sku in niche]
    return sorted((entry for entry in levels if entry.on_hand), key=lambda entry: (entry.node_id, entry.sku))


def units_kept(node_id: str, demand: float) -> int:
    return math.ceil(demand * MARGIN) or (IDLE_UNITS if node_id == MAIN_NODE else 0)


def ranks(skus: Sequence[str], wants: Sequence[Want]) -> dict[str, float]:
    """0 for the SKU in most orders, towards 1 for the one in fewest."""
    frequency = Counter(want.sku for want in wants)
    ordered = sorted(skus, key=lambda sku: (-frequency[sku], sku))
    return {sku: place / len(ordered) for place, sku in enumerate(ordered)}


def demand_of(wants: Iterable[Want], countries: frozenset[str] | None) -> Counter[str]:
    units: Counter[str] = Counter()
    for want in wants:
        if countries is None or want.country in countries:
            units[want.sku] += want.quantity
    return units


def level(node_id: str, sku: str, wanted_units: int) -> Level:
    """The units wanted, and a safety stock on top of them; the supplier keeps none for us."""
    safety = 0 if node_id == SUPPLIER_NODE else math.ceil(wanted_units * SAFETY_SHARE)
    return Level(node_id, sku, wanted_units + safety, safety)


def lasting_units(sku: str, wants: Sequence[Want]) -> int:
    """Units for the first part of the SKU's orders, from a third to nine tenths of them."""
    own = [want for want in wants if want.sku == sku and want.pickup_node is None]
    return sum(want.quantity for want in own[: lasting_orders(sku, len(own))])


def lasting_orders(sku: str, orders: int) -> int:
    return max(1, int(orders * (0.35 + 0.55 * fraction("lasts", sku))))


def receipts_for(scarce: frozenset[str], wants: Sequence[Want]) -> list[Receipt]:
    """Refills for nine in ten of the scarce SKUs, one to nine days after the first order that finds the shelf short."""
    receipts: list[Receipt] = []
    for sku in sorted(scarce):
        own = [want for want in wants if want.sku == sku and want.pickup_node is None]
        short = own[lasting_orders(sku, len(own)) :]
        if short and fraction("refilled", sku) < REFILLED_SHARE:
            quantity = math.ceil(sum(want.quantity for want in short) * MARGIN)
            receipts.append(Receipt(MAIN_NODE, sku, quantity, arrival(sku, short[0].at)))
    return sorted(receipts, key=lambda receipt: (receipt.received_at, receipt.sku))


def arrival(sku: str, short_since: datetime) -> datetime:
    """A morning at eight (UTC), one to nine days later."""
    day = short_since + timedelta(days=1 + number("arrival", sku) % 9)
    return day.replace(hour=8, minute=0, second=0)
