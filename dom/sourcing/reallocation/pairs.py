"""Which order could give to which, where it gets its own units from then, and what that gains.

All plans come from the planner itself, on a snapshot that holds no more than the plan may use, so that fences, costs
and calendars are those of the policy. What a giver waits for is planned as of the day on which it is counted on.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from dom.network import Node
from dom.sourcing.models import CostTerm, Demand, DemandLine, Outcome, Snapshot, SourcingDecision
from dom.sourcing.planner import plan
from dom.sourcing.policy.document import Policy
from dom.sourcing.reallocation.choice import days_late
from dom.sourcing.reallocation.forecast import DueGoods, Forecast
from dom.sourcing.reallocation.models import Balance, Endangered, Giver, Giving, Reallocation
from dom.sourcing.reallocation.obstacles import Obstacle, Obstacles
from dom.sourcing.reoptimisation.options import may_replace
from dom.stock.atp import is_released

NODES: Final = 6
"""Nodes that are tried for the units of a giver, those first that have most of them; and nodes with goods due."""
OPTIONS_OF_TWO: Final = 2
"""Ways, the cheapest, in which each of two givers gives where one alone has not enough."""

_Place = tuple[Demand, Snapshot, date | None, date | None]
"""What is asked of the planner, what it sees, and when the goods are due and counted on; None: they are there."""

Limited = frozenset[tuple[str, Balance]]
"""Channels that may not have all that is free of a balance, with the balance."""


def pairs(
    takers: Sequence[Endangered],
    givers: Sequence[Giver],
    forecasts: Mapping[str, Forecast],
    worlds: Mapping[str, Snapshot],
    policy: Policy,
    policy_version: int,
    limited: Limited = frozenset(),
    obstacles: Obstacles | None = None,
) -> list[Reallocation]:
    """Every re-allocation that is worth making by itself; the order of takers and givers plays no part.

    `worlds` are snapshots by channel, in which what orders hold is not free. Each avoids days of lateness, keeps the
    promise of who gives, takes from a class that weighs less, and gains at least `reallocation.minimum_gain`, and
    something. `obstacles` is told what stands in the way of the others.
    """
    sequence = sorted(givers, key=lambda each: each.fulfilment_id)
    met = Obstacles() if obstacles is None else obstacles
    search = _Search(sequence, forecasts, worlds, policy, policy_version, limited, met)
    return [each for taker in sorted(takers, key=lambda each: (each.order_id, each.sku)) for each in search.of(taker)]


@dataclass(frozen=True, slots=True)
class _Waits:
    """How it would go for a taker without a re-allocation: when it is served, and what that costs but for lateness."""

    latest: datetime | None
    late: int
    cost: int | None


class _Search:
    def __init__(
        self,
        givers: Sequence[Giver],
        forecasts: Mapping[str, Forecast],
        worlds: Mapping[str, Snapshot],
        policy: Policy,
        version: int,
        limited: Limited,
        obstacles: Obstacles,
    ) -> None:
        self._givers = givers
        self._forecasts = forecasts
        self._worlds = worlds
        self._policy = policy
        self._version = version
        self._limited = limited
        self._obstacles = obstacles
        self._terms = policy.reallocation
        self._made: dict[tuple[str, str, int], list[Giving]] = {}
        self._nodes: dict[str, Node] = {node.id: node for world in worlds.values() for node in world.nodes}

    def of(self, taker: Endangered) -> Iterator[Reallocation]:
        """All re-allocations to a taker."""
        weight = self._terms.weight(taker.demand.customer_class)
        lighter = [
            each
            for each in self._givers
            if self._terms.weight(each.demand.customer_class) < weight
            and each.order_id != taker.order_id
            and each.units(taker.sku)
        ]
        without = self._without(taker) if lighter else None
        if without is None or not without.late:
            self._obstacles.meet(taker, Obstacle.NO_LIGHTER_ORDER if without is None else Obstacle.IN_TIME)
            return
        for node in sorted({each.node_id for each in lighter}):
            if (taker.demand.channel, (node, taker.sku)) in self._limited:
                self._obstacles.meet(taker, Obstacle.CHANNEL_LIMIT)
                continue
            world = _only(self._worlds[taker.demand.channel], {(node, taker.sku): taker.units})
            decision = self._decided(taker.demand, world)
            late = without.late if decision is None else days_late(_latest(decision) - taker.due)
            if decision is None or late >= without.late:
                self._obstacles.meet(taker, Obstacle.NOT_SOONER)
                continue
            avoided = round(weight * self._per_day(decision) * (without.late - late))
            dearer = 0 if without.cost is None else _cost(decision) - without.cost
            at_node = [each for each in lighter if each.node_id == node]
            enough = _most_of_two(at_node, taker.sku) >= taker.units
            self._obstacles.meet(taker, Obstacle.PROMISE if enough else Obstacle.NOT_ENOUGH)
            for gives in self._gives(at_node, taker.sku, taker.units):
                found = Reallocation(
                    taker,
                    node,
                    gives,
                    decision,
                    world,
                    without.latest,
                    without.late,
                    late,
                    avoided,
                    dearer + sum([giving.extra for giving in gives]),
                )
                worth = found.gain >= self._terms.least_gain
                self._obstacles.meet(taker, Obstacle.OTHERS if worth else Obstacle.GAIN, found.gain)
                if worth:
                    yield found

    def _without(self, taker: Endangered) -> _Waits:
        arrival = self._forecasts.get(taker.sku, Forecast()).served(taker.order_id)
        if arrival is not None and arrival.node_id in self._nodes:
            demand, world = self._later(taker.demand, arrival, 0, taker.sku, taker.units)
            decision = self._decided(demand, world)
            if decision is not None:
                latest = _latest(decision)
                return _Waits(latest, days_late(latest - taker.due), _cost(decision))
        overdue = days_late(taker.demand.as_of - taker.due)
        return _Waits(None, overdue + self._terms.unknown_days, None)

    def _per_day(self, decision: SourcingDecision) -> int:
        place = self._policy.position(decision.strategy)
        return 0 if place is None else self._policy.strategies[place].cost.lateness_per_day

    # --- who gives ---------------------------------------------------------------------------------------------------

    def _gives(self, givers: Sequence[Giver], sku: str, units: int) -> Iterator[tuple[Giving, ...]]:
        """One giver, or two where none alone has enough."""
        enough = [each for each in givers if each.units(sku) >= units]
        for each in enough:
            yield from ((giving,) for giving in self._ways(each, sku, units))
        if enough:
            return
        for first in givers:
            has = first.units(sku)
            for second in givers:
                if second.order_id != first.order_id and second.units(sku) >= units - has:
                    for one in self._ways(first, sku, has)[:OPTIONS_OF_TWO]:
                        for other in self._ways(second, sku, units - has)[:OPTIONS_OF_TWO]:
                            yield (one, other)

    def _ways(self, giver: Giver, sku: str, units: int) -> list[Giving]:
        """How an order can give so many units and keep its promise, the cheapest way first."""
        key = (giver.fulfilment_id, sku, units)
        if key not in self._made:
            ways = {(each.due_on, _taken(each.decision)): each for each in self._all_ways(giver, sku, units)}
            self._made[key] = sorted(ways.values(), key=lambda each: (each.extra, str(each.due_on), each.new_node))
        return self._made[key]

    def _all_ways(self, giver: Giver, sku: str, units: int) -> Iterator[Giving]:
        world = self._worlds[giver.demand.channel]
        lines = giver.part(sku, units)
        before = self._decided(giver.demand, _only(world, _held(giver, giver.demand.lines)))
        left = _without(giver.demand.lines, lines)
        rest = (
            self._decided(giver.demand.model_copy(update={"lines": left}), _only(world, _held(giver, left)))
            if left
            else None
        )
        if before is None or (left and rest is None):
            return
        saved = before.cost - (rest.cost if rest else 0)
        demand = giver.demand.model_copy(update={"lines": lines})
        for asked, seen, due, counted in self._places(giver, demand, sku, units):
            decision = self._decided(asked, seen)
            if decision is not None and may_replace(decision, before) and _latest(decision) <= giver.told:
                extra = decision.cost - saved
                yield Giving(giver, lines, decision, seen, asked, extra, due, counted)

    def _places(self, giver: Giver, demand: Demand, sku: str, units: int) -> Iterator[_Place]:
        """What may be planned with: all that is free, single nodes of it, and goods that are due at one."""
        world = self._worlds[demand.channel]
        free = {balance: n for balance, n in world.available.items() if balance[1] == sku}
        if sum(free.values()) >= units:
            yield demand, _only(world, free), None, None
        enough = sorted([(-n, balance) for balance, n in free.items() if n >= units])[:NODES]
        for n, balance in enough:
            yield demand, _only(world, {balance: -n}), None, None
        if giver.may_wait:
            for arrival in self._first_enough(sku, units):
                counted = arrival.day + timedelta(days=self._terms.margin_days)
                limited = (demand.channel, (arrival.node_id, sku)) in self._limited
                waits = (counted - demand.as_of.date()).days
                if arrival.node_id in self._nodes and not limited and waits < giver.gives_up_after:
                    asked, seen = self._later(demand, arrival, self._terms.margin_days, sku, units)
                    if is_released(seen.skus[sku], self._nodes[arrival.node_id], asked.as_of):
                        yield asked, seen, arrival.day, counted

    def _first_enough(self, sku: str, units: int) -> Iterable[DueGoods]:
        """Of each node the first arrival with which enough has come, beyond what is promised of it already."""
        forecast = self._forecasts.get(sku, Forecast())
        found: dict[str, DueGoods] = {}
        for each in sorted(forecast.arrivals, key=lambda each: (each.day, each.node_id)):
            come = forecast.come_by(each.day, each.node_id) - forecast.first_claims
            if each.node_id not in found and come >= units:
                found[each.node_id] = each
        return list(found.values())[:NODES]

    # --- the planner -------------------------------------------------------------------------------------------------

    def _later(self, demand: Demand, arrival: DueGoods, margin: int, sku: str, units: int) -> tuple[Demand, Snapshot]:
        """The demand and the world on the day on which goods that arrive are counted on."""
        node = self._nodes[arrival.node_id]
        day = datetime.combine(arrival.day + timedelta(days=margin), time(), node.zone)
        at = max(demand.as_of, day.astimezone(demand.as_of.tzinfo))
        world = _only(self._worlds[demand.channel], {(arrival.node_id, sku): units})
        return demand.model_copy(update={"as_of": at}), world.model_copy(update={"taken_at": at})

    def _decided(self, demand: Demand, world: Snapshot) -> SourcingDecision | None:
        """What the planner makes of the demand; None unless it is everything."""
        decision = plan(demand, world, self._policy, self._version)
        return None if decision.unfilled or decision.outcome is not Outcome.PLANNED else decision


def _most_of_two(givers: Sequence[Giver], sku: str) -> int:
    """The units that one order has, or two together."""
    most: dict[str, int] = {}
    for each in givers:
        most[each.order_id] = max(most.get(each.order_id, 0), each.units(sku))
    return sum(sorted(most.values())[-2:])


def _only(world: Snapshot, units: Mapping[Balance, int]) -> Snapshot:
    return world.model_copy(update={"available": {balance: n for balance, n in sorted(units.items()) if n > 0}})


def _held(giver: Giver, lines: Iterable[DemandLine]) -> dict[Balance, int]:
    units: dict[Balance, int] = {}
    for line in lines:
        units[giver.node_id, line.sku] = units.get((giver.node_id, line.sku), 0) + line.quantity
    return units


def _without(lines: Iterable[DemandLine], taken: Iterable[DemandLine]) -> tuple[DemandLine, ...]:
    gone = {line.line_id: line.quantity for line in taken}
    left = [
        line.model_copy(update={"quantity": line.quantity - gone.get(line.line_id, 0)})
        for line in lines
        if line.quantity > gone.get(line.line_id, 0)
    ]
    return tuple(left)


def _taken(decision: SourcingDecision) -> frozenset[tuple[str, str, int]]:
    return frozenset((s.node_id, line.line_id, line.quantity) for s in decision.shipments for line in s.lines)


def _latest(decision: SourcingDecision) -> datetime:
    return max([shipment.promise.latest for shipment in decision.shipments])


def _cost(decision: SourcingDecision) -> int:
    """What a plan costs but for lateness, which is weighed by class."""
    return decision.cost - sum([shipment.costs.get(CostTerm.LATENESS, 0) for shipment in decision.shipments])
