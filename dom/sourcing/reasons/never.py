"""What is said of goods that no place may ever send or hand out."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from dom.network import ShippingMethod
from dom.sourcing.models import Demand, DemandLine
from dom.sourcing.policy.document import Fence
from dom.sourcing.reasons import words

_PLACES: Final[Mapping[Fence, tuple[str, str]]] = {
    Fence.ACTIVE: ("is switched off", "are switched off"),
    Fence.SHIPS_TO_COUNTRY: ("does not send to the country", "do not send to the country"),
    Fence.PICKUP: ("does not hand goods out", "do not hand goods out"),
    Fence.CURRENCY: ("has costs that cannot be compared", "have costs that cannot be compared"),
    Fence.NETWORK: ("does not send such orders", "do not send such orders"),
    Fence.PLACE: ("is in a country or region that is not allowed", "are in a country or region that is not allowed"),
    Fence.WITHIN_DISTANCE: ("is too far away", "are too far away"),
    Fence.SERVICE: ("has no carrier for it", "have no carrier for it"),
    Fence.CARRIER: ("has no carrier that may be used", "have no carrier that may be used"),
    Fence.HANDLING: ("is not equipped for the goods", "are not equipped for the goods"),
    Fence.CARRIER_LIMITS: (
        "has no carrier that takes a thing so heavy or large",
        "have no carrier that takes a thing so heavy or large",
    ),
    Fence.CAPACITY: ("has no open day", "have no open day"),
}
"""What is said of one place, and of several."""
_NAMED_AT_MOST: Final = 3


def sentence(sku: str, fences: Mapping[Fence, int], demand: Demand, name: Callable[[str], str]) -> str:
    """Why nobody may ever give a SKU: `No place can send A to NO, whatever it holds: 12 do not send to the country.`"""
    collected = demand.shipping_method is ShippingMethod.PICKUP and demand.pickup_node is not None
    if collected and sum(fences.values()) <= 1:
        return sentence_of_one(sku, fences, demand, name(demand.pickup_node or ""))
    ways = sorted(fences.items(), key=lambda each: (-each[1], each[0]))
    reasons = words.listed([f"{count} {_of(fence, count)}" for fence, count in ways])
    sent = demand.shipping_method is not ShippingMethod.PICKUP
    where = f"send {sku} to {demand.country}" if sent else f"hand {sku} out"
    if collected:
        where = f"hand {sku} out at {name(demand.pickup_node or '')}, or send it there"
    return f"No place can {where}, whatever it holds: {reasons or 'there is none'}."


def sentence_of_one(sku: str, fences: Iterable[Fence], demand: Demand, place: str) -> str:
    """Why one place may never give a SKU: `Leeds can never send A to NO: it does not send to the country.`"""
    sent = demand.shipping_method is not ShippingMethod.PICKUP
    what = f"send {sku} to {demand.country}" if sent else f"hand {sku} out"
    return f"{place} can never {what}: it {words.listed([_of(fence, 1) for fence in fences])}."


def sentences(ruled_out: Mapping[str, Mapping[Fence, int]], demand: Demand, name: Callable[[str], str]) -> list[str]:
    """A sentence for each of the first few SKUs."""
    return [sentence(sku, fences, demand, name) for sku, fences in list(ruled_out.items())[:_NAMED_AT_MOST]]


def all_of(unfilled: tuple[DemandLine, ...], ruled_out: Mapping[str, object]) -> bool:
    """Whether everything that is not sourced is ruled out for good."""
    return bool(unfilled) and all(line.sku in ruled_out for line in unfilled)


def _of(fence: Fence, count: int) -> str:
    one, many = _PLACES.get(fence, ("cannot send it", "cannot send it"))
    return one if count == 1 else many
