"""What a side of a rehearsal comes to: cost, splits, distance, days, what is late or unfilled, and load."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from pydantic import Field

from dom.network import ShippingMethod
from dom.shared.base import Value
from dom.sourcing.models import CostTerm, Demand
from dom.sourcing.rehearsal.allocation import OrderAllocation, Parcel

_DAY: Final = timedelta(days=1)
NO_STRATEGY: Final = "(none matched)"

Side = Sequence[tuple[Demand, OrderAllocation]]
"""Orders with where their units stand on one side."""


class Figures(Value):
    """The figures of one side, or of a part of it. Amounts are minor units.

    `cost` and `terms` are at the side's own prices. At the baseline's are `weighed` (everything) and `money` (freight,
    handling, packaging: what is paid to somebody): both over the same orders on either side, those whose every shipment
    has such a price on both.
    """

    orders: int = 0
    orders_planned: int = Field(default=0, description="with at least one shipment")
    orders_split: int = Field(default=0, description="with more than one")
    split_rate: float = Field(default=0.0, description="split orders of planned ones")
    shipments: int = 0
    shipments_per_order: float = 0.0
    units: int = Field(default=0, description="planned at nodes")
    units_unfilled: int = Field(default=0, description="that wait at the end")
    units_cancelled: int = 0
    cost: int = 0
    terms: dict[CostTerm, int] = Field(default={}, description="cost by term")
    terms_weighed: dict[CostTerm, int] = Field(default={}, description="`weighed` by term")
    money: int = Field(default=0, description="freight, handling and packaging of the orders that are compared")
    weighed: int = Field(default=0, description="all cost terms of the orders that are compared")
    units_priced: int = Field(default=0, description="planned units of the orders that are compared")
    orders_not_priced: int = Field(
        default=0,
        description="left out of `money` and `weighed` on both sides: one of them has a shipment without a price",
    )
    unpriced: int = Field(default=0, description="shipments of this side that the baseline's policy cannot price")
    distance_km: float | None = Field(default=None, description="mean of the shipments from nodes to known places")
    promised_days: float | None = Field(default=None, description="mean, from order to the promised last arrival")
    promised_days_p90: float | None = None
    orders_with_a_date: int = Field(default=0, description="whose customer named one")
    orders_late: int = Field(default=0, description="of those: promised later, or not planned whole")


class NodeLoad(Value):
    """What a node has to do: fulfilments, units, and its fullest day against what it can do in one."""

    node_id: str
    name: str = ""
    fulfilments: int = 0
    units: int = 0
    peak: int = Field(default=0, description="fulfilments of these orders on the fullest day")
    peak_day: date | None = None
    capacity: int = Field(default=0, description="fulfilments a day")


def figures(side: Side, not_priced: Collection[str] = ()) -> Figures:
    """The figures of the orders; those named are left out of what is compared in money."""
    total = _Total(not_priced)
    for demand, allocation in side:
        total.add(demand, allocation)
    return total.figures()


def grouped(
    side: Side, key: Callable[[Demand, OrderAllocation], str], not_priced: Collection[str] = ()
) -> dict[str, Figures]:
    """The figures of each group, by its name."""
    groups: defaultdict[str, list[tuple[Demand, OrderAllocation]]] = defaultdict(list)
    for demand, allocation in side:
        groups[key(demand, allocation)].append((demand, allocation))
    return {name: figures(groups[name], not_priced) for name in sorted(groups)}


def of_channel(demand: Demand, _: OrderAllocation) -> str:
    """The order's channel."""
    return demand.channel


def of_strategy(_: Demand, allocation: OrderAllocation) -> str:
    """The strategy that planned the order last."""
    return allocation.strategy or NO_STRATEGY


