"""What is asked of the planner for one unit of anything, by shipping method, and who could give it later."""

from datetime import datetime
from typing import Final

from dom.network import ShippingMethod
from dom.shared.base import NodeId
from dom.sourcing.constraints.context import planning_context
from dom.sourcing.constraints.fences import examine_in_full
from dom.sourcing.models import Demand, DemandLine, Place, Snapshot, SourcingDecision
from dom.sourcing.planning.lines import wanted
from dom.sourcing.policy.document import Fence, Policy
from dom.sourcing.policy.strategy import Rules

SHIPPED: Final = tuple(method for method in ShippingMethod if method is not ShippingMethod.PICKUP)
"""The methods by which goods travel."""

_ANY = "any"
_ONE = (DemandLine(line_id="1", sku=_ANY, quantity=1),)

_OF_THE_GOODS: Final = frozenset({Fence.KEPT_BACK, Fence.PICKING_VALUE, Fence.COMPLETE_ONLY})
"""Fences that ask how much a node holds, or what it is worth: they say nothing of a unit that nobody named."""

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
