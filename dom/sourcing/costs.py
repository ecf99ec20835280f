"""What a shipment costs: freight by the carriers' real rates, handling, and what the policy adds.

Every amount is an integer of minor units of the policy's currency. What a shipment costs whatever is in it, and what
each unit in it costs, is rounded once, here; the solver and the decision add up the same integers.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from dom.delivery.parcels import PACKING_GRAMS, PACKING_SHARE
from dom.delivery.promise import delivery_window
from dom.delivery.tariffs import Rate, Tariff
from dom.network import Node, ShippingMethod, Sku
from dom.orders.order import Promise
from dom.sourcing.models import CostTerm, Demand, StockValue
from dom.sourcing.policy.document import Costs, DaysOfSupply, ServiceChoice
from dom.sourcing.policy.strategy import Rules
from dom.sourcing.ship_to_store import StoreDestination

_DAY: Final = timedelta(days=1)
_GRAMS_TIMES_GRAMS: Final = 10**9
"""Grams in a tonne times grams in a kilogram: from grams of goods and of CO2e to tonne-kilometres and kilograms."""

QUICKER: Final = (ShippingMethod.ECONOMY, ShippingMethod.STANDARD, ShippingMethod.EXPRESS)
"""Services by which goods travel, the quicker ones later."""

Terms = dict[CostTerm, int]


class Load(NamedTuple):
    """Goods put together, without packaging."""

    units: int = 0
    grams: int = 0
    mm3: int = 0


@dataclass(frozen=True, slots=True)
class PricedLane:
    """A carrier's service that could move goods from a node to the customer, and what a unit of its currency counts.

    `worth` is the policy's exchange rate times its weight of freight.
    """

    carrier: str
    rate: Rate
    divisor: int
    worth: float
    service: ShippingMethod = ShippingMethod.STANDARD

    def chargeable(self, grams: int, mm3: int) -> int:
        """Chargeable grams of a load with its packaging; as `parcels.measure` and `chargeable_grams`, in one go."""
        return max(PACKING_GRAMS + grams, (int(mm3 * PACKING_SHARE) // 1000 + 1) * 1000 // self.divisor)

    def price(self, chargeable: int) -> int:
        """Freight in minor units of the policy's currency."""
        price = self.rate.charge(chargeable)[1]
        return price if self.worth == 1 else round(price * self.worth)


@dataclass(frozen=True, slots=True)
class Offer:
    """A lane on a certain ship day: when it delivers, and what its lateness costs.

    `collected`: it goes to the store where the customer collects it, and the promise says from when on.
    """

    lane: PricedLane
    promise: Promise
    lateness: int
    collected: bool = False

    @property
    def arrives(self) -> datetime:
        """By when the customer can have the goods."""
        return self.promise.earliest if self.collected else self.promise.latest

    def cost(self, grams: int, mm3: int) -> int:
        """Freight and lateness."""
        return self.lane.price(self.lane.chargeable(grams, mm3)) + self.lateness


class CostTally(NamedTuple):
    """What the use of one node costs apart from its units: `fixed` whatever is shipped, and what carriers offer.

    Without offers nothing is moved: the customer collects.
    """

    fixed: int
    offers: tuple[Offer, ...] = ()

    def freight(self, grams: int, mm3: int) -> int:
        """The least sum of freight and lateness any carrier offers; 0 where the customer collects."""
        return min([offer.cost(grams, mm3) for offer in self.offers], default=0)

    def best_offer(self, load: Load) -> Offer | None:
        """The offer behind `freight`; of equal ones the earlier, then the first by carrier and service."""
        return min(
            self.offers,
            key=lambda o: (o.cost(load.grams, load.mm3), o.arrives, o.lane.carrier, o.lane.service),
            default=None,
        )


@dataclass(frozen=True, slots=True)
class NodeCosts:
    """What a node costs under a policy before any order is known. `base` and `unit` are the sums of their terms."""

    base_terms: Terms
    unit_terms: Terms
    base: int
    unit: int


def node_costs(node: Node, rules: Rules) -> NodeCosts:
    """The node's own work, packaging and priority. ValueError if its currency has no exchange rate."""
    worth, cost = rules.worth(node.currency), rules.cost
    if worth is None:
        raise ValueError(f"the policy has no exchange rate for {node.currency}")
    worth *= cost.handling_weight
    base = {
        CostTerm.HANDLING: round(node.handling_cost.fixed * worth),
        CostTerm.PRIORITY: node.priority * cost.priority_weight,
        CostTerm.PACKAGING: cost.packaging_per_shipment,
    }
    unit = {
        CostTerm.HANDLING: round(node.handling_cost.per_unit * worth),
        CostTerm.PACKAGING: cost.packaging_per_unit,
    }
    return NodeCosts(base, unit, sum(base.values()), sum(unit.values()))


def shipment_terms(
    cost: Costs, method: ShippingMethod, distance: float | None, used_share: float, lateness: int = 0
) -> Terms:
    """What a shipment costs besides `NodeCosts.base_terms` whatever is in it.

    `used_share` is the part of the node's capacity of the ship day that is taken already; `lateness` is of a pick-up.
    """
    return {
        CostTerm.DISTANCE: distance_cost(cost, distance),
        CostTerm.CAPACITY: round(cost.capacity_balance * min(1.0, used_share)) if cost.capacity_balance else 0,
        CostTerm.CARBON: round(carbon_per_gram(cost, method, distance) * PACKING_GRAMS) if cost.carbon else 0,
        CostTerm.LATENESS: lateness,
    }


