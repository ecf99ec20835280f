"""Goods that no node may ever give, whatever it holds: no carrier serves the country, nobody is equipped for them.

A lack of stock passes when goods come in. What is told here does not: somebody has to change the order, the network or
the policy.
"""

from collections import Counter
from collections.abc import Container, Iterator, Sequence
from typing import Final

from dom.network import ShippingMethod
from dom.shared.base import NodeId
from dom.sourcing.constraints.context import planning_context
from dom.sourcing.constraints.fences import examine_with_stock
from dom.sourcing.models import DemandLine, FenceResult
from dom.sourcing.planning.candidate_plan import CandidatePlan
from dom.sourcing.policy.document import Fence

LASTING: Final = frozenset(
    {
        Fence.ACTIVE,
        Fence.SHIPS_TO_COUNTRY,
        Fence.PICKUP,
        Fence.CURRENCY,
        Fence.NETWORK,
        Fence.PLACE,
        Fence.WITHIN_DISTANCE,
        Fence.SERVICE,
        Fence.CARRIER,
        Fence.HANDLING,
        Fence.CARRIER_LIMITS,
        Fence.CAPACITY,
    }
)
"""Fences that neither goods nor time bring down. Capacity is one for a node that has none on any day."""


def ruled_out(drafts: Sequence[CandidatePlan], unfilled: Sequence[DemandLine]) -> dict[str, dict[Fence, int]]:
    """The SKUs of the unfilled lines that no node may give under any of the strategies that were tried.

    The fences counted are those of the strategy that was tried last.
    """
    lines = {line.sku: line for line in unfilled}
    found: dict[str, dict[Fence, int]] = {}
    for sku, line in lines.items():
        by_draft = [_obstacles(made, line) for made in drafts]
        if by_draft and all(obstacles is not None for obstacles in by_draft):
            found[sku] = by_draft[-1] or {}
    return found


def _obstacles(made: CandidatePlan, line: DemandLine) -> dict[Fence, int] | None:
    """What rules out every node, were it full of the goods and free on every day; None if a node could give them."""
    counted: Counter[Fence] = Counter()
    for node_id, obstacle in obstacles(made, line):
        if obstacle is None:
            return None
        if may_take_part(made, node_id):
            counted[obstacle] += 1
    return dict(counted)


def may_take_part(made: CandidatePlan, node_id: NodeId) -> bool:
    """Whether it can be more than a place where the customer does not collect: he does there, or it may send goods."""
    demand = made.demand
    if demand.shipping_method is not ShippingMethod.PICKUP or made.context.store is not None:
        return True
    return demand.pickup_node in (None, node_id)


def obstacles(
    made: CandidatePlan, line: DemandLine, leave_out: Container[NodeId] = ()
) -> Iterator[tuple[NodeId, Fence | None]]:
    """What rules each node out, were it full of the goods and free on every day; None where it could give them."""
    demand = made.demand.model_copy(update={"lines": (line,)})
    idle = made.context.snapshot.model_copy(update={"capacity_used": {}})
    context = planning_context(demand, idle, made.rules, {line.sku: line.quantity})
    for site, fences in examine_with_stock(context):
        if site.node.id not in leave_out:
            yield site.node.id, _first_lasting(fences)


def _first_lasting(fences: Iterator[FenceResult]) -> Fence | None:
    return next((each.fence for each in fences if not each.passed and each.fence in LASTING), None)
