"""The nodes as a strategy knows them before it knows the order: what many orders have in common is worked out once.

Whether a node is switched on, ships to a country, is of the policy's network, which carriers leave it and what its work
costs depends on the network, the policy, the service and the country, and on nothing else of the order. It is kept in
bounded caches, under the identity of the objects it was made of; they are held on to, so that no identity comes back
for another object.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final

from dom.delivery.promise import Calendar, calendar
from dom.delivery.tariffs import Tariff
from dom.network import Node, ShippingMethod
from dom.sourcing.costs import NodeCosts, PricedLane, lanes_from, node_costs, services_for
from dom.sourcing.distance import Point, great_circles_km, point
from dom.sourcing.models import Demand, FenceResult, Place, Snapshot
from dom.sourcing.policy.document import Fence
from dom.sourcing.policy.kinds import by_kind
from dom.sourcing.policy.strategy import Rules, is_of
from dom.sourcing.ship_to_store import StoreDestination, store_destination

NAMED_AT_MOST: Final = 4
"""Names a fence's expectation lists before it counts the rest."""


class Same:
    """Objects as a key: equal to the very same ones in the same order, and holding on to them."""

    __slots__ = ("_hash", "_ids", "objects")

    def __init__(self, *objects: Any) -> None:
        self.objects = objects
        self._ids = tuple([id(each) for each in objects])
        self._hash = hash(self._ids)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and self._ids == other._ids


@dataclass(frozen=True, slots=True)
class NodeUnderStrategy:
    """A node under a strategy: what it was asked so far, up to the first fence it failed, and what holds for it."""

    node_id: str
    node: Node
    method: ShippingMethod
    """How goods leave it for the order: what was asked for, or the service by which they go to the customer's store."""
    capacity: int
    service_capacity: int | None
    calendar: Calendar
    """One object for all nodes that share it."""
    fences: tuple[FenceResult, ...]
    passed: bool
    without_stock: tuple[FenceResult, ...]
    """What it was asked where it holds nothing of the order."""
    lanes: tuple[PricedLane, ...]
    costs: NodeCosts | None
    """None where its currency has no exchange rate."""
    furthest_km: int | None
    kept_back: int
    minimum_value: int
    complete_only: bool
    kept_capacity: int | None
    """Fulfilment orders of a day after which its capacity is left to other strategies."""
    plain: bool
    """Of what depends on the order, only stock, distance and capacity matter."""


@dataclass(frozen=True, slots=True)
class NodeIndex:
    """All nodes of the network by id, and how far each is from the customer."""

    nodes: tuple[NodeUnderStrategy, ...]
    distances: tuple[float | None, ...]


def node_index_for(demand: Demand, snapshot: Snapshot, rules: Rules) -> NodeIndex:
    """The nodes under the strategy for an order's service, country and place."""
    nodes = _same(snapshot.nodes)
    asked = _Asked(demand.shipping_method, demand.country, _region(demand, rules), demand.pickup_node)
    known = _evaluated if demand.pickup_node is None else _evaluated_at
    evaluated = known(nodes, _same(snapshot.tariffs), Same(rules.policy, rules.strategy), rules.relaxed, asked)
    store = store_destination(demand.shipping_method, demand.pickup_node, snapshot.nodes, rules.policy)
    return NodeIndex(evaluated, _distances(nodes, demand.place if store is None else store.place))


def asked_in_full(node: Node, demand: Demand, snapshot: Snapshot, rules: Rules) -> tuple[FenceResult, ...]:
    """All that a node is asked before the goods are looked at, also after the first fence it failed."""
    store = store_destination(demand.shipping_method, demand.pickup_node, snapshot.nodes, rules.policy)
    asked = _Asked(demand.shipping_method, demand.country, _region(demand, rules), demand.pickup_node)
    asked = asked.of_node(node, store, rules)
    lanes = _lanes(snapshot.tariffs, node, asked, rules)
    found = _asked_of(node, lanes, _allowed(lanes, rules), asked, rules)
    own = not_failed(node.id not in demand.excluded_nodes)
    return tuple([own if each.fence is Fence.NOT_EXCLUDED else each for each in found])


