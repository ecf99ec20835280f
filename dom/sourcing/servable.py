"""Which nodes may ever give a SKU to a place, or hand it out there; and why none may, if none may.

By the strategies and fences that an order of one unit meets when nothing is in stock: what is said here is what the
planner says of such an order (`dom.sourcing.planning.ruled_out`).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dom.delivery.parcels import piece
from dom.network import Sku
from dom.shared.base import NodeId
from dom.sourcing.models import Demand, DemandLine, Snapshot
from dom.sourcing.planner import drafts_of_nothing
from dom.sourcing.planning.matching import MatchSubject, mismatch
from dom.sourcing.planning.ruled_out import may_take_part, obstacles
from dom.sourcing.policy.document import Fence, Policy
from dom.sourcing.reasons.never import sentence, sentence_of_one

NO_RULES = "None of the rules for sourcing is for such an order."


@dataclass(frozen=True, slots=True)
class _Found:
    """The nodes that may give it; None if no strategy is for it. `obstacles`: what rules nodes out, for the method that
    was asked for first.
    """

    nodes: frozenset[NodeId] | None
    obstacles: Mapping[NodeId, Fence]


@dataclass(frozen=True, slots=True)
class Servable:
    """Answers for one place, or one node where goods are collected: `demands` are one a method, whatever their lines.

    `any_channel`: nobody said for which channel, so that rules for certain channels say nothing.
    """

    world: Snapshot
    policy: Policy
    demands: tuple[Demand, ...]
    any_channel: bool = False
    _known: dict[tuple[Any, ...], _Found] = field(default_factory=dict)
    _of_sku: dict[str, _Found] = field(default_factory=dict)

    def nodes(self, sku: Sku) -> frozenset[NodeId] | None:
        """The nodes that may give a unit of the SKU by some method; None where nothing is known against any."""
        found = self._of(sku).nodes
        if found is None:
            return None if self.any_channel else frozenset()
        return found

    def why_none(self, sku: Sku, node: NodeId | None = None) -> str:
        """Why no node may, or why that one may not, in a sentence; empty for a node that is none."""
        found, first = self._of(sku), self.demands[0]
        if found.nodes is None:
            return NO_RULES
        if node is None:
            return sentence(sku.id, Counter(found.obstacles.values()), first, self._name)
        obstacle = found.obstacles.get(node)
        return "" if obstacle is None else sentence_of_one(sku.id, [obstacle], first, self._name(node))

    def _name(self, node_id: str) -> str:
        return next((node.name for node in self.world.nodes if node.id == node_id), node_id)

    def _of(self, sku: Sku) -> _Found:
        """Once for all SKUs that the strategies and the fences cannot tell apart."""
        if sku.id in self._of_sku:
            return self._of_sku[sku.id]
        key: tuple[Any, ...] = (sku.handling, self._takes(sku))
        if self._goods_matter:
            key = (*key, *[self._matches(self._demand(each, sku), {sku.id: sku}) for each in self.demands])
        if key not in self._known:
            self._known[key] = self._examined([self._demand(each, sku) for each in self.demands], {sku.id: sku})
        found = self._of_sku[sku.id] = self._known[key]
        return found

    @property
    def _goods_matter(self) -> bool:
        """Whether a strategy asks for more of the goods than what they need of a node."""
        return any(
            match.when is not None
            or match.sku_attributes
            or any(limit is not None for limit in (match.value_at_least, match.value_below))
            or any(limit is not None for limit in (match.grams_at_least, match.grams_below))
            for match in (strategy.match for strategy in self.policy.strategies)
        )

    def _demand(self, demand: Demand, sku: Sku) -> Demand:
        price = sku.list_price if sku.currency == demand.currency else 0
        line = DemandLine.model_construct(line_id="1", sku=sku.id, quantity=1, unit_price=price)
        return demand.model_copy(update={"lines": (line,)})

    def _takes(self, sku: Sku) -> tuple[bool, ...]:
        unit = piece(sku)
        limits = dict.fromkeys([s.largest for tariff in self.world.tariffs for s in tariff.services])
        return tuple([limit.takes(unit) for limit in limits])

    def _matches(self, demand: Demand, catalogue: Mapping[str, Sku]) -> tuple[bool, ...]:
        subject = MatchSubject(demand, catalogue, self.policy)
        return tuple([mismatch(strategy.match, subject) is None for strategy in self.policy.strategies])

    def _examined(self, asked: Sequence[Demand], catalogue: dict[str, Sku]) -> _Found:
        world = self.world.model_copy(update={"skus": catalogue})
        nodes: set[NodeId] = set()
        told: dict[NodeId, Fence] | None = None
        for demand in asked:
            for made in drafts_of_nothing(demand, world, self.policy):
                ruled_out = dict[NodeId, Fence]()
                for node_id, obstacle in obstacles(made, demand.lines[0], nodes):
                    if obstacle is None:
                        nodes.add(node_id)
                    elif may_take_part(made, node_id):
                        ruled_out[node_id] = obstacle
                told = ruled_out if told is None or demand is asked[0] else told
        return _Found(None if told is None else frozenset(nodes), told or {})
