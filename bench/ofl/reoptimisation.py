"""Re-optimisation over a day on which orders are placed faster than they are released.

Orders of one to five SKUs come in one by one and are planned at once, on what the orders before them left. They stand
in a queue before their nodes see them; each time the queue is full it is swept, and its older part is released. Counted
are shipments: a plan made in ignorance of later orders ships more parcels than need be. How many fewer could have been
shipped is told by a MIP of the whole day with hindsight (its bound, where it is not solved to the end).

P. J. Xu, R. Allgor and S. C. Graves, "Benefits of Reevaluating Real-Time Order Fulfillment Decisions", M&SOM 11 (2009),
report that 40 to 50 % of the extra shipments are recovered.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from math import ceil
from random import Random
from statistics import mean
from time import perf_counter
from typing import Any, Final, NamedTuple

from dom.delivery.tariffs import Break, Lane, Tariff, TariffService
from dom.network import HandlingCost, Node, NodeAddress, NodeKind, ShippingMethod, Sku
from dom.sourcing.models import Demand, DemandLine, Place, Snapshot, SourcingDecision
from dom.sourcing.planner import plan
from dom.sourcing.policy.document import Costs, Policy, Splitting, Strategy
from dom.sourcing.policy.stock_terms import Reoptimisation
from dom.sourcing.reoptimisation import Held, Unbegun, sweep
from dom.sourcing.reoptimisation.models import Balance, taken

AS_OF: Final = datetime(2026, 3, 2, 8, tzinfo=UTC)
POLICY: Final = Policy(
    name="re-optimisation",
    strategies=(Strategy(name="everything", cost=Costs(split_penalty=150), split=Splitting(maximum_shipments=5)),),
    reoptimisation=Reoptimisation(hold_minutes=240, save_at_least=50),
)
SITES: Final = ((51.5, -0.1), (53.8, -1.5), (52.5, -1.9), (55.9, -3.2), (51.5, -2.6), (53.4, -3.0), (54.6, -1.2))
"""Seven warehouses, by latitude and longitude."""
SHARE_OF_LINES: Final = ((1, 25), (2, 35), (3, 25), (4, 10), (5, 5))
"""Lines of an order, and how many orders of a hundred have so many."""


class Row(NamedTuple):
    """One seed's day. Shipments: planned one by one, with re-optimisations, and with hindsight (at least)."""

    seed: int
    orders: int
    queue: int
    """Orders that stand in the queue when it is swept; the older half of them is released then."""
    one_by_one: int
    looked_at_again: int
    hindsight: int
    cost_saved_percent: float
    changed: int
    late: int
    seconds: float

    @property
    def recovered(self) -> float:
        """The share of avoidable shipments that was avoided."""
        avoidable = self.one_by_one - self.hindsight
        return (self.one_by_one - self.looked_at_again) / avoidable if avoidable else 1.0


@dataclass(frozen=True, slots=True)
class Day:
    """What a day is made of: the world in the morning, and its orders in sequence."""

    world: Snapshot
    demands: tuple[Demand, ...]


