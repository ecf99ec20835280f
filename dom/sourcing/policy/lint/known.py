"""What the network holds, as far as a policy can speak of it."""

from functools import cached_property

from pydantic import ConfigDict, Field

from dom.delivery.tariffs import Tariff
from dom.network import Node
from dom.shared.base import Value
from dom.sourcing.policy.document import Policy
from dom.sourcing.policy.strategy import in_group


class Known(Value):
    """The nodes, carriers' tariffs, channels and SKU attributes there are.

    `attributes` holds the values in use of each attribute of the SKUs; None for one with too many to list. What is
    empty is not known, and nothing is said against it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", ignored_types=(cached_property,))

    nodes: tuple[Node, ...] = ()
    tariffs: tuple[Tariff, ...] = ()
    channels: tuple[str, ...] = ()
    attributes: dict[str, frozenset[str] | None] = Field(default={})

    @cached_property
    def node_ids(self) -> frozenset[str]:
        """The codes of the nodes."""
        return frozenset(node.id for node in self.nodes)

    @cached_property
    def carriers(self) -> frozenset[str]:
        """The codes of the carriers."""
        return frozenset(tariff.carrier for tariff in self.tariffs)

    @cached_property
    def destinations(self) -> frozenset[str]:
        """The countries a carrier goes to."""
        return frozenset(
            country for t in self.tariffs for s in t.services for lane in s.lanes for country in lane.destinations
        )

    @cached_property
    def services(self) -> frozenset[str]:
        """The services some node offers, pick-up among them."""
        offered = {str(service) for node in self.nodes for service in node.services}
        return frozenset(offered | ({"pickup"} if any(node.pickup for node in self.nodes) else set()))

    def by_group(self, policy: Policy) -> dict[str, frozenset[str]]:
        """The nodes of each group, those of the groups it contains included."""
        own = {
            name: frozenset(node.id for node in self.nodes if in_group(node, group))
            for name, group in policy.groups.items()
        }
        return {name: frozenset().union(*[own[each] for each in policy.members(name)]) for name in policy.groups}


NOTHING = Known()
"""Where there is no network to look at."""