_KNOWN: Final[dict[int, tuple[tuple[Any, ...], Same]]] = {}
_KNOWN_AT_MOST: Final = 64


def _same(objects: tuple[Any, ...]) -> Same:
    """The key of a tuple's objects; of a tuple seen before, without looking at each of them again."""
    known = _KNOWN.get(id(objects))
    if known is not None and known[0] is objects:
        return known[1]
    if len(_KNOWN) >= _KNOWN_AT_MOST:
        _KNOWN.clear()
    key = Same(*objects)
    _KNOWN[id(objects)] = (objects, key)
    return key


def _region(demand: Demand, rules: Rules) -> str:
    return demand.region if rules.fences.same_region else ""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What of the order the evaluation of a node depends on."""

    method: ShippingMethod
    country: str
    region: str
    pickup_node: str | None

    def of_node(self, node: Node, store: StoreDestination | None, rules: Rules) -> "_Asked":
        """What is asked of one node: where it may send what is collected elsewhere, that it sends it to that store."""
        if store is None or node.id == store.node.id:
            return self
        address = store.node.address
        region = address.region if rules.fences.same_region else ""
        return _Asked(store.terms.service, address.country, region, self.pickup_node)


def _evaluate_all(
    nodes: Same, tariffs: Same, policy: Same, relaxed: frozenset[Fence], asked: _Asked
) -> tuple[NodeUnderStrategy, ...]:
    of_policy, strategy = policy.objects
    rules = Rules(of_policy, strategy, relaxed)
    store = store_destination(asked.method, asked.pickup_node, nodes.objects, of_policy)
    known: dict[tuple[str, tuple[ShippingMethod, ...], _Asked], tuple[PricedLane, ...]] = {}
    found = []
    for node in sorted(nodes.objects, key=attrgetter("id")):
        of_node = asked.of_node(node, store, rules)
        key = (node.address.country, node.services, of_node)
        if key not in known:
            known[key] = _lanes(tariffs.objects, node, of_node, rules)
        found.append(_evaluate(node, known[key], of_node, rules))
    return tuple(found)


def _lanes(tariffs: Iterable[Tariff], node: Node, asked: _Asked, rules: Rules) -> tuple[PricedLane, ...]:
    """Every carrier's service by which goods may go from the node to the customer."""
    if asked.method is ShippingMethod.PICKUP:
        return ()
    origin = node.address.country
    services = services_for(asked.method, node, rules)
    return tuple([lane for each in services for lane in lanes_from(tariffs, each, origin, asked.country, rules)])


_evaluated = lru_cache(maxsize=64)(_evaluate_all)
_evaluated_at = lru_cache(maxsize=16)(_evaluate_all)
"""Of pick-up orders, one for each node that hands out: they would push out the others."""


@lru_cache(maxsize=256)
def _distances(nodes: Same, place: Place | None) -> tuple[float | None, ...]:
    if place is None:
        return (None,) * len(nodes.objects)
    return tuple([round(each, 1) for each in great_circles_km(_points(nodes), place)])


@lru_cache(maxsize=64)
def _points(nodes: Same) -> tuple[Point, ...]:
    return tuple([point(node.latitude, node.longitude) for node in sorted(nodes.objects, key=attrgetter("id"))])