def distance_cost(cost: Costs, distance: float | None) -> int:
    """What the way from node to customer counts; nothing where it is not known."""
    return round((distance or 0) * cost.distance_per_100_km / 100)


def carbon_per_gram(cost: Costs, method: ShippingMethod, distance: float | None) -> float:
    """What moving a gram over the distance is counted for what it emits; 0 where the customer collects.

    ISO 14083:2023 for one leg: tonne-kilometres times the emission intensity of the service, here over the great-circle
    distance, times the policy's price of a kilogram of CO2e.
    """
    if cost.carbon is None or distance is None or method is ShippingMethod.PICKUP:
        return 0.0
    return cost.carbon.per_kg * cost.carbon.grams_per_tonne_km.get(method, 0.0) * distance / _GRAMS_TIMES_GRAMS


def weighs_units(cost: Costs) -> bool:
    """Whether a unit's cost depends on what it is and where it lies, beyond the node's own handling."""
    return bool(cost.opportunity_weight or cost.markdown_weight or cost.days_of_supply or cost.carbon)


def unit_terms(cost: Costs, sku: Sku, value: StockValue, available: int, per_gram: float) -> Terms:
    """What one unit of a SKU costs besides `NodeCosts.unit_terms`; the mark-down it is spared counts below zero.

    Rounded to whole minor units a unit. `available` are the node's units of the SKU; `per_gram`: `carbon_per_gram`.
    """
    return {
        CostTerm.OPPORTUNITY: round(cost.opportunity_weight * value.opportunity),
        CostTerm.MARKDOWN: -round(cost.markdown_weight * value.markdown),
        CostTerm.SUPPLY: _running_low(cost.days_of_supply, value, available),
        CostTerm.CARBON: round(per_gram * sku.weight_grams),
    }


def _running_low(supply: DaysOfSupply | None, value: StockValue, available: int) -> int:
    """In full where nothing is left for tomorrow, nothing where the stock lasts for the target, between in between."""
    if supply is None or value.daily_demand <= 0:
        return 0
    days = available / value.daily_demand
    return round(supply.per_unit * max(0.0, 1 - days / supply.target_days))


def lanes_from(
    tariffs: Iterable[Tariff], method: ShippingMethod, origin: str, to: str, rules: Rules
) -> tuple[PricedLane, ...]:
    """Every carrier that moves goods between two countries as asked and whose currency has a rate, by carrier."""
    found = []
    for tariff in tariffs:
        rate, worth = tariff.rates.get((method, origin, to)), rules.worth(tariff.currency)
        if rate is not None and worth is not None:
            found.append(PricedLane(tariff.carrier, rate, tariff.divisor, worth * rules.cost.freight_weight, method))
    return tuple(sorted(found, key=lambda lane: lane.carrier))


def services_for(asked: ShippingMethod, node: Node, rules: Rules) -> tuple[ShippingMethod, ...]:
    """The services a node may send by for an order that asks for one: that one first.

    Others only where the strategy lets them, and slower ones only beside the one asked for: what they may not be later
    than. A service whose work the node limits is left to those who asked for it.
    """
    own = (asked,) if asked in node.services else ()
    if rules.strategy.service_choice is ServiceChoice.AS_ASKED or rules.cost.carbon is not None:
        return own
    quicker = QUICKER[QUICKER.index(asked) + 1 :]
    others = [each for each in node.services if each is not asked and each not in node.service_capacity]
    return (*own, *[each for each in others if own or each in quicker])


def no_later(offers: Iterable[Offer], asked: ShippingMethod) -> tuple[Offer, ...]:
    """The offers of the service asked for, and of the others those that arrive no later than the soonest of these."""
    found = tuple(offers)
    by = min([offer.arrives for offer in found if offer.lane.service is asked], default=None)
    return tuple([o for o in found if by is None or o.lane.service is asked or o.arrives <= by])


def offers_on(
    day: date, lanes: Iterable[PricedLane], demand: Demand, rules: Rules, store: StoreDestination | None = None
) -> tuple[Offer, ...]:
    """What the lanes promise for goods that leave on a day: to the customer, or to the `store` where he collects them.
    None, of a lane by which they come to a store that does not open.
    """
    found = []
    for lane in lanes:
        transit = lane.rate.transit_days_min, lane.rate.transit_days_max
        promise = delivery_window(day, *transit, demand.country) if store is None else store.promise(day, *transit)
        if promise is not None:
            arrives = promise.latest if store is None else promise.earliest
            late = lateness(arrives, demand, rules)
            found.append(Offer(lane, promise, late, collected=store is not None))
    return tuple(found)


def lateness(arrival: datetime, demand: Demand, rules: Rules) -> int:
    """What it costs to arrive after the requested time, or after what was promised as the customer's class weighs it,
    whichever is more. Every day begun counts in full.
    """
    weight = rules.policy.reallocation.weight(demand.customer_class)
    late = max(_days_after(demand.requested_by, arrival), weight * _days_after(demand.promised_by, arrival))
    return round(late * rules.cost.lateness_per_day)


def _days_after(moment: datetime | None, arrival: datetime) -> int:
    return 0 if moment is None or arrival <= moment else -((moment - arrival) // _DAY)


def summed(*parts: Mapping[CostTerm, int]) -> Terms:
    """The terms of several parts added up."""
    found: Terms = {}
    for part in parts:
        for term, amount in part.items():
            found[term] = found.get(term, 0) + amount
    return found
