"""What holds of every plan under policies and orders nobody thought of: fences stand, no node alone is better."""

from collections.abc import Collection
from datetime import UTC, datetime
from random import Random
from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from dom.network import Node, NodeKind, ShippingMethod
from dom.sourcing.models import Demand, DemandLine, PlannedShipment, Snapshot, SourcingDecision, StockValue
from dom.sourcing.planner import plan
from dom.sourcing.policy.document import Fence, Strategy, TieBreak
from dom.sourcing.policy.kinds import by_kind
from tests.worlds.policies import policy as policy_of
from tests.worlds.policies import strategy as strategy_of
from tests.worlds.sourcing import LEEDS, LONDON, sku
from tests.worlds.sourcing_cases import MONDAY, Case, nodes, tariffs

KINDS = (NodeKind.WAREHOUSE, NodeKind.STORE)
NEEDS = ((), (), (), ("hazmat",), ("cold",))
RELAXABLE = (
    Fence.NETWORK,
    Fence.PLACE,
    Fence.WITHIN_DISTANCE,
    Fence.CARRIER,
    Fence.KEPT_BACK,
    Fence.PICKING_VALUE,
    Fence.COMPLETE_ONLY,
    Fence.CAPACITY_KEPT,
    Fence.LEAVES_IN_TIME,
    Fence.ARRIVES_IN_TIME,
)


def some(draw: st.DrawFn, **fields: Any) -> dict[str, Any]:
    """A value for some of the fields; each is left out as often as it is named."""
    return {name: draw(values) for name, values in fields.items() if draw(st.booleans())}


def per_kind(values: st.SearchStrategy[int]) -> st.SearchStrategy[dict[str, int]]:
    return st.dictionaries(st.sampled_from([*KINDS, "any"]), values, max_size=2)


@st.composite
def fences(draw: st.DrawFn) -> dict[str, Any]:
    """Two fences at most; many together would leave nobody."""
    wanted = {
        "excluded_nodes": st.sampled_from([["n0"], ["n1", "n2"]]),
        "kinds": st.sampled_from([["warehouse"], ["store"]]),
        "excluded_kinds": st.sampled_from([["store"]]),
        "countries": st.sampled_from([["GB"], ["GB", "FR"]]),
        "same_country": st.just(True),
        "maximum_distance_km": per_kind(st.sampled_from([300, 900, 30])),
        "excluded_carriers": st.sampled_from([["two"], ["two"], ["one"]]),
        "keep_back": per_kind(st.integers(0, 2)),
        "minimum_picking_value": per_kind(st.sampled_from([300, 2_000])),
        "complete_only": st.sampled_from([["store"], ["store", "warehouse"]]),
        "capacity_kept_percent": per_kind(st.sampled_from([20, 60])),
        "leaves_within_days": st.sampled_from([1, 2, 0]),
        "arrives_in_time": st.just(True),
    }
    named = draw(st.lists(st.sampled_from(sorted(wanted)), max_size=2, unique=True))
    return {name: draw(wanted[name]) for name in named}


def cost(draw: st.DrawFn) -> dict[str, Any]:
    return some(
        draw,
        freight_weight=st.sampled_from([0.0, 0.7, 2.0]),
        handling_weight=st.sampled_from([0.0, 1.5]),
        packaging_per_shipment=st.integers(0, 90),
        packaging_per_unit=st.integers(0, 20),
        split_penalty=st.sampled_from([0, 60, 900]),
        lateness_per_day=st.sampled_from([0, 300]),
        distance_per_100_km=st.integers(0, 30),
        capacity_balance=st.sampled_from([0, 200]),
        opportunity_weight=st.sampled_from([0.5, 1.0]),
        markdown_weight=st.sampled_from([0.5, 1.0]),
        days_of_supply=st.just({"target_days": 10, "per_unit": 150}),
        carbon=st.just({"per_kg": 12_000, "grams_per_tonne_km": {"standard": 120.0}}),
    )