def _evaluate(node: Node, lanes: tuple[PricedLane, ...], asked: _Asked, rules: Rules) -> NodeUnderStrategy:
    fences, kind = rules.fences, node.kind
    allowed = _allowed(lanes, rules)
    results: list[FenceResult] = []
    for found in _asked_of(node, lanes, allowed, asked, rules):
        results.append(found)
        if not found.passed:
            break
    kept = by_kind(fences.capacity_kept_percent, kind) if rules.stands(Fence.CAPACITY_KEPT) else None
    passed = results[-1].passed
    furthest = by_kind(fences.maximum_distance_km, kind) if rules.stands(Fence.WITHIN_DISTANCE) else None
    kept_back = (by_kind(fences.keep_back, kind) or 0) if rules.stands(Fence.KEPT_BACK) else 0
    value = (by_kind(fences.minimum_picking_value, kind) or 0) if rules.stands(Fence.PICKING_VALUE) else 0
    complete_only = kind in fences.complete_only and rules.stands(Fence.COMPLETE_ONLY)
    return NodeUnderStrategy(
        node_id=node.id,
        node=node,
        method=asked.method,
        capacity=node.daily_capacity,
        service_capacity=node.service_capacity.get(asked.method),
        calendar=_interned(calendar(node)),
        fences=tuple(results),
        passed=passed,
        without_stock=(*results, stock_held(0)) if passed else tuple(results),
        lanes=() if asked.method is ShippingMethod.PICKUP else allowed,
        costs=None if rules.worth(node.currency) is None else node_costs(node, rules),
        furthest_km=furthest,
        kept_back=kept_back,
        minimum_value=value,
        complete_only=complete_only,
        kept_capacity=node.daily_capacity * (100 - kept) // 100 if kept else None,
        plain=not (kept_back or value or complete_only or kept),
    )


def _allowed(lanes: tuple[PricedLane, ...], rules: Rules) -> tuple[PricedLane, ...]:
    fences = rules.fences
    if not rules.stands(Fence.CARRIER) or not (fences.carriers or fences.excluded_carriers):
        return lanes
    return tuple(
        [
            lane
            for lane in lanes
            if (not fences.carriers or lane.carrier in fences.carriers) and lane.carrier not in fences.excluded_carriers
        ]
    )


def _asked_of(
    node: Node, lanes: tuple[PricedLane, ...], allowed: tuple[PricedLane, ...], asked: _Asked, rules: Rules
) -> Iterator[FenceResult]:
    """The fences that depend on no order: facts first, then what the policy wants."""
    yield result(Fence.ACTIVE, node.active, "in use", "in use" if node.active else "switched off")
    yield not_failed(True)
    if asked.pickup_node is not None or asked.method is ShippingMethod.PICKUP:
        yield _hands_out(node, asked)
    if asked.method is not ShippingMethod.PICKUP:
        where = ", ".join(node.ships_to) or "everywhere"
        ships = not node.ships_to or asked.country in node.ships_to
        yield result(Fence.SHIPS_TO_COUNTRY, ships, f"ships to {asked.country}", where)
    rate = rules.worth(node.currency) is not None
    yield result(Fence.CURRENCY, rate, f"costs in {rules.currency} or a currency with a rate", node.currency)
    if asked.method is not ShippingMethod.PICKUP:
        yield _service(node, lanes, asked)
    fences = rules.fences
    if rules.stands(Fence.NETWORK) and (
        fences.nodes or fences.groups or fences.kinds or fences.excluded_nodes or fences.excluded_groups
        or fences.excluded_kinds
    ):  # fmt: skip
        yield _network(node, rules)
    if rules.stands(Fence.PLACE) and (fences.countries or fences.regions or fences.same_country or fences.same_region):
        yield _place(node, asked, rules)
    if len(allowed) < len(lanes) and asked.method is not ShippingMethod.PICKUP:
        expected = _carriers(rules)
        yield result(Fence.CARRIER, bool(allowed), expected, ", ".join([lane.carrier for lane in allowed or lanes]))


@lru_cache(maxsize=1_000)
def _interned(of_node: Calendar) -> Calendar:
    return of_node


@lru_cache(maxsize=10_000)
def stock_held(units: int) -> FenceResult:
    """Whether the node holds anything of the order."""
    return result(Fence.STOCK, units > 0, "at least 1 unit", counted(units))


def counted(units: int) -> str:
    """Units in words."""
    return "none" if units == 0 else "1 unit" if units == 1 else f"{units} units"


def not_failed(passed: bool) -> FenceResult:
    """Whether the node may be asked: it has not failed the order before, and nobody moved the work past it."""
    actual = "has not" if passed else "has failed it, or was left out by staff"
    return result(Fence.NOT_EXCLUDED, passed, "has not failed this order", actual)


