"""One strategy at work: what the planner reads of the policy while it tries that strategy."""

from collections.abc import Iterable
from dataclasses import dataclass

from dom.network import Node
from dom.sourcing.policy.document import Costs, Fence, Fences, NodeGroup, Policy, Splitting, Strategy


@dataclass(frozen=True, slots=True)
class Rules:
    """A strategy of a policy with the fences of it that were given up."""

    policy: Policy
    strategy: Strategy
    relaxed: frozenset[Fence] = frozenset()

    @property
    def fences(self) -> Fences:
        """Which nodes may take part."""
        return self.strategy.fences

    @property
    def cost(self) -> Costs:
        """What is weighed."""
        return self.strategy.cost

    @property
    def split(self) -> Splitting:
        """How far the order may be parted."""
        return self.strategy.split

    @property
    def currency(self) -> str:
        """The currency costs are weighed in."""
        return self.policy.currency

    def worth(self, currency: str) -> float | None:
        """What a minor unit of a currency is worth in minor units of the policy's; None if the policy does not say."""
        return self.policy.worth(currency)

    def stands(self, fence: Fence) -> bool:
        """Whether a fence was not given up."""
        return fence not in self.relaxed


def in_group(node: Node, group: NodeGroup) -> bool:
    """Whether the node is of a group itself; the groups it contains are looked at by `is_of`."""
    if node.id in group.nodes:
        return True
    if not (group.kinds or group.countries or group.regions):
        return False
    return (
        (not group.kinds or node.kind in group.kinds)
        and (not group.countries or node.address.country in group.countries)
        and (not group.regions or node.address.region in group.regions)
    )


def is_of(node: Node, groups: Iterable[str], policy: Policy) -> bool:
    """Whether the node belongs to one of the groups."""
    return any(in_group(node, policy.groups[name]) for group in groups for name in policy.members(group))
