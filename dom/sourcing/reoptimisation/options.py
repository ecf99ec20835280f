"""The plans an order could have: as it is now, the best on all there is, the best single nodes, the best pairs.

All of them come from the planner itself, on a snapshot that holds no more than the plan may use, so that fences, costs
and rules of splitting are those of the policy.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from dom.sourcing.models import Outcome, Snapshot, SourcingDecision
from dom.sourcing.planner import plan
from dom.sourcing.policy.document import Policy
from dom.sourcing.reoptimisation.models import Balance, Unbegun
from dom.sourcing.reoptimisation.pool import Use

SINGLES: Final = 12
"""Nodes that are tried alone for an order, those first that hold most of it."""
PAIRED: Final = 6
"""Nodes that are tried in pairs."""


@dataclass(frozen=True, slots=True)
class Option:
    """A plan an order could have, what it costs and what it takes of the pool."""

    decision: SourcingDecision
    cost: int
    use: Use


class Options:
    """Makes the plans of orders under one version of the policy."""

    def __init__(self, policy: Policy, version: int) -> None:
        self._policy = policy
        self._version = version

    def present(self, order: Unbegun, room: Snapshot) -> Option | None:
        """The plan the order has, at today's rates; None if the policy would not make it any more, or not in time.

        Such work is left alone: what it is worth cannot be told.
        """
        held = order.units
        decision = self._decided(order, _only(room, held))
        if decision is None or Use.of(decision.shipments).units != held:
            return None
        return Option(decision, decision.cost, Use(held, order.days))

    def all(self, order: Unbegun, room: Snapshot, present: Option) -> list[Option]:
        """The present plan, and every other that keeps the promise and stays with its strategy; the cheapest first."""
        found: dict[object, Option] = {_key(present): present}
        for decision in self._others(order, room):
            if may_replace(decision, present.decision):
                option = Option(decision, decision.cost, Use.of(decision.shipments))
                known = found.get(_key(option))
                if known is None or (known is not present and option.cost < known.cost):
                    found[_key(option)] = option
        others = [option for option in found.values() if option is not present]
        return [present, *sorted(others, key=lambda option: (option.cost, sorted(option.use.units.items())))]

    def best(self, order: Unbegun, room: Snapshot) -> SourcingDecision | None:
        """The plan the planner makes of what there is room for; None if it leaves something out or comes too late."""
        return self._decided(order, room)

    def of_units(self, order: Unbegun, room: Snapshot, option: Option) -> tuple[SourcingDecision | None, Snapshot]:
        """The plan of an option, made on a snapshot that holds nothing but its units."""
        world = _only(room, option.use.units)
        return self._decided(order, world), world

    def _others(self, order: Unbegun, room: Snapshot) -> Iterator[SourcingDecision]:
        if best := self._decided(order, room):
            yield best
        wanted: dict[str, int] = {}
        for line in order.demand.lines:
            wanted[line.sku] = wanted.get(line.sku, 0) + line.quantity
        holding = _by_coverage(room, wanted)
        full = sum(wanted.values())
        alone = [node for node, covered in holding if covered == full][:SINGLES]
        for node in alone:
            if decision := self._decided(order, _of_nodes(room, {node})):
                yield decision
        if len(wanted) > 1 or full > 1:
            for pair in combinations([node for node, _ in holding[:PAIRED]], 2):
                if decision := self._decided(order, _of_nodes(room, set(pair))):
                    yield decision

    def _decided(self, order: Unbegun, world: Snapshot) -> SourcingDecision | None:
        """What the planner makes of the demand; None unless it is everything, and in time."""
        decision = plan(order.demand, world, self._policy, self._version)
        if decision.unfilled or decision.outcome is not Outcome.PLANNED:
            return None
        promised = order.demand.deliver_by
        if promised is not None and any(shipment.promise.latest > promised for shipment in decision.shipments):
            return None
        return decision


def may_replace(other: SourcingDecision, present: SourcingDecision) -> bool:
    """Whether two plans can be compared by their cost: one strategy, and no fence given up that now stands."""
    return other.strategy == present.strategy and set(other.relaxed) <= set(present.relaxed)


def _key(option: Option) -> object:
    return frozenset(option.use.units.items())


def _only(room: Snapshot, units: Mapping[Balance, int]) -> Snapshot:
    return room.model_copy(update={"available": dict(sorted(units.items()))})


def _of_nodes(room: Snapshot, nodes: set[str]) -> Snapshot:
    """The world of a few nodes: the others are left out altogether, which spares their fences."""
    return room.model_copy(
        update={
            "nodes": tuple([node for node in room.nodes if node.id in nodes]),
            "available": {balance: units for balance, units in room.available.items() if balance[0] in nodes},
        }
    )


def _by_coverage(room: Snapshot, wanted: Mapping[str, int]) -> list[tuple[str, int]]:
    """Nodes with how many of the wanted units they hold, those with most first."""
    covered: dict[str, int] = {}
    for (node, sku), units in room.available.items():
        if sku in wanted:
            covered[node] = covered.get(node, 0) + min(units, wanted[sku])
    return sorted(covered.items(), key=lambda found: (-found[1], found[0]))