def measure(quick: bool = False) -> list[Row]:
    """Rows for each seed: a queue of two and of three fifths of the day's orders."""
    orders = 120 if quick else 240
    queues = (orders * 2 // 5, orders * 3 // 5)
    return [row for seed in range(1, 3 if quick else 6) for row in rows(seed, orders, queues)]


def aims(found: Sequence[Row]) -> Iterable[str]:
    """What the literature reports, and what came out."""
    for share in sorted({row.queue / row.orders for row in found}):
        recovered = [100 * row.recovered for row in found if row.queue / row.orders == share]
        spread = f"{min(recovered):.0f} .. {max(recovered):.0f}"
        yield f"recovered, queue of {share:.0%} of the day: {mean(recovered):.1f} % ({spread}); literature 40 to 50 %"


def rows(seed: int, orders: int, queues: Sequence[int]) -> list[Row]:
    """One seed's day with queues of these lengths."""
    day = drawn(Random(seed), orders)
    plain = _Play(day).run(queue=None)
    least = fewest_shipments(day)
    found = []
    for queue in queues:
        began = perf_counter()
        play = _Play(day).run(queue)
        found.append(
            Row(
                seed=seed,
                orders=orders,
                queue=queue,
                one_by_one=plain.shipments,
                looked_at_again=play.shipments,
                hindsight=least,
                cost_saved_percent=100 * (1 - play.cost / plain.cost),
                changed=len(play.changed),
                late=play.late,
                seconds=perf_counter() - began,
            )
        )
    return found


class _Play:
    """A day as it goes: each order is planned as it comes; when the queue is full it is swept, and its older half goes.

    `late` counts orders that arrive later than they were promised.
    """

    def __init__(self, day: Day) -> None:
        self._day = day
        self._left = Counter(day.world.available)
        self._used: Counter[Any] = Counter()
        self._plans: dict[str, SourcingDecision] = {}
        self._promised: dict[str, datetime] = {}
        self.changed: set[str] = set()

    def run(self, queue: int | None) -> "_Play":
        """Play the day; without a queue nothing is looked at again."""
        waiting: list[Demand] = []
        for demand in self._day.demands:
            self._place(demand)
            waiting.append(demand)
            if len(waiting) == queue:
                self._look(waiting)
                del waiting[: queue // 2]
        if queue is not None:
            self._look(waiting)
        return self

    @property
    def shipments(self) -> int:
        """Parcels of the day."""
        return sum([len(decision.shipments) for decision in self._plans.values()])

    @property
    def cost(self) -> int:
        """Cost of the day in pence."""
        return sum([decision.cost for decision in self._plans.values()])

    @property
    def late(self) -> int:
        """Orders that arrive later than they were promised."""
        return sum([_arrives(decision) > self._promised[order_id] for order_id, decision in self._plans.items()])

    def _place(self, demand: Demand) -> None:
        decision = plan(demand, self._world(), POLICY, 1)
        if decision.unfilled:
            raise ValueError(f"there is not enough for {demand.order_id}")
        self._promised[demand.order_id] = _arrives(decision)
        self._book(demand.order_id, decision)

    def _look(self, waiting: Sequence[Demand]) -> None:
        unbegun = [
            as_unbegun(demand, self._plans[demand.order_id], self._promised[demand.order_id]) for demand in waiting
        ]
        for joint in sweep(unbegun, {"web": self._world()}, POLICY, 1):
            for change in joint.changes:
                self.changed.add(change.order.order_id)
                self._book(change.order.order_id, change.decision)

    def _world(self) -> Snapshot:
        free = {balance: units for balance, units in self._left.items() if units > 0}
        return self._day.world.model_copy(update={"available": free, "capacity_used": dict(self._used)})

    def _book(self, order_id: str, decision: SourcingDecision) -> None:
        """The order takes what was planned for it, and gives back what it had."""
        if order_id in self._plans:
            units, days = taken(self._plans[order_id].shipments)
            self._left.update(units)
            self._used.subtract(days)
        units, days = taken(decision.shipments)
        self._left.subtract(units)
        self._used.update(days)
        self._plans[order_id] = decision


def _arrives(decision: SourcingDecision) -> datetime:
    return max([shipment.promise.latest for shipment in decision.shipments])


def as_unbegun(demand: Demand, decision: SourcingDecision, promised: datetime) -> Unbegun:
    """A planned order that stands in the queue."""
    held = tuple(
        Held(
            f"{demand.order_id}-F{number}",
            shipment.node_id,
            shipment.ship_day,
            shipment.service,
            {line.sku: line.quantity for line in shipment.lines},
        )
        for number, shipment in enumerate(decision.shipments, 1)
    )
    return Unbegun(demand.model_copy(update={"deliver_by": promised}), held)


def drawn(random: Random, orders: int) -> Day:
    """A day of so many orders on seven warehouses; of each SKU there is enough in all, and little in each place."""
    skus = [_sku(number, random) for number in range(max(orders // 3, 20))]
    popularity = [1 / (rank + 5) ** 0.8 for rank in range(len(skus))]
    demands = tuple(_demand(number, random, skus, popularity) for number in range(orders))
    asked: Counter[str] = Counter()
    for demand in demands:
        asked.update({line.sku: line.quantity for line in demand.lines})
    nodes = tuple(_node(number, place) for number, place in enumerate(SITES))
    world = Snapshot(
        taken_at=AS_OF,
        nodes=nodes,
        skus={sku.id: sku for sku in skus},
        available=_stock(random, asked, [node.id for node in nodes]),
        capacity_used={},
        tariffs=(_tariff(),),
    )
    return Day(world, demands)


def _stock(random: Random, asked: Counter[str], nodes: Sequence[str]) -> dict[Balance, int]:
    """Each SKU lies in two to five places; all of them together hold a tenth more than is asked for."""
    held: Counter[Balance] = Counter()
    for sku, units in sorted(asked.items()):
        places = random.sample(nodes, random.randint(2, 5))
        for _ in range(units + max(2, units // 10)):
            held[random.choice(places), sku] += 1
    return dict(held)


def _demand(number: int, random: Random, skus: Sequence[Sku], popularity: Sequence[float]) -> Demand:
    sizes, weights = zip(*SHARE_OF_LINES, strict=True)
    size = random.choices(sizes, weights)[0]
    chosen: dict[str, Sku] = {}
    while len(chosen) < size:
        sku = random.choices(skus, popularity)[0]
        chosen[sku.id] = sku
    return Demand(
        order_id=f"web-{number:04}",
        channel="web",
        as_of=AS_OF,
        country="GB",
        place=Place(latitude=random.uniform(50.8, 56.0), longitude=random.uniform(-4.0, 0.5)),
        shipping_method=ShippingMethod.STANDARD,
        lines=tuple(
            DemandLine(line_id=str(place), sku=sku, quantity=random.choices((1, 2, 3), (80, 15, 5))[0])
            for place, sku in enumerate(chosen, 1)
        ),
    )


def _sku(number: int, random: Random) -> Sku:
    side = random.randint(60, 220)
    return Sku(
        id=f"S{number:03}", weight_grams=random.randint(100, 1500), length_mm=side, width_mm=side, height_mm=side // 2
    )


def _node(number: int, place: tuple[float, float]) -> Node:
    return Node(
        id=f"wh-{number}",
        name=f"Warehouse {number}",
        kind=NodeKind.WAREHOUSE,
        address=NodeAddress(lines=("1 Yard",), city="Town", country="GB"),
        latitude=place[0],
        longitude=place[1],
        time_zone="Europe/London",
        opening_hours="Mo-Sa 06:00-22:00",
        cut_off=time(17),
        daily_capacity=10_000,
        handling_cost=HandlingCost(fixed=60, per_unit=15),
    )


def _tariff() -> Tariff:
    breaks = tuple(Break(*step) for step in ((1_000, 295), (2_000, 365), (5_000, 495), (10_000, 695), (30_000, 1_190)))
    lane = Lane(
        origins=("GB",), destinations=("GB",), zone="home", transit_days_min=1, transit_days_max=2, breaks=breaks
    )
    service = TariffService(method=ShippingMethod.STANDARD, max_parcel_grams=30_000, lanes=(lane,))
    return Tariff(carrier="northline", name="Northline", currency="GBP", divisor=5000, services=(service,))


def fewest_shipments(day: Day, seconds: float = 4.0) -> int:
    """The fewest shipments that could have filled all orders of the day, or the best bound found in the time.

    A parcel y[o, n] for each order and node that holds something of it, and units x[o, l, n] <= asked * y[o, n].
    """
    import highspy

    make_solver: Any = highspy.Highs
    solver = make_solver()
    for name, value in (("output_flag", False), ("threads", 1), ("random_seed", 1), ("time_limit", seconds)):
        solver.setOptionValue(name, value)
    holding: dict[str, list[str]] = {}
    for node, sku in sorted(day.world.available):
        holding.setdefault(sku, []).append(node)
    taking: dict[Balance, list[Any]] = {balance: [] for balance in day.world.available}
    for demand in day.demands:
        nodes = {node for line in demand.lines for node in holding[line.sku]}
        parcels = {node: solver.addBinary(obj=1.0) for node in sorted(nodes)}
        for line in demand.lines:
            given = {node: solver.addVariable(lb=0, ub=line.quantity) for node in holding[line.sku]}
            for node, units in given.items():
                solver.addConstr(units - line.quantity * parcels[node] <= 0)
                taking[node, line.sku].append(units)
            solver.addConstr(sum(given.values()) == line.quantity)
    for balance, units_taken in taking.items():
        if units_taken:
            solver.addConstr(sum(units_taken) <= day.world.available[balance])
    solver.run()
    least: float = solver.getInfo().mip_dual_bound
    return ceil(least - 1e-6)
