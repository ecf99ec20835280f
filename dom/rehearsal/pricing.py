"""A plan at the prices of another policy, so that money is compared with money.

Each shipment is planned again for itself: its node with just its units, its carrier, and a strategy without fences that
weighs as the other one does. So it costs what the planner itself says it costs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from dom.ofl.models import CostTerm, Demand, PlannedShipment, Snapshot
from dom.ofl.planner import plan
from dom.policy.document import Costs, Fences, Policy, Strategy

MONEY: Final = (CostTerm.FREIGHT, CostTerm.HANDLING, CostTerm.PACKAGING)
"""What is paid to somebody. Everything else says what it is worth to avoid."""


@dataclass(frozen=True, slots=True)
class Prices:
    """What one shipment costs: under the policy that planned it, and at the baseline's prices.

    Minor units. `money` is freight, handling and packaging, without the baseline's weights. Both are None where the
    baseline's policy cannot price the shipment, because it has no rate for a currency.
    """

    own: dict[CostTerm, int]
    at_baseline: dict[CostTerm, int] | None
    money: int | None

    @property
    def weighed(self) -> int | None:
        """All of it at the baseline's prices."""
        return None if self.at_baseline is None else sum(self.at_baseline.values())


def as_planned(shipments: Sequence[PlannedShipment], costs: Costs) -> list[Prices]:
    """The shipments at the prices they were planned with, which are the baseline's."""
    return [Prices(dict(each.costs), dict(each.costs), _money(each.costs, costs)) for each in shipments]


def repriced(
    shipments: Sequence[PlannedShipment], demand: Demand, snapshot: Snapshot, policy: Policy, costs: Costs
) -> list[Prices]:
    """The shipments at their own prices and at those of `policy` with `costs`."""
    found = []
    for number, shipment in enumerate(shipments):
        terms = _at_prices(shipment, demand, snapshot, policy, costs)
        if terms is not None:
            terms[CostTerm.SPLIT] = costs.split_penalty if number else 0
        found.append(Prices(dict(shipment.costs), terms, None if terms is None else _money(terms, costs)))
    return found


def costs_of(policy: Policy, strategy: str) -> Costs:
    """What a strategy of the policy weighs; its first one's, where it has none of that name."""
    return policy.strategies[policy.position(strategy) or 0].cost


def _at_prices(
    shipment: PlannedShipment, demand: Demand, snapshot: Snapshot, policy: Policy, costs: Costs
) -> dict[CostTerm, int] | None:
    asked = demand.model_copy(update={"lines": shipment.lines, "deliver_by": None, "excluded_nodes": frozenset()})
    units: dict[tuple[str, str], int] = {}
    for line in shipment.lines:
        key = (shipment.node_id, line.sku)
        units[key] = units.get(key, 0) + line.quantity
    world = snapshot.model_copy(
        update={
            "nodes": tuple(node for node in snapshot.nodes if node.id == shipment.node_id),
            "available": units,
        }
    )
    fences = Fences(carriers=(shipment.carrier,) if shipment.carrier else ())
    pricing = Strategy(name="prices", fences=fences, cost=costs)
    decision = plan(asked, world, policy.model_copy(update={"strategies": (pricing,)}), 0)
    if len(decision.shipments) != 1 or decision.unfilled:
        return None
    return dict(decision.shipments[0].costs)


def _money(terms: dict[CostTerm, int], costs: Costs) -> int:
    weights = {CostTerm.FREIGHT: costs.freight_weight, CostTerm.HANDLING: costs.handling_weight}
    money = 0
    for term in MONEY:
        weight = weights.get(term, 1.0)
        money += round(terms.get(term, 0) / weight) if weight else 0
    return money
