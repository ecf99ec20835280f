"""A plan at the prices of another policy, so that money is compared with money.

Each shipment is priced as it was planned: its node, its carrier and service, its ship day and its units, by the
functions the planner weighs with. Nothing is planned anew, so no condition of a policy can leave a shipment without
a price.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from dom.network import Node, ShippingMethod
from dom.sourcing.costs import (
    PricedLane,
    Terms,
    carbon_per_gram,
    lanes_from,
    lateness,
    node_costs,
    shipment_terms,
    summed,
    unit_terms,
)
from dom.sourcing.distance import distance_km
from dom.sourcing.models import NO_VALUE, CostTerm, Demand, PlannedShipment, Snapshot
from dom.sourcing.policy.document import Costs, Policy, Strategy
from dom.sourcing.policy.strategy import Rules
from dom.sourcing.ship_to_store import place_of

MONEY: Final = (CostTerm.FREIGHT, CostTerm.HANDLING, CostTerm.PACKAGING)
"""What is paid to somebody. Everything else says what it is worth to avoid."""


@dataclass(frozen=True, slots=True)
class Prices:
    """What one shipment costs: under the policy that planned it, and at the baseline's prices.

    Minor units. `money` is freight, handling and packaging, without the baseline's weights. Both are None where the
    baseline's policy cannot price the shipment: it has no rate for a currency, or is not there any more.
    """

    own: dict[CostTerm, int]
    at_baseline: dict[CostTerm, int] | None
    money: int | None

    @property
    def weighed(self) -> int | None:
        """All of it at the baseline's prices."""
        return None if self.at_baseline is None else sum(self.at_baseline.values())


@dataclass(frozen=True, slots=True)
class Scale:
    """The baseline's prices for one decision: what its strategy weighs, and what was known then.

    `snapshot` is None where it was not kept: then only what the baseline planned itself has a price.
    """

    policy: Policy
    costs: Costs
    demand: Demand
    snapshot: Snapshot | None

    def as_planned(self, shipments: Sequence[PlannedShipment]) -> list[Prices]:
        """The shipments at the prices they were planned with, which are the baseline's."""
        return [Prices(dict(each.costs), dict(each.costs), self._paid(each, each.costs)) for each in shipments]

    def repriced(self, shipments: Sequence[PlannedShipment]) -> list[Prices]:
        """The shipments at their own prices and at the baseline's."""
        found = []
        for number, shipment in enumerate(shipments):
            terms = self._terms(shipment, self.costs)
            if terms is not None:
                terms[CostTerm.SPLIT] = self.costs.split_penalty if number else 0
            paid = None if terms is None else self._paid(shipment, terms)
            found.append(Prices(dict(shipment.costs), terms, paid))
        return found

    def _paid(self, shipment: PlannedShipment, terms: Terms) -> int:
        """Freight, handling and packaging without weights."""
        weights = {CostTerm.FREIGHT: self.costs.freight_weight, CostTerm.HANDLING: self.costs.handling_weight}
        if set(weights.values()) != {1.0}:
            plain = self.costs.model_copy(update={"freight_weight": 1.0, "handling_weight": 1.0})
            found = self._terms(shipment, plain)
            if found is not None:
                return sum(found.get(term, 0) for term in MONEY)
        unweighed = {term: terms.get(term, 0) / (weights.get(term) or 1.0) for term in MONEY}
        return sum(round(each) for each in unweighed.values())

    def _terms(self, shipment: PlannedShipment, costs: Costs) -> Terms | None:
        if self.snapshot is None:
            return None
        return shipment_costs(shipment, self.demand, self.snapshot, self.policy, costs)


def costs_of(policy: Policy, strategy: str) -> Costs:
    """What a strategy of the policy weighs; its first one's, where it has none of that name."""
    return policy.strategies[policy.position(strategy) or 0].cost


def shipment_costs(
    shipment: PlannedShipment, demand: Demand, snapshot: Snapshot, policy: Policy, costs: Costs
) -> Terms | None:
    """What a policy's planner would put down for the shipment, without a penalty for splitting.

    None where the policy has no rate for the currency of the node or of the carrier.
    """
    rules = Rules(policy, Strategy(name="prices", cost=costs))
    node = next((node for node in snapshot.nodes if node.id == shipment.node_id), None)
    if node is None or rules.worth(node.currency) is None:
        return None
    handed_out = shipment.service is ShippingMethod.PICKUP
    store = next((each for each in snapshot.nodes if each.id == shipment.pickup_node), None)
    country = demand.country if store is None else store.address.country
    lane = None if handed_out else _lane(shipment, node, country, snapshot, rules)
    if lane is None and not handed_out:
        return None
    arrival = shipment.promise.earliest if shipment.is_collected else shipment.promise.latest
    late = lateness(arrival, demand, rules)
    away = distance_km(node, demand.place if store is None else place_of(store))
    work = snapshot.capacity_used.get((node.id, shipment.ship_day, ""), 0)
    share = min(1.0, work / node.daily_capacity) if node.daily_capacity else 0.0
    own = node_costs(node, rules)
    found = summed(own.base_terms, shipment_terms(costs, shipment.service, away, share, late))
    if lane is not None:
        found[CostTerm.FREIGHT] = _freight(lane, shipment, snapshot)
    per_gram = carbon_per_gram(costs, shipment.service, away)
    for line in shipment.lines:
        value = snapshot.values.get((node.id, line.sku), NO_VALUE)
        held = max(0, snapshot.available.get((node.id, line.sku), 0))
        each = summed(own.unit_terms, unit_terms(costs, snapshot.skus[line.sku], value, held, per_gram))
        found = summed(found, {term: line.quantity * amount for term, amount in each.items()})
    return found


def _lane(shipment: PlannedShipment, node: Node, country: str, snapshot: Snapshot, rules: Rules) -> PricedLane | None:
    lanes = lanes_from(snapshot.tariffs, shipment.service, node.address.country, country, rules)
    return next((lane for lane in lanes if lane.carrier == shipment.carrier), None)


def _freight(lane: PricedLane, shipment: PlannedShipment, snapshot: Snapshot) -> int:
    grams = sum(snapshot.skus[line.sku].weight_grams * line.quantity for line in shipment.lines)
    mm3 = sum(snapshot.skus[line.sku].volume_mm3 * line.quantity for line in shipment.lines)
    return lane.price(lane.chargeable(grams, mm3))
