"""Which carriers can move the goods: no unit is heavier or larger than what a service takes, and none can be cut.

A node sends what it gives of an order by one carrier. So of the carriers that leave it those are left that take
everything it could give; a SKU that none of them takes, it cannot give.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from dom.delivery.parcels import Piece, piece
from dom.delivery.tariffs import Tariff
from dom.network import ShippingMethod, Sku
from dom.sourcing.costs import QUICKER, PricedLane


class Carried(NamedTuple):
    """The lanes that take all of the places that are left; a place is a SKU's among those asked for."""

    lanes: tuple[PricedLane, ...]
    places: frozenset[int]

    @property
    def carriers(self) -> str:
        """Who they are, in words."""
        return ", ".join(sorted({lane.carrier for lane in self.lanes})) or "no carrier takes them"


def unit(sku: Sku | None) -> Piece | None:
    """One unit of a SKU; None for one the catalogue does not hold, of which nothing is known."""
    return None if sku is None else piece(sku)


def any_too_large(units: Iterable[Piece | None], tariffs: Iterable[Tariff]) -> bool:
    """Whether some service of a carrier does not take one of the units."""
    known = {each for each in units if each is not None}
    if not known:
        return False
    largest = {service.largest for tariff in tariffs for service in tariff.services}
    return any(limit.refuses(each) for limit in largest for each in known)


def carried(
    lanes: tuple[PricedLane, ...], units: Sequence[Piece | None], given: Sequence[int], asked: ShippingMethod
) -> Carried:
    """The lanes by which a node can send what it gives: `given` units of each place.

    Where no lane takes everything, those by which most units go. Where no carrier of the service asked for takes the
    goods, only quicker services stand in for it.
    """
    held = [place for place, count in enumerate(given) if count > 0]
    taken = {id(lane): frozenset([place for place in held if _takes(lane, units[place])]) for lane in lanes}
    quicker = QUICKER[QUICKER.index(asked) + 1 :]
    soon = [taken[id(lane)] for lane in lanes if lane.service is asked or lane.service in quicker]
    most = max(soon, key=lambda places: sum([given[place] for place in places]), default=frozenset())
    left = tuple([lane for lane in lanes if most and most <= taken[id(lane)]])
    if not any(lane.service is asked for lane in left):
        left = tuple([lane for lane in left if lane.service in quicker])
    return Carried(left, most)


def refusal(lanes: Iterable[PricedLane], each: Piece | None) -> str:
    """Why a unit is not moved, as the lane that takes most says it: `35.15 kg with packaging, of at most 30 kg`."""
    if each is None:
        return "of a size nobody knows"
    said = [(lane.rate.max_parcel_grams, lane.rate.largest.refuses(each)) for lane in lanes]
    return (
        max((most, why) for most, why in said if why)[1] if any(why for _, why in said) else "taken by another carrier"
    )


def _takes(lane: PricedLane, each: Piece | None) -> bool:
    return each is None or lane.rate.largest.takes(each)
