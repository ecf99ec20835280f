"""What a shipment costs: freight by the carriers' real rates, handling, and what the policy adds."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from dom.network import Node
from dom.ofl.models import CostTerm, Demand
from dom.ofl.rules import Rules
from dom.orders import Promise
from dom.parcels import PACKING_GRAMS, PACKING_SHARE
from dom.promise import delivery_window
from dom.tariffs import Rate, Tariff

_DAY: Final = timedelta(days=1)


class Load(NamedTuple):
    """Goods put together, without packaging."""

    units: int = 0
    grams: int = 0
    mm3: int = 0


@dataclass(frozen=True, slots=True)
class Lane:
    """A carrier that could move goods from a node to the customer: its rate, and the worth of its currency."""

    carrier: str
    rate: Rate
    divisor: int
    worth: float

    def chargeable(self, grams: int, mm3: int) -> int:
        """Chargeable grams of a load with its packaging; as `dom.parcels.measure` and `chargeable_grams`, in one go."""
        return max(PACKING_GRAMS + grams, (int(mm3 * PACKING_SHARE) // 1000 + 1) * 1000 // self.divisor)

    def price(self, chargeable: int) -> int:
        """Freight in minor units of the policy's currency."""
        price = self.rate.charge(chargeable)[1]
        return price if self.worth == 1 else round(price * self.worth)


@dataclass(frozen=True, slots=True)
class Offer:
    """A lane on a certain ship day: when it delivers, and what its lateness costs."""

    lane: Lane
    promise: Promise
    lateness: int

    def cost(self, grams: int, mm3: int) -> int:
        """Freight and lateness."""
        return self.lane.price(self.lane.chargeable(grams, mm3)) + self.lateness


@dataclass(frozen=True, slots=True)
class Tally:
    """What the use of one node costs apart from freight, in minor units of the policy's currency.

    Without offers nothing is moved: the customer collects.
    """

    handling_fixed: int
    handling_per_unit: int
    distance: int
    priority: int
    lateness: int
    offers: tuple[Offer, ...]

    def total(self, units: int, grams: int, mm3: int) -> int:
        """Cost of one shipment with this load, without split penalty."""
        return self.fixed + self.handling_per_unit * units + self.freight(grams, mm3)

    def handling(self, units: int) -> int:
        """The node's work on so many units."""
        return self.handling_fixed + self.handling_per_unit * units

    @property
    def fixed(self) -> int:
        """What a shipment costs whatever is in it, freight apart."""
        return self.handling_fixed + self.distance + self.priority + self.lateness

    def freight(self, grams: int, mm3: int) -> int:
        """The least sum of freight and lateness any carrier offers; 0 where the customer collects."""
        return min([offer.cost(grams, mm3) for offer in self.offers], default=0)

    def best_offer(self, load: Load) -> Offer | None:
        """The offer behind `freight`; of equal ones the earlier, then the first by carrier."""
        return min(
            self.offers,
            key=lambda offer: (offer.cost(load.grams, load.mm3), offer.promise.latest, offer.lane.carrier),
            default=None,
        )

    def terms(self, load: Load, split_penalty: int) -> dict[CostTerm, int]:
        """The cost of a shipment, term by term."""
        offer = self.best_offer(load)
        lateness = self.lateness if offer is None else offer.lateness
        return {
            CostTerm.FREIGHT: self.freight(load.grams, load.mm3) - (0 if offer is None else lateness),
            CostTerm.HANDLING: self.handling(load.units),
            CostTerm.SPLIT: split_penalty,
            CostTerm.LATENESS: lateness,
            CostTerm.DISTANCE: self.distance,
            CostTerm.PRIORITY: self.priority,
        }


def lanes_from(tariffs: Iterable[Tariff], demand: Demand, origin: str, rules: Rules) -> tuple[Lane, ...]:
    """Every carrier that moves goods from a country to the customer as asked, and whose currency has a rate."""
    key = (demand.shipping_method, origin, demand.country)
    found = []
    for tariff in tariffs:
        rate, worth = tariff.rates.get(key), rules.worth(tariff.currency)
        if rate is not None and worth is not None:
            found.append(Lane(tariff.carrier, rate, tariff.divisor, worth))
    return tuple(found)


def tally(node: Node, distance: float | None, offers: tuple[Offer, ...], lateness: int, rules: Rules) -> Tally:
    """What a node costs under the policy. ValueError if its currency has no exchange rate."""
    worth = rules.worth(node.currency)
    if worth is None:
        raise ValueError(f"the policy has no exchange rate for {node.currency}")
    return Tally(
        handling_fixed=round(node.handling_cost.fixed * worth),
        handling_per_unit=round(node.handling_cost.per_unit * worth),
        distance=round((distance or 0) * rules.cost.distance_per_100_km / 100),
        priority=node.priority * rules.cost.priority_weight,
        lateness=lateness,
        offers=offers,
    )


def offers_on(day: date, lanes: Iterable[Lane], demand: Demand, rules: Rules) -> tuple[Offer, ...]:
    """What the lanes promise for goods that leave on a day."""
    found = []
    for lane in lanes:
        promise = delivery_window(day, lane.rate.transit_days_min, lane.rate.transit_days_max, demand.country)
        found.append(Offer(lane, promise, lateness(promise.latest, demand.requested_by, rules)))
    return tuple(found)


def lateness(arrival: datetime, requested_by: datetime | None, rules: Rules) -> int:
    """What it costs to arrive after the requested time: every day begun counts in full."""
    if requested_by is None or arrival <= requested_by:
        return 0
    return -((requested_by - arrival) // _DAY) * rules.cost.lateness_per_day
