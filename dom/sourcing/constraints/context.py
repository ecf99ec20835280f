"""The question put to every node: the order, the world, the policy, and what many nodes have in common."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from dom.delivery.parcels import Piece
from dom.delivery.promise import Full, ShipDay, ship_days
from dom.network import Handling, Node, ShippingMethod
from dom.sourcing.constraints.carrier_limits import Carried, any_too_large, carried, unit
from dom.sourcing.constraints.node_index import NodeIndex, NodeUnderStrategy, node_index_for
from dom.sourcing.costs import Offer, PricedLane, no_later, offers_on
from dom.sourcing.models import Demand, Snapshot
from dom.sourcing.policy.document import Fence
from dom.sourcing.policy.strategy import Rules
from dom.sourcing.ship_to_store import StoreDestination, store_destination


class OpenDays:
    """The days on which nodes of one calendar can ship, worked out as far as somebody asks."""

    __slots__ = ("_more", "known")

    def __init__(self, node: Node, as_of: datetime) -> None:
        self.known: list[ShipDay] = []
        self._more = ship_days(node, as_of)

    def first(self, is_full: Full) -> ShipDay | None:
        """The first on which there is capacity left; None if there is none within `DAYS_LOOKED_AHEAD`."""
        for day in self.known:
            if not is_full(day.day):
                return day
        for day in self._more:
            self.known.append(day)
            if not is_full(day.day):
                return day
        return None


@dataclass(frozen=True, slots=True)
class PlanningContext:
    """What every node is measured against: the order, the world and the policy.

    The goods are by SKU, in the order of the codes: units wanted, what a unit is worth (minor units of the policy's
    currency; empty where that is not known) and what it needs of a node. What arrives after `arrive_by` is not planned:
    a promise given, or the date asked for where the policy insists on it. `store` is where other nodes may send what
    the customer collects; None where they may not.
    """

    demand: Demand
    snapshot: Snapshot
    rules: Rules
    node_index: NodeIndex
    skus: tuple[str, ...]
    wanted: tuple[int, ...]
    values: tuple[int, ...]
    needs: tuple[frozenset[Handling], ...]
    any_needs: bool
    units: tuple[Piece | None, ...]
    """One unit of each, as carriers look at it."""
    any_too_large: bool
    """Whether one of them is too heavy or too large for some carrier's service."""
    plain: bool
    """It asks no node for more than stock, distance and capacity."""
    arrive_by: datetime | None
    leaves_within: int | None
    store: StoreDestination | None = None
    _offers: dict[tuple[int, date], tuple[Offer, ...]] = field(default_factory=dict)
    _days: dict[int, OpenDays] = field(default_factory=dict)
    _carried: dict[tuple[int, tuple[int, ...]], Carried] = field(default_factory=dict)

    @property
    def service(self) -> ShippingMethod:
        """The service asked for by which goods travel."""
        return self.demand.shipping_method if self.store is None else self.store.terms.service

    def carried(self, lanes: tuple[PricedLane, ...], given: tuple[int, ...]) -> Carried:
        """Of the lanes those that take what a node can give: so many units of each of the goods."""
        key = (id(lanes), given)  # lanes are the node index's, which is held on to
        found = self._carried.get(key)
        if found is None:
            found = self._carried[key] = carried(lanes, self.units, given, self.service)
        return found

    def offers_on(self, day: date, lanes: tuple[PricedLane, ...]) -> tuple[Offer, ...]:
        """What the lanes promise for goods that leave on a day, as far as that is in time."""
        key = (id(lanes), day)  # lanes are the node index's or `carried`'s, which are held on to
        found = self._offers.get(key)
        if found is None:
            found = self._offers[key] = self.offers_of(day, lanes)
        return found

    def offers_of(self, day: date, lanes: tuple[PricedLane, ...]) -> tuple[Offer, ...]:
        """As `offers_on`, for lanes that nobody holds on to."""
        by = self.arrive_by
        made = no_later(self.offers_at_any_time(day, lanes), self.service)
        return tuple([o for o in made if by is None or o.arrives <= by])

    def offers_at_any_time(self, day: date, lanes: tuple[PricedLane, ...]) -> tuple[Offer, ...]:
        """As `offers_of`, also what comes too late."""
        return offers_on(day, lanes, self.demand, self.rules, self.store)

    def open_days(self, evaluated: NodeUnderStrategy) -> OpenDays:
        """The days on which the node can ship, without regard to its capacity."""
        key = id(evaluated.calendar)
        found = self._days.get(key)
        if found is None:
            found = self._days[key] = OpenDays(evaluated.node, self.demand.as_of)
        return found


def planning_context(demand: Demand, snapshot: Snapshot, rules: Rules, wanted: Mapping[str, int]) -> PlanningContext:
    """The question put to every node, for so many units by SKU; a SKU the catalogue lacks needs nothing special."""
    skus, fences = tuple(wanted), rules.fences
    known = [snapshot.skus.get(sku) for sku in skus]
    needs = tuple([sku.handling if sku is not None else frozenset() for sku in known])
    store = store_destination(demand.shipping_method, demand.pickup_node, snapshot.nodes, rules.policy)
    picked_up = demand.shipping_method is ShippingMethod.PICKUP and store is None
    any_needs = any(needs) and not picked_up
    units = tuple([unit(sku) for sku in known])
    too_large = not picked_up and any_too_large(units, snapshot.tariffs)
    arrive_by = _arrive_by(demand, rules)
    leaves_within = fences.leaves_within_days if rules.stands(Fence.LEAVES_IN_TIME) else None
    return PlanningContext(
        demand=demand,
        snapshot=snapshot,
        rules=rules,
        node_index=node_index_for(demand, snapshot, rules),
        skus=skus,
        wanted=tuple(wanted.values()),
        values=unit_values(demand, skus, rules),
        needs=needs,
        any_needs=any_needs,
        units=units,
        any_too_large=too_large,
        plain=not (picked_up or store or any_needs or too_large or arrive_by or leaves_within is not None),
        arrive_by=arrive_by,
        leaves_within=leaves_within,
        store=store,
    )


def _arrive_by(demand: Demand, rules: Rules) -> datetime | None:
    insists = rules.fences.arrives_in_time and rules.stands(Fence.ARRIVES_IN_TIME)
    limits = (demand.deliver_by, demand.requested_by if insists else None)
    return min([at for at in limits if at is not None], default=None)


def unit_values(demand: Demand, skus: Sequence[str], rules: Rules) -> tuple[int, ...]:
    """What a unit of each SKU was sold for, on average over its lines, in minor units of the policy's currency.

    Empty where the policy has no exchange rate for the order's currency.
    """
    worth = rules.worth(demand.currency)
    if worth is None:
        return ()
    sold: dict[str, int] = dict.fromkeys(skus, 0)
    units: dict[str, int] = dict.fromkeys(skus, 0)
    for line in demand.lines:
        sold[line.sku] += line.value
        units[line.sku] += line.quantity
    return tuple([round(sold[sku] * worth / max(1, units[sku])) for sku in skus])