def loads(allocations: Iterable[OrderAllocation], nodes: Mapping[str, tuple[str, int]]) -> tuple[NodeLoad, ...]:
    """The load of every node that has any, by node id; `nodes` are names and daily capacities."""
    fulfilments: Counter[str] = Counter()
    units: Counter[str] = Counter()
    days: defaultdict[str, Counter[date]] = defaultdict(Counter)
    for parcel in (parcel for allocation in allocations for parcel in allocation.parcels if parcel.counts):
        node_id = parcel.shipment.node_id
        fulfilments[node_id] += 1
        units[node_id] += _units(parcel)
        days[node_id][parcel.shipment.ship_day] += 1
    found = []
    for node_id in sorted(fulfilments):
        peak_day, peak = min(days[node_id].items(), key=lambda each: (-each[1], each[0]))
        name, capacity = nodes.get(node_id, ("", 0))
        found.append(
            NodeLoad(
                node_id=node_id,
                name=name,
                fulfilments=fulfilments[node_id],
                units=units[node_id],
                peak=peak,
                peak_day=peak_day,
                capacity=capacity,
            )
        )
    return tuple(found)


class _Total:
    def __init__(self, not_priced: Collection[str]) -> None:
        self.not_priced = not_priced
        self.count: Counter[str] = Counter()
        self.terms: Counter[CostTerm] = Counter()
        self.weighed: Counter[CostTerm] = Counter()
        self.distances: list[float] = []
        self.days: list[float] = []

    def add(self, demand: Demand, allocation: OrderAllocation) -> None:
        parcels = [parcel for parcel in allocation.parcels if parcel.counts]
        count = self.count
        count["orders"] += 1
        count["planned"] += bool(parcels)
        count["split"] += len(parcels) > 1
        count["unfilled"] += allocation.waiting.total()
        count["cancelled"] += allocation.cancelled.total()
        compared = demand.order_id not in self.not_priced
        count["not_priced"] += not compared
        for parcel in parcels:
            self._add_parcel(parcel, compared)
        arrival = max((_arrival(parcel) for parcel in parcels), default=None)
        if arrival is not None:
            self.days.append((arrival - demand.as_of) / _DAY)
        if demand.requested_by is not None:
            count["dated"] += 1
            count["late"] += bool(allocation.waiting) or (arrival is not None and arrival > demand.requested_by)

    def _add_parcel(self, parcel: Parcel, compared: bool) -> None:
        count = self.count
        count["shipments"] += 1
        count["units"] += _units(parcel)
        self.terms.update(parcel.prices.own)
        if parcel.prices.at_baseline is None:
            count["unpriced"] += 1
        elif compared:
            self.weighed.update(parcel.prices.at_baseline)
            count["money"] += parcel.prices.money or 0
            count["units_priced"] += _units(parcel)
        if parcel.distance_km is not None and parcel.shipment.service is not ShippingMethod.PICKUP:
            self.distances.append(parcel.distance_km)

    def figures(self) -> Figures:
        count, days = self.count, sorted(self.days)
        return Figures(
            orders=count["orders"],
            orders_planned=count["planned"],
            orders_split=count["split"],
            split_rate=_ratio(count["split"], count["planned"]),
            shipments=count["shipments"],
            shipments_per_order=_ratio(count["shipments"], count["planned"]),
            units=count["units"],
            units_unfilled=count["unfilled"],
            units_cancelled=count["cancelled"],
            cost=self.terms.total(),
            terms={term: self.terms[term] for term in CostTerm if self.terms[term]},
            terms_weighed={term: self.weighed[term] for term in CostTerm if self.weighed[term]},
            money=count["money"],
            weighed=self.weighed.total(),
            units_priced=count["units_priced"],
            orders_not_priced=count["not_priced"],
            unpriced=count["unpriced"],
            distance_km=_mean(self.distances),
            promised_days=_mean(days),
            promised_days_p90=round(days[min(len(days) - 1, len(days) * 9 // 10)], 2) if days else None,
            orders_with_a_date=count["dated"],
            orders_late=count["late"],
        )


def _arrival(parcel: Parcel) -> datetime:
    """When the customer has it: the last moment promised, or the first at which it can be collected."""
    promise = parcel.shipment.promise
    return promise.earliest if parcel.shipment.is_collected else promise.latest


def _units(parcel: Parcel) -> int:
    return parcel.left.total() + parcel.lost


def _ratio(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0


def _mean(numbers: Sequence[float]) -> float | None:
    return round(sum(numbers) / len(numbers), 2) if numbers else None
