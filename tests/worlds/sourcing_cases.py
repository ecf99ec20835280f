"""Orders, worlds and policies drawn at random."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache

from hypothesis import strategies as st

from dom.delivery.tariffs import Tariff, TariffService
from dom.network import Node, ShippingMethod
from dom.sourcing.models import Demand, DemandLine, Snapshot, SourcingDecision
from dom.sourcing.planner import plan
from dom.sourcing.policy.document import Policy
from tests.worlds.policies import policy as policy_of
from tests.worlds.sourcing import ATHENS, COUNTRIES, LEEDS, LONDON, PARIS, YORK, handling, lane, node, sku

PLACES = {"GB": (LEEDS, YORK, LONDON), "FR": (PARIS,), "GR": (ATHENS,)}
MONDAY = date(2026, 3, 2)
SKUS = ("A", "B", "C", "D", "E")


@dataclass(frozen=True)
class Case:
    """An order in a world under a policy."""

    demand: Demand
    snapshot: Snapshot
    policy: Policy

    def decided(self) -> SourcingDecision:
        return plan(self.demand, self.snapshot, self.policy, 1)

    def node(self, node_id: str) -> Node:
        return next(n for n in self.snapshot.nodes if n.id == node_id)


@cache
def rates(carrier: str, prices: tuple[int, ...], divisor: int, days: int) -> Tariff:
    """Rates with five breaks to 8 kg and parcels of at most 6 kg; abroad costs double."""
    limits = (500, 1_000, 2_000, 5_000, 8_000)
    home = tuple(zip(limits, prices, strict=True))
    abroad = tuple((limit, 2 * price) for limit, price in home)
    lanes = [lane((country,), (country,), home, days) for country in COUNTRIES]
    lanes += [lane((c,), tuple(o for o in COUNTRIES if o != c), abroad, days + 1) for c in COUNTRIES]
    service = TariffService(method=ShippingMethod.STANDARD, max_parcel_grams=6_000, lanes=tuple(lanes))
    return Tariff(carrier=carrier, name=carrier, currency="GBP", divisor=divisor, services=(service,))


@st.composite
def tariffs(draw: st.DrawFn) -> tuple[Tariff, ...]:
    found = []
    for carrier in draw(st.sampled_from([("one",), ("one", "two")])):
        prices = tuple(sorted(draw(st.lists(st.integers(100, 900), min_size=5, max_size=5))))
        found.append(rates(carrier, prices, draw(st.sampled_from([4000, 6000])), draw(st.integers(0, 3))))
    return tuple(found)


@st.composite
def nodes(draw: st.DrawFn, node_id: str) -> Node:
    country = draw(st.sampled_from(["GB", "GB", "GB", "FR", "GR"]))
    return node(
        node_id,
        draw(st.sampled_from(PLACES[country])),
        country,
        active=draw(st.integers(0, 9)) < 9,
        ships_to=draw(st.sampled_from([(), (), (), (), ("GB",), ("FR",)])),
        daily_capacity=draw(st.sampled_from([5, 5, 5, 5, 1, 0])),
        handling_cost=handling(draw(st.integers(0, 200)), draw(st.integers(0, 40))),
        priority=draw(st.integers(0, 50)),
    )


@st.composite
def cases(draw: st.DrawFn, most_nodes: int = 4, most_lines: int = 3, most_units: int = 5) -> Case:
    ids = [f"n{number}" for number in range(draw(st.integers(1, most_nodes).map(lambda n: most_nodes + 1 - n)))]
    network = tuple(draw(nodes(node_id)) for node_id in ids)
    lines = tuple(
        DemandLine(line_id=str(number), sku=draw(st.sampled_from(SKUS[:most_lines])), quantity=units)
        for number, units in enumerate(draw(st.lists(st.integers(1, most_units), min_size=1, max_size=most_lines)))
    )
    wanted = sorted({line.sku for line in lines})
    grams = st.sampled_from([60, 150, 330, 700, 1_400, 2_900])
    catalogue = {code: sku(code, draw(grams), draw(st.sampled_from([20, 60, 150, 240]))) for code in wanted}
    stock = st.sampled_from([2, 3, 1, 5, 10, 0, 0])
    demand = Demand(
        order_id="web-1",
        channel="web",
        as_of=datetime(2026, 3, 2, 12, tzinfo=UTC),
        country="GB",
        place=draw(st.sampled_from([LEEDS, LONDON, None])),
        shipping_method=ShippingMethod.STANDARD,
        lines=lines,
        requested_by=draw(st.sampled_from([None, None, datetime(2026, 3, 4, 20, tzinfo=UTC)])),
        excluded_nodes=frozenset(draw(st.sampled_from([(), (), (), (ids[0],)]))),
    )
    snapshot = Snapshot(
        taken_at=demand.as_of,
        nodes=network,
        skus=catalogue,
        available={(node_id, code): draw(stock) for node_id in ids for code in wanted},
        capacity_used={(node_id, MONDAY, ""): draw(st.sampled_from([0, 0, 1, 5])) for node_id in ids},
        tariffs=draw(tariffs()),
    )
    policy = policy_of(
        name="drawn",
        maximum_shipments=draw(st.sampled_from([3, 4, 2, 1])),
        split_penalty=draw(st.sampled_from([0, 0, 50, 250])),
        lateness_per_day=draw(st.sampled_from([0, 150])),
        distance_per_100_km=draw(st.sampled_from([0, 10])),
        priority_weight=draw(st.sampled_from([0, 3])),
    )
    return Case(demand, snapshot, policy)