def split(draw: st.DrawFn, left_over: tuple[str, ...]) -> dict[str, Any]:
    return {
        "left_over": draw(st.sampled_from(left_over)),
        **some(
            draw,
            maximum_shipments=st.integers(1, 4),
            by=st.sampled_from(["line", "unit"]),
            together_by=st.just(["set"]),
            minimum_value=st.sampled_from([500, 4_000]),
            minimum_units=st.integers(1, 3),
        ),
    }


@st.composite
def strategies(draw: st.DrawFn, name: str, left_over: tuple[str, ...], alone: bool) -> Strategy:
    document: dict[str, Any] = {
        "fences": draw(fences()),
        "cost": cost(draw),
        "split": split(draw, left_over),
        "tie_breaks": draw(st.lists(st.sampled_from(TieBreak), max_size=4, unique=True)),
    }
    if not alone:
        relax = st.lists(st.sampled_from(RELAXABLE), max_size=2, unique=True)
        then = ["ship_available", "ship_available", "next_strategy", "backorder", "queue", "cancel"]
        document["on_partial"] = {"relax": draw(relax), "then": draw(st.sampled_from(then))}
        document["on_none"] = {"relax": draw(relax), "then": draw(st.sampled_from(["next_strategy", "backorder"]))}
    return strategy_of(name, **document)


@st.composite
def cases(
    draw: st.DrawFn, left_over: tuple[str, ...] = ("units", "units", "lines", "order"), alone: bool = False
) -> Case:
    """An order of up to four SKUs, up to six nodes, and a policy of up to three strategies (of one, if `alone`)."""
    ids = [f"n{number}" for number in range(draw(st.integers(1, 6).map(lambda n: 7 - n)))]
    network = tuple(
        draw(nodes(node_id)).model_copy(
            update={"kind": draw(st.sampled_from(KINDS)), "handles": draw(st.sampled_from([("hazmat", "cold"), ()]))}
        )
        for node_id in ids
    )
    lines = tuple(
        DemandLine(
            line_id=str(number),
            sku=draw(st.sampled_from("ABCD")),
            quantity=draw(st.integers(1, 4)),
            unit_price=draw(st.integers(50, 3_000)),
        )
        for number in range(draw(st.integers(1, 4)))
    )
    codes = sorted({line.sku for line in lines})
    stock = st.sampled_from([2, 1, 4, 3, 0])
    demand = Demand(
        order_id="web-1",
        channel="web",
        as_of=datetime(2026, 3, 2, 12, tzinfo=UTC),
        country="GB",
        place=draw(st.sampled_from([LEEDS, LONDON, None])),
        shipping_method=ShippingMethod.STANDARD,
        lines=lines,
        requested_by=draw(st.sampled_from([None, datetime(2026, 3, 4, 20, tzinfo=UTC)])),
        excluded_nodes=frozenset(draw(st.sampled_from([(), (), (ids[0],)]))),
        ship_complete=draw(st.integers(0, 9)) == 9,
    )
    values = {
        (node_id, code): StockValue(
            opportunity=draw(st.integers(0, 400)),
            markdown=draw(st.sampled_from([0, 0, 500])),
            daily_demand=draw(st.sampled_from([0.0, 0.5])),
        )
        for node_id in ids
        for code in codes
        if draw(st.booleans())
    }
    snapshot = Snapshot(
        taken_at=demand.as_of,
        nodes=network,
        skus={code: _sku(draw, code) for code in codes},
        available={(node_id, code): draw(stock) for node_id in ids for code in codes},
        capacity_used={(node_id, MONDAY, ""): draw(st.sampled_from([0, 0, 2, 5])) for node_id in ids},
        tariffs=draw(tariffs()),
        values=values,
    )
    count = 1 if alone else draw(st.integers(1, 3))
    drawn = tuple(draw(strategies(f"s{number}", left_over, alone)) for number in range(count))
    return Case(demand, snapshot, policy_of(*drawn))


