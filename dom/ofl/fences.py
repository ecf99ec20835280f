"""Which nodes may take part, and the first reason why one may not."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from dom.network import Node, ShippingMethod
from dom.ofl.costs import Lane, lanes_from
from dom.ofl.distance import distance_km
from dom.ofl.models import Demand, FenceResult, Snapshot
from dom.ofl.rules import Rules
from dom.policy.document import Fence, by_kind
from dom.promise import DAYS_LOOKED_AHEAD, Collection, ShipDay, collection_window, ship_day

LanesFrom = Callable[[str], tuple[Lane, ...]]
"""The lanes to the customer from a country."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What every node is measured against: the order, the world, the policy, and how the goods could travel."""

    demand: Demand
    snapshot: Snapshot
    rules: Rules
    lanes_from: LanesFrom


@dataclass(slots=True)
class Site:
    """A node under examination: what it holds of each item, what was asked of it, and when it could do the work."""

    node: Node
    stock: tuple[int, ...]
    distance_km: float | None
    lanes: tuple[Lane, ...] = ()
    ship_day: ShipDay | None = None
    collection: Collection | None = None
    fences: tuple[FenceResult, ...] = ()

    @property
    def eligible(self) -> bool:
        """Whether every fence was passed."""
        return self.fences[-1].passed


def asked(demand: Demand, snapshot: Snapshot, rules: Rules) -> Asked:
    """The question put to every node; lanes are looked up once a country."""
    found: dict[str, tuple[Lane, ...]] = {}

    def lanes(origin: str) -> tuple[Lane, ...]:
        if origin not in found:
            found[origin] = lanes_from(snapshot.tariffs, demand, origin, rules)
        return found[origin]

    return Asked(demand, snapshot, rules, lanes)


def examine(node: Node, stock: tuple[int, ...], question: Asked) -> Site:
    """Put the fences to a node, one after the other, up to the first it fails."""
    site = Site(node, stock, distance_km(node, question.demand.place))
    results = []
    for result in _fences(site, question):
        results.append(result)
        if not result.passed:
            break
    site.fences = tuple(results)
    return site


def _fences(site: Site, question: Asked) -> Iterator[FenceResult]:
    demand, node = question.demand, site.node
    yield _result(Fence.ACTIVE, node.active, "in use", "in use" if node.active else "switched off")
    excluded = node.id in demand.excluded_nodes
    yield _result(
        Fence.NOT_EXCLUDED, not excluded, "has not failed this order", "has failed it" if excluded else "has not"
    )
    if demand.shipping_method is ShippingMethod.PICKUP:
        yield _hands_out(node, demand)
        yield _costs_compare(node, question.rules)
    else:
        yield _ships_to(node, demand.country)
        yield _near_enough(site, question.rules)
        yield _costs_compare(node, question.rules)
        yield _service(site, question)
    held = sum(site.stock)
    yield _result(Fence.STOCK, held > 0, "at least 1 unit", _units(held))
    yield _capacity(site, question)


def _hands_out(node: Node, demand: Demand) -> FenceResult:
    expected = f"the customer collects at {demand.pickup_node}"
    if node.id != demand.pickup_node:
        return _result(Fence.PICKUP, False, expected, f"this is {node.id}")
    return _result(Fence.PICKUP, node.pickup, expected, "hands out" if node.pickup else "does not hand out")


def _ships_to(node: Node, country: str) -> FenceResult:
    where = ", ".join(node.ships_to) or "everywhere"
    return _result(Fence.SHIPS_TO_COUNTRY, not node.ships_to or country in node.ships_to, f"ships to {country}", where)


def _near_enough(site: Site, rules: Rules) -> FenceResult:
    limit, distance = by_kind(rules.fences.maximum_distance_km, site.node.kind), site.distance_km
    if not rules.stands(Fence.WITHIN_DISTANCE):
        limit = None
    expected = "any distance" if limit is None else f"at most {limit} km"
    actual = "distance not known" if distance is None else f"{distance:.0f} km"
    return _result(Fence.WITHIN_DISTANCE, limit is None or distance is None or distance <= limit, expected, actual)


def _costs_compare(node: Node, rules: Rules) -> FenceResult:
    known = rules.worth(node.currency) is not None
    return _result(Fence.CURRENCY, known, f"costs in {rules.currency} or a currency with a rate", node.currency)


def _service(site: Site, question: Asked) -> FenceResult:
    method, country = question.demand.shipping_method, question.demand.country
    expected = f"{method} to {country}"
    if method not in site.node.services:
        return _result(Fence.SERVICE, False, expected, f"offers {', '.join(site.node.services) or 'nothing'}")
    site.lanes = question.lanes_from(site.node.address.country)
    carriers = ", ".join(sorted(lane.carrier for lane in site.lanes))
    return _result(
        Fence.SERVICE, bool(site.lanes), expected, carriers or f"no carrier from {site.node.address.country}"
    )


def _capacity(site: Site, question: Asked) -> FenceResult:
    node, demand, used = site.node, question.demand, question.snapshot.capacity_used
    method = demand.shipping_method

    def is_full(day: date) -> bool:
        most = node.service_capacity.get(method)
        return used.get((node.id, day, ""), 0) >= node.daily_capacity or (
            most is not None and used.get((node.id, day, method), 0) >= most
        )

    if demand.shipping_method is ShippingMethod.PICKUP:
        site.collection = collection_window(node, demand.as_of, is_full)
        site.ship_day = site.collection.ship_day if site.collection else None
    else:
        site.ship_day = ship_day(node, demand.as_of, is_full)
    actual = f"no open day with room for another of {node.daily_capacity}"
    if site.ship_day is not None:
        actual = f"{site.ship_day.day:%a} {site.ship_day.day}"
    return _result(Fence.CAPACITY, site.ship_day is not None, f"room within {DAYS_LOOKED_AHEAD} days", actual)


def _units(count: int) -> str:
    return "none" if count == 0 else "1 unit" if count == 1 else f"{count} units"


@lru_cache(maxsize=10_000)
def _result(fence: Fence, passed: bool, expected: str, actual: str) -> FenceResult:
    return FenceResult(fence=fence, passed=passed, expected=expected, actual=actual)
