"""Which nodes may take part in an order, and the first reason why one may not.

What does not depend on the order was asked in `node_index`. Here follow what the node holds and can handle, then the
calendar, which costs most.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from itertools import chain
from math import ceil

from dom.delivery.promise import DAYS_LOOKED_AHEAD, Collection, ShipDay, collection_window
from dom.network import Node, ShippingMethod
from dom.shared.money import Money
from dom.sourcing.constraints.carrier_limits import refusal
from dom.sourcing.constraints.context import PlanningContext
from dom.sourcing.constraints.node_index import (
    NodeUnderStrategy,
    asked_in_full,
    counted,
    not_failed,
    result,
    stock_held,
)
from dom.sourcing.costs import Offer, PricedLane
from dom.sourcing.models import FenceResult, Snapshot
from dom.sourcing.policy.document import Fence
from dom.sourcing.ship_to_store import StoreDestination


@dataclass(slots=True)
class Site:
    """A node under examination.

    `stock` is what it holds of each SKU, `usable` what of it may be taken for this order: no more than `stock`. `day`
    says when it could do the work, and `offers` what the carriers promise for then.
    """

    evaluated: NodeUnderStrategy
    stock: tuple[int, ...]
    usable: tuple[int, ...]
    distance_km: float | None
    fences: tuple[FenceResult, ...] = ()
    ship_day: ShipDay | None = None
    collection: Collection | None = None
    offers: tuple[Offer, ...] = ()
    carried_by: tuple[PricedLane, ...] | None = None
    """The lanes that take what the node can give, where some do not."""

    @property
    def lanes(self) -> tuple[PricedLane, ...]:
        """By which the node could send what it gives."""
        return self.evaluated.lanes if self.carried_by is None else self.carried_by

    @property
    def node(self) -> Node:
        """The node itself."""
        return self.evaluated.node

    @property
    def eligible(self) -> bool:
        """Whether every fence was passed."""
        return self.fences[-1].passed


def examine(context: PlanningContext) -> list[Site]:
    """Every node of the network by id, with its stock and the fences it was asked, up to the first it failed."""
    held, none = _held(context), (0,) * len(context.skus)
    excluded = context.demand.excluded_nodes
    found = []
    for evaluated, distance in zip(context.node_index.nodes, context.node_index.distances, strict=True):
        stock = held.get(evaluated.node_id, none)
        if stock is none or not evaluated.passed:
            site = Site(evaluated, stock, stock, distance, evaluated.without_stock)
        else:
            site = Site(evaluated, stock, stock, distance)
            _ask(site, context)
        if evaluated.node_id in excluded and evaluated.fences[0].passed:
            site.fences = (evaluated.fences[0], not_failed(False))
        found.append(site)
    return found


def examine_in_full(context: PlanningContext) -> dict[str, tuple[FenceResult, ...]]:
    """All that each node is asked, by its id, also after the first fence it failed; for reading, not for planning."""
    held, none = _held(context), (0,) * len(context.skus)
    found = {}
    for evaluated, distance in zip(context.node_index.nodes, context.node_index.distances, strict=True):
        stock = held.get(evaluated.node_id, none)
        site = Site(evaluated, stock, stock, distance)
        before = asked_in_full(evaluated.node, context.demand, context.snapshot, context.rules)
        found[evaluated.node_id] = (*before, *_asked_of(site, context))
    return found


def examine_with_stock(context: PlanningContext) -> Iterator[tuple[Site, Iterator[FenceResult]]]:
    """Every node as if it held all that is asked for, with what it is asked, one fence after the other."""
    for evaluated, distance in zip(context.node_index.nodes, context.node_index.distances, strict=True):
        site = Site(evaluated, context.wanted, context.wanted, distance)
        yield site, chain(evaluated.fences, _asked_of(site, context) if evaluated.passed else ())


def _held(context: PlanningContext) -> dict[str, tuple[int, ...]]:
    """What each node holds of each SKU, for the nodes that hold any."""
    found: dict[str, list[int]] = {}
    available, skus = context.snapshot.available, context.skus
    if len(available) <= len(context.node_index.nodes) * len(skus):
        place = {sku: index for index, sku in enumerate(skus)}
        for (node_id, sku), units in available.items():
            if units > 0 and sku in place:
                if node_id not in found:
                    found[node_id] = [0] * len(skus)
                found[node_id][place[sku]] = units
        return {node_id: tuple(units) for node_id, units in found.items()}
    for evaluated in context.node_index.nodes:
        node_id = evaluated.node_id
        units_of = [max(0, available.get((node_id, sku), 0)) for sku in skus]
        if any(units_of):
            found[node_id] = units_of
    return {node_id: tuple(units) for node_id, units in found.items()}


def _ask(site: Site, context: PlanningContext) -> None:
    evaluated = site.evaluated
    if evaluated.plain and context.plain:
        _ask_plainly(site, context)
        return
    results = []
    for found in _asked_of(site, context):
        results.append(found)
        if not found.passed:
            break
    site.fences = (*evaluated.fences, *results)


def _ask_plainly(site: Site, context: PlanningContext) -> None:
    """The usual case in one go: stock, distance, capacity."""
    evaluated = site.evaluated
    before = (*evaluated.fences, stock_held(sum(site.stock)))
    if evaluated.furthest_km is not None:
        near = _near_enough(site.distance_km, evaluated.furthest_km)
        before = (*before, near)
        if not near.passed:
            site.fences = before
            return
    found = _capacity(site, context)
    if site.ship_day is not None:
        site.offers = context.offers_on(site.ship_day.day, evaluated.lanes)
    site.fences = (*before, found)


def _asked_of(site: Site, context: PlanningContext) -> Iterator[FenceResult]:
    """The fences that depend on the order, in the order they are asked."""
    evaluated = site.evaluated
    yield stock_held(sum(site.stock))
    yield from _fit_for(site, context)
    if evaluated.kept_back:
        yield _kept_back(site, evaluated.kept_back)
    if evaluated.furthest_km is not None:
        yield _near_enough(site.distance_km, evaluated.furthest_km)
    if evaluated.minimum_value:
        yield _picking_value(site, context, evaluated.minimum_value)
    if evaluated.complete_only:
        yield _complete(site, context)
    yield _capacity(site, context)
    if evaluated.kept_capacity is not None:
        yield _capacity_kept(site, context, evaluated.kept_capacity)
    if context.leaves_within is not None:
        yield _leaves_in_time(site, context, context.leaves_within)
    if site.ship_day is not None and site.lanes:
        site.offers = context.offers_on(site.ship_day.day, site.lanes)
        if context.store is not None and not site.offers and context.arrive_by is None:
            yield _store_never_opens(context.store)
    if context.arrive_by is not None:
        yield _arrives_in_time(site, context, context.arrive_by)


def _fit_for(site: Site, context: PlanningContext) -> Iterator[FenceResult]:
    """Whether the node can pack and send such goods at all."""
    if context.any_needs and site.evaluated.method is not ShippingMethod.PICKUP:
        yield _handling(site, context)
    if context.any_too_large and site.evaluated.lanes:
        yield _carrier_limits(site, context)


def _handling(site: Site, context: PlanningContext) -> FenceResult:
    """A node that cannot pack and send goods has none of them."""
    can = frozenset(site.node.handles)
    site.usable = tuple([units if need <= can else 0 for units, need in zip(site.usable, context.needs, strict=True)])
    needed = sorted({each for need in context.needs for each in need})
    out = [sku for sku, need in zip(context.skus, context.needs, strict=True) if not need <= can]
    actual = f"handles {', '.join(site.node.handles) or 'nothing of the kind'}"
    actual += f", so nothing of {', '.join(out[:3])}{' and others' if len(out) > 3 else ''}" if out else ""  # noqa: PLR2004
    has_some = any(site.usable) or (not any(site.stock) and len(out) < len(context.skus))
    return result(Fence.HANDLING, has_some, f"handles {', '.join(needed)}", actual)


def _carrier_limits(site: Site, context: PlanningContext) -> FenceResult:
    """A node cannot send what no carrier takes from there, and sends what it gives by carriers that take all of it."""
    lanes, held = site.evaluated.lanes, site.usable if any(site.usable) else context.wanted
    left = context.carried(lanes, tuple(map(min, held, context.wanted)))
    site.carried_by = left.lanes
    site.usable = tuple([units if place in left.places else 0 for place, units in enumerate(site.usable)])
    out = [place for place, units in enumerate(held) if units and place not in left.places]
    actual = left.carriers
    if out:
        actual += f": {context.skus[out[0]]} is {refusal(lanes, context.units[out[0]])}"
        actual += " and others are too large" if len(out) > 1 else ""
    return result(Fence.CARRIER_LIMITS, bool(left.lanes), "a carrier that takes the goods", actual)


def _kept_back(site: Site, kept: int) -> FenceResult:
    site.usable = tuple([max(0, units - kept) for units in site.usable])
    return result(
        Fence.KEPT_BACK, any(site.usable), f"keeps {kept} of each SKU back", f"{counted(sum(site.usable))} beyond that"
    )


@lru_cache(maxsize=50_000)
def _near_enough(distance: float | None, limit: int) -> FenceResult:
    actual = "distance not known" if distance is None else f"{distance:.0f} km"
    return result(Fence.WITHIN_DISTANCE, distance is None or distance <= limit, f"at most {limit} km", actual)


def _picking_value(site: Site, context: PlanningContext, minimum: int) -> FenceResult:
    """What the node could give of the order must be worth the while; what cannot be compared plays no part."""
    currency = context.rules.currency
    expected = f"worth at least {Money(amount=minimum, currency=currency)!s}"
    if not context.values:
        actual = f"value not known: the policy has no exchange rate for {context.demand.currency}"
        return result(Fence.PICKING_VALUE, True, expected, actual)
    worth = sum(
        [
            min(units, wanted) * value
            for units, wanted, value in zip(site.usable, context.wanted, context.values, strict=True)
        ]
    )
    return result(Fence.PICKING_VALUE, worth >= minimum, expected, str(Money(amount=worth, currency=currency)))


def _complete(site: Site, context: PlanningContext) -> FenceResult:
    has = sum([min(units, wanted) for units, wanted in zip(site.usable, context.wanted, strict=True)])
    wanted = sum(context.wanted)
    return result(Fence.COMPLETE_ONLY, has == wanted, "all that is asked for", f"{has} of {counted(wanted)}")


def _capacity(site: Site, context: PlanningContext) -> FenceResult:
    node = site.node
    _find_day(site, context, node.daily_capacity)
    if site.ship_day is None:
        actual = f"no open day with room for another of {node.daily_capacity}"
        return result(Fence.CAPACITY, False, f"room within {DAYS_LOOKED_AHEAD} days", actual)
    return _room_on(site.ship_day.day)


@lru_cache(maxsize=1_000)
def _room_on(day: date) -> FenceResult:
    return result(Fence.CAPACITY, True, f"room within {DAYS_LOOKED_AHEAD} days", f"{day:%a} {day}")


def _capacity_kept(site: Site, context: PlanningContext, room: int) -> FenceResult:
    """The day may move to one on which this strategy still has room."""
    _find_day(site, context, room)
    expected = f"takes {room} of {site.node.daily_capacity} a day"
    if site.ship_day is None:
        return result(Fence.CAPACITY_KEPT, False, expected, f"no open day with room within {DAYS_LOOKED_AHEAD} days")
    return result(Fence.CAPACITY_KEPT, True, expected, f"{site.ship_day.day:%a} {site.ship_day.day}")


def _find_day(site: Site, context: PlanningContext, capacity: int) -> None:
    """The first open day on which fewer than so many fulfilment orders are taken, and none of its service too many."""
    evaluated = site.evaluated
    if evaluated.method is ShippingMethod.PICKUP:
        is_full = _fullness(evaluated, capacity, context.snapshot.capacity_used)
        site.collection = collection_window(evaluated.node, context.demand.as_of, is_full)
        site.ship_day = site.collection.ship_day if site.collection else None
    else:
        site.ship_day = _first_day(evaluated, context, capacity)


def _first_day(evaluated: NodeUnderStrategy, context: PlanningContext, capacity: int) -> ShipDay | None:
    """As `dom.delivery.promise.ship_day`, for many nodes that share few calendars."""
    days = context.open_days(evaluated)
    first = days.known[0] if days.known else None
    if first is not None and evaluated.service_capacity is None:
        used = context.snapshot.capacity_used
        if used.get((evaluated.node_id, first.day, ""), 0) < capacity:
            return first
    return days.first(_fullness(evaluated, capacity, context.snapshot.capacity_used))


def _fullness(
    evaluated: NodeUnderStrategy, capacity: int, used: Mapping[tuple[str, date, str], int]
) -> Callable[[date], bool]:
    node_id, most, method = evaluated.node_id, evaluated.service_capacity, evaluated.method

    def is_full(day: date) -> bool:
        return used.get((node_id, day, ""), 0) >= capacity or (
            most is not None and used.get((node_id, day, method), 0) >= most
        )

    return is_full


def _leaves_in_time(site: Site, context: PlanningContext, within: int) -> FenceResult:
    expected = "leaves today" if within == 0 else f"leaves within {within} day{'s' if within > 1 else ''}"
    if site.ship_day is None:
        return result(Fence.LEAVES_IN_TIME, False, expected, "does not leave")
    days = (site.ship_day.day - context.demand.as_of.astimezone(site.node.zone).date()).days
    return result(Fence.LEAVES_IN_TIME, days <= within, expected, f"{site.ship_day.day:%a} {site.ship_day.day}")


def _arrives_in_time(site: Site, context: PlanningContext, by: datetime) -> FenceResult:
    """A pick-up is in time when the goods are ready."""
    expected = f"arrives by {by:%a %d %b %H:%M} UTC"
    if site.collection is not None:
        ready = site.collection.promise.earliest
        return result(Fence.ARRIVES_IN_TIME, ready <= by, expected, f"ready {ready:%a %d %b %H:%M} UTC")
    if site.ship_day is None or not site.lanes:
        return result(Fence.ARRIVES_IN_TIME, False, expected, "does not leave")
    promises = site.offers or context.offers_at_any_time(site.ship_day.day, site.lanes)
    soonest = min([offer.arrives for offer in promises], default=None)
    actual = "nobody delivers" if soonest is None else f"{soonest:%a %d %b %H:%M} UTC at the earliest"
    return result(Fence.ARRIVES_IN_TIME, bool(site.offers), expected, actual)


def _store_never_opens(store: StoreDestination) -> FenceResult:
    expected = f"the customer collects at {store.node.id}"
    return result(Fence.PICKUP, False, expected, f"{store.node.id} does not open within {DAYS_LOOKED_AHEAD} days")


def used_share(site: Site, snapshot: Snapshot) -> float:
    """The part of the node's capacity of the ship day that is taken already, 0 to 1."""
    if site.ship_day is None or not site.node.daily_capacity:
        return 0.0
    used = snapshot.capacity_used.get((site.node.id, site.ship_day.day, ""), 0)
    return min(1.0, used / site.node.daily_capacity)


def days_until(moment: datetime, as_of: datetime) -> int:
    """Days begun from one moment to a later one."""
    return ceil((moment - as_of).total_seconds() / 86_400)