def _hands_out(node: Node, asked: _Asked) -> FenceResult:
    expected = f"the customer collects at {asked.pickup_node}"
    if asked.method is not ShippingMethod.PICKUP:
        return result(Fence.PICKUP, True, expected, f"sends it there by {asked.method}")
    if node.id != asked.pickup_node:
        return result(Fence.PICKUP, False, expected, f"this is {node.id}")
    return result(Fence.PICKUP, node.pickup, expected, "hands out" if node.pickup else "does not hand out")


def _service(node: Node, lanes: tuple[PricedLane, ...], asked: _Asked) -> FenceResult:
    expected = f"{asked.method} to {asked.country}"
    if not lanes and asked.method not in node.services:
        return result(Fence.SERVICE, False, expected, f"offers {', '.join(node.services) or 'nothing'}")
    carriers = ", ".join([_named(lane, asked.method) for lane in lanes])
    return result(Fence.SERVICE, bool(lanes), expected, carriers or f"no carrier from {node.address.country}")


def _named(lane: PricedLane, asked: ShippingMethod) -> str:
    return lane.carrier if lane.service is asked else f"{lane.carrier} ({lane.service})"


def _network(node: Node, rules: Rules) -> FenceResult:
    fences, policy = rules.fences, rules.policy
    passed = (
        (not (fences.nodes or fences.groups) or node.id in fences.nodes or is_of(node, fences.groups, policy))
        and (not fences.kinds or node.kind in fences.kinds)
        and node.id not in fences.excluded_nodes
        and node.kind not in fences.excluded_kinds
        and not is_of(node, fences.excluded_groups, policy)
    )
    wanted = [*fences.nodes, *[f"group {name}" for name in fences.groups]]
    unwanted = [
        *fences.excluded_nodes,
        *[f"group {name}" for name in fences.excluded_groups],
        *[f"any {_spoken(kind)}" for kind in fences.excluded_kinds],
    ]
    expected = [_or(wanted)] if wanted else []
    expected += [f"a {_or([_spoken(kind) for kind in fences.kinds])}"] if fences.kinds else []
    expected += [f"not {_or(unwanted)}"] if unwanted else []
    return result(Fence.NETWORK, passed, ", ".join(expected), f"{node.id}, a {_spoken(node.kind)}")


def _place(node: Node, asked: _Asked, rules: Rules) -> FenceResult:
    fences, country, region = rules.fences, node.address.country, node.address.region
    same_region = fences.same_region and asked.region
    passed = (
        (not fences.countries or country in fences.countries)
        and (not fences.regions or region in fences.regions)
        and (not (fences.same_country or fences.same_region) or country == asked.country)
        and (not same_region or region == asked.region)
    )
    expected = [_or(fences.countries)] if fences.countries else []
    expected += [_or(fences.regions)] if fences.regions else []
    if fences.same_country or fences.same_region:
        expected.append(f"{asked.country}, where the goods go")
    if same_region:
        expected.append(f"{asked.region}, where the goods go")
    return result(Fence.PLACE, passed, ", ".join(expected), ", ".join(filter(None, [region, country])))


def _carriers(rules: Rules) -> str:
    fences = rules.fences
    expected = [_or(fences.carriers)] if fences.carriers else []
    expected += [f"not {_or(fences.excluded_carriers)}"] if fences.excluded_carriers else []
    return ", ".join(expected)


def _spoken(kind: str) -> str:
    return kind.replace("_", " ")


def _or(names: tuple[str, ...] | list[str]) -> str:
    more = len(names) - NAMED_AT_MOST
    shown = [*names[:NAMED_AT_MOST], *([f"{more} more"] if more > 0 else [])]
    return " or ".join(filter(None, [", ".join(shown[:-1]), shown[-1]]))


@lru_cache(maxsize=20_000)
def result(fence: Fence, passed: bool, expected: str, actual: str) -> FenceResult:
    """A fence's result; equal ones are one object, and nothing of it is checked again."""
    return FenceResult.model_construct(fence=fence, passed=passed, expected=expected, actual=actual)