def _sku(draw: st.DrawFn, code: str) -> Any:
    needs = dict.fromkeys(draw(st.sampled_from(NEEDS)), True)
    attributes = draw(st.sampled_from([{}, {}, {"set": "one"}, {"set": "two"}]))
    grams = draw(st.sampled_from([60, 330, 1_400, 2_900]))
    return sku(code, grams, draw(st.sampled_from([20, 150, 240])), attributes=attributes, **needs)


def given_by(shipment: PlannedShipment) -> dict[str, int]:
    units: dict[str, int] = {}
    for line in shipment.lines:
        units[line.sku] = units.get(line.sku, 0) + line.quantity
    return units


def left(decision: SourcingDecision) -> int:
    return sum(line.quantity for line in decision.unfilled)


class TestUnderAnyPolicy:
    @settings(deadline=None, max_examples=400)
    @given(case=cases(), seed=st.integers(0, 1_000))
    def test_no_fence_is_broken_and_no_order_of_things_matters(self, case: Case, seed: int) -> None:
        decision = case.decided()
        assert plan(case.demand, shuffled(case.snapshot, Random(seed)), case.policy, 1) == decision
        event(f"{len(decision.shipments)} shipments, {decision.outcome}")
        strategy = next((s for s in case.policy.strategies if s.name == decision.strategy), None)
        if not decision.shipments:
            return
        assert strategy is not None
        for shipment in decision.shipments:
            check = _Fences(case, strategy, frozenset(decision.relaxed), case.node(shipment.node_id), shipment)
            check.facts()
            check.will(decision)
        check_split(case, strategy, decision)
        filled = sum(sum(given_by(shipment).values()) for shipment in decision.shipments)
        assert left(decision) + filled == sum(line.quantity for line in case.demand.lines)

    @settings(deadline=None, max_examples=400)
    @given(case=cases(left_over=("units", "order"), alone=True))
    def test_no_node_alone_would_do_better(self, case: Case) -> None:
        decision = case.decided()
        for node in case.snapshot.nodes:
            own = {key: units for key, units in case.snapshot.available.items() if key[0] == node.id}
            single = plan(case.demand, case.snapshot.model_copy(update={"available": own}), case.policy, 1)
            assert left(decision) <= left(single)
            if left(decision) == left(single):
                assert decision.cost <= single.cost


def shuffled(snapshot: Snapshot, random: Random) -> Snapshot:
    """The same world, told in another order."""

    def turned(known: Collection[Any]) -> list[Any]:
        return random.sample(list(known), len(known))

    return snapshot.model_copy(
        update={
            "nodes": tuple(turned(snapshot.nodes)),
            "tariffs": tuple(turned(snapshot.tariffs)),
            "skus": dict(turned(snapshot.skus.items())),
            "available": dict(turned(snapshot.available.items())),
            "capacity_used": dict(turned(snapshot.capacity_used.items())),
            "values": dict(turned(snapshot.values.items())),
        }
    )


