"""The earliest promise for one unit, by shipping method: the planner's own fences, calendar, lanes and costs.

A node that passes the fences could send a parcel on a day; how it travels from there depends on the goods, for the
carrier is the cheapest one for their weight and size, as in a plan.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Final

from dom.delivery.parcels import Piece, piece
from dom.network import Handling, ShippingMethod, Sku
from dom.orders.order import Promise
from dom.shared.base import NodeId
from dom.sourcing.constraints.carrier_limits import carried
from dom.sourcing.constraints.context import PlanningContext, planning_context
from dom.sourcing.constraints.fences import examine, examine_in_full
from dom.sourcing.costs import CostTally, Load, Offer, PricedLane
from dom.sourcing.models import Demand, DemandLine, Place, Snapshot, SourcingDecision
from dom.sourcing.planning.lines import wanted
from dom.sourcing.planning.matching import first_rules
from dom.sourcing.policy.document import Fence, Policy
from dom.sourcing.policy.strategy import Rules

SHIPPED: Final = tuple(method for method in ShippingMethod if method is not ShippingMethod.PICKUP)
"""The methods by which goods travel."""

_ANY = "any"
_ONE = (DemandLine(line_id="1", sku=_ANY, quantity=1),)

_OF_THE_GOODS: Final = frozenset({Fence.KEPT_BACK, Fence.PICKING_VALUE, Fence.COMPLETE_ONLY})
"""Fences that ask how much a node holds, or what it is worth: they say nothing of a unit that nobody named."""

Way = tuple[ShippingMethod, str, date]
"""Method, the country a parcel leaves from with its services, and its day: all that the offers depend on."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How each node could send a parcel to one place; `handles` is what it can do of what goods may need.

    `leaving` are the lanes behind the offers of a way, with the question they answer. `collected` says when goods can
    be fetched at a node, where they are collected.
    """

    ways: Mapping[str, tuple[Way, ...]]
    offers: Mapping[Way, tuple[Offer, ...]]
    leaving: Mapping[Way, tuple[PlanningContext, tuple[PricedLane, ...]]]
    handles: Mapping[str, frozenset[Handling]]
    collected: Mapping[str, Promise] = field(default_factory=dict)
    _chosen: dict[tuple[Way, Piece], Promise | None] = field(default_factory=dict)

    def earliest(self, node_ids: Iterable[str], sku: Sku) -> dict[ShippingMethod, Promise]:
        """The promise of each method that ends first, over the nodes that hold the SKU; none for what nobody offers."""
        holders, need = list(node_ids), sku.handling
        best = dict[ShippingMethod, Promise]()
        if fetched := [self.collected[node] for node in holders if node in self.collected]:
            best[ShippingMethod.PICKUP] = min(fetched, key=lambda promise: (promise.latest, promise.earliest))
        able = [node for node in holders if node in self.ways and need <= self.handles[node]]
        for way in sorted({way for ways in {self.ways[node] for node in able} for way in ways}):
            promise, known = self._promise(way, sku), best.get(way[0])
            if promise is None:
                continue
            if known is None or (promise.latest, promise.earliest) < (known.latest, known.earliest):
                best[way[0]] = promise
        return best

    def _promise(self, way: Way, sku: Sku) -> Promise | None:
        """Of the carrier that would be chosen; None where none takes a unit of it."""
        key = (way, piece(sku))
        if key not in self._chosen:
            offer = CostTally(0, self._offers(way, key[1])).best_offer(Load(1, sku.weight_grams, sku.volume_mm3))
            self._chosen[key] = None if offer is None else offer.promise
        return self._chosen[key]

    def _offers(self, way: Way, unit: Piece) -> tuple[Offer, ...]:
        context, lanes = self.leaving[way]
        if all(lane.rate.largest.takes(unit) for lane in lanes):
            return self.offers[way]
        left = carried(lanes, (unit,), (1,), context.demand.shipping_method)
        return context.offers_of(way[2], left.lanes)


_IN_THE_WAY: Final = frozenset({*_OF_THE_GOODS, Fence.STOCK, Fence.CAPACITY, Fence.CAPACITY_KEPT})
"""What a node may fail today and pass on a later day."""


def able_later(demand: Demand, world: Snapshot, policy: Policy, decision: SourcingDecision) -> frozenset[NodeId]:
    """The nodes that could give something of the order once they have stock and room, by the decision's rules."""
    place = policy.position(decision.strategy)
    if place is None:
        return frozenset()
    rules = Rules(policy, policy.strategies[place], frozenset(decision.relaxed))
    asked_in_full = examine_in_full(planning_context(demand, world, rules, wanted(demand.lines, world.skus)))
    return frozenset(
        [
            node_id
            for node_id, fences in asked_in_full.items()
            if all(result.passed or result.fence in _IN_THE_WAY for result in fences)
        ]
    )


def asked_for(
    policy: Policy,
    *,
    country: str,
    place: Place | None,
    as_of: datetime,
    channel: str = "",
    region: str = "",
    pickup_node: str | None = None,
) -> tuple[Demand, ...]:
    """A unit of anything, that is asked for now: once for each method, the usual one first."""
    usual = sorted(SHIPPED, key=lambda method: method is not ShippingMethod.STANDARD)
    return tuple(
        [
            Demand(
                order_id="-",
                channel=channel or "-",
                as_of=as_of,
                country=country,
                place=place,
                shipping_method=method,
                lines=_ONE,
                pickup_node=pickup_node,
                currency=policy.currency,
                region=region,
            )
            for method in (usual if pickup_node is None else (ShippingMethod.PICKUP,))
        ]
    )


def reach_of(world: Snapshot, policy: Policy, demands: Iterable[Demand]) -> Reach:
    """How the nodes could send or hand out a unit of anything that is asked for so."""
    ways: dict[str, list[Way]] = {}
    offers: dict[Way, tuple[Offer, ...]] = {}
    leaving: dict[Way, tuple[PlanningContext, tuple[PricedLane, ...]]] = {}
    collected: dict[str, Promise] = {}
    anywhere = world.model_copy(update={"available": {(node.id, _ANY): 1 for node in world.nodes}})
    for demand in demands:
        method = demand.shipping_method
        rules = first_rules(demand, world.skus, policy)
        if rules is None:
            continue
        context = planning_context(demand, anywhere, replace(rules, relaxed=_OF_THE_GOODS), {_ANY: 1})
        for site in examine(context):
            if not site.eligible or site.ship_day is None:
                continue
            if site.collection is not None:
                collected[site.node.id] = site.collection.promise
                continue
            services = sorted({offer.lane.service for offer in site.offers})
            way = (method, f"{site.node.address.country} {' '.join(services)}", site.ship_day.day)
            offers.setdefault(way, site.offers)
            leaving.setdefault(way, (context, site.lanes))
            ways.setdefault(site.node.id, []).append(way)
    handles = {node.id: frozenset(node.handles) for node in world.nodes}
    return Reach({node: tuple(found) for node, found in ways.items()}, offers, leaving, handles, collected)