class _Fences:
    """One shipment against the fences as the policy's documentation tells them; nothing of the planner's own."""

    def __init__(
        self, case: Case, strategy: Strategy, relaxed: frozenset[Fence], node: Node, shipment: PlannedShipment
    ) -> None:
        self.case, self.node, self.shipment = case, node, shipment
        self.strategy, self.fences = strategy, strategy.fences
        self.relaxed = relaxed
        self.gives = given_by(shipment)

    def facts(self) -> None:
        """What no policy can give up."""
        case, node = self.case, self.node
        assert node.active
        assert node.id not in case.demand.excluded_nodes
        assert not node.ships_to or case.demand.country in node.ships_to
        assert all(units <= case.snapshot.available.get((node.id, code), 0) for code, units in self.gives.items())
        assert all(set(case.snapshot.skus[code].handling) <= set(node.handles) for code in self.gives)
        assert case.snapshot.capacity_used.get((node.id, self.shipment.ship_day, ""), 0) < node.daily_capacity
        assert self.shipment.ship_by >= case.demand.as_of

    def will(self, decision: SourcingDecision) -> None:
        """What the policy wants, as far as it was not given up."""
        case, node, fences = self.case, self.node, self.fences
        if Fence.NETWORK not in self.relaxed:
            assert node.id not in fences.excluded_nodes
            assert not fences.kinds or node.kind in fences.kinds
            assert node.kind not in fences.excluded_kinds
        if Fence.PLACE not in self.relaxed:
            assert not fences.countries or node.address.country in fences.countries
            assert not fences.same_country or node.address.country == case.demand.country
        if Fence.CARRIER not in self.relaxed:
            assert self.shipment.carrier not in fences.excluded_carriers
        if Fence.KEPT_BACK not in self.relaxed:
            kept = by_kind(fences.keep_back, node.kind) or 0
            held = case.snapshot.available
            assert all(units <= held[node.id, code] - kept for code, units in self.gives.items())
        if Fence.PICKING_VALUE not in self.relaxed:
            assert self._value() >= (by_kind(fences.minimum_picking_value, node.kind) or 0)
        if Fence.COMPLETE_ONLY not in self.relaxed and node.kind in fences.complete_only:
            assert len(decision.shipments) == 1
            assert not decision.unfilled or self.strategy.split.left_over == "lines"
        self._times()

    def _times(self) -> None:
        case, node, fences = self.case, self.node, self.fences
        if Fence.WITHIN_DISTANCE not in self.relaxed and case.demand.place is not None:
            limit = by_kind(fences.maximum_distance_km, node.kind)
            candidate = next(c for c in case.decided().candidates if c.node_id == node.id)
            assert limit is None or candidate.distance_km is None or candidate.distance_km <= limit + 0.1
        if Fence.CAPACITY_KEPT not in self.relaxed:
            kept = by_kind(fences.capacity_kept_percent, node.kind) or 0
            used = case.snapshot.capacity_used.get((node.id, self.shipment.ship_day, ""), 0)
            assert used + 1 <= node.daily_capacity * (100 - kept) / 100
        if Fence.LEAVES_IN_TIME not in self.relaxed and fences.leaves_within_days is not None:
            today = case.demand.as_of.astimezone(node.zone).date()
            assert (self.shipment.ship_day - today).days <= fences.leaves_within_days
        wanted = case.demand.requested_by
        if Fence.ARRIVES_IN_TIME not in self.relaxed and fences.arrives_in_time and wanted is not None:
            assert self.shipment.promise.latest <= wanted

    def _value(self) -> float:
        """Of what it gives, a SKU counted at its average price over the lines, rounded to whole minor units."""
        return sum(units * price(self.case, code) for code, units in self.gives.items())


def price(case: Case, code: str) -> int:
    lines = [line for line in case.demand.lines if line.sku == code]
    return round(sum(line.value for line in lines) / sum(line.quantity for line in lines))


def check_split(case: Case, strategy: Strategy, decision: SourcingDecision) -> None:
    split = strategy.split
    gives = [given_by(shipment) for shipment in decision.shipments]
    assert len(gives) <= split.maximum_shipments
    assert len({shipment.node_id for shipment in decision.shipments}) == len(gives)
    if len(gives) > 1:
        assert all(sum(units.values()) >= split.minimum_units for units in gives)
        assert all(sum(n * price(case, code) for code, n in units.items()) >= split.minimum_value for units in gives)
    if split.by == "line":
        assert all(sum(code in units for units in gives) <= 1 for code in case.snapshot.skus)
    if split.together_by:
        for value in ("one", "two"):
            codes = {code for code, each in case.snapshot.skus.items() if each.attributes.get("set") == value}
            assert sum(bool(codes & units.keys()) for units in gives) <= 1
    if decision.unfilled:
        assert not case.demand.ship_complete
        assert split.left_over != "order"
