"""Which nodes may ever give a SKU to a place is what the planner does with an order of one unit."""

from datetime import time
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dom.network import Handling, ShippingMethod, Sku
from dom.sourcing.models import SourcingDecision
from dom.sourcing.planner import plan
from dom.sourcing.planning.earliest import asked_for
from dom.sourcing.policy.document import Policy
from dom.sourcing.servable import NO_RULES, Servable
from tests.worlds.policies import policy, strategy
from tests.worlds.sourcing import ATHENS, LEEDS, LONDON, MONDAY_NOON, PARIS, World, sku, tariff

PLACES = {"near": (LEEDS, "GB"), "south": (LONDON, "GB"), "paris": (PARIS, "FR"), "athens": (ATHENS, "GR")}
SHIPPED = (ShippingMethod.ECONOMY, ShippingMethod.STANDARD, ShippingMethod.EXPRESS)
CHANGES: list[dict[str, Any]] = [
    {},
    {"active": False},
    {"ships_to": ("FR",)},
    {"services": (ShippingMethod.EXPRESS,)},
    {"handles": (Handling.COLD,)},
    {"daily_capacity": 0},
    {"cut_off": time(0)},
    {"currency": "USD"},
]
POLICIES: list[Policy] = [
    policy(name="plain"),
    policy(strategy("near", maximum_distance_km={"warehouse": 150}), name="near"),
    policy(strategy("near", maximum_distance_km={"warehouse": 150}, on_none={"relax": ["within_distance"]})),
    policy(strategy("small", grams_below=1_000, countries=["FR"], on_none={"then": "next_strategy"}), strategy("any")),
    policy(strategy("small", grams_below=1_000, nodes=["near"]), strategy("any", excluded_nodes=["near"])),
    policy(strategy("dear", value_at_least=5_000, nodes=["paris"]), strategy("cheap", value_below=5_000)),
    policy(strategy("cold-only", handling=["cold"])),
    policy(strategy("shop", channels=["shop"]), strategy("quick", services=["express"])),
]


def servable(world: World, country: str = "GB", channel: str | None = "web") -> Servable:
    demands = asked_for(world.policy, country=country, place=LEEDS, as_of=MONDAY_NOON, channel=channel or "")
    return Servable(world.snapshot(), world.policy, demands, any_channel=channel is None)


def decided(world: World, goods: Sku, method: ShippingMethod, country: str, *holders: str) -> SourcingDecision:
    """The plan for one unit if these nodes alone had it."""
    only = World(
        world.nodes, {goods.id: goods}, {(node, goods.id): 1 for node in holders}, {}, world.tariffs, world.policy
    )
    demand = only.demand(**{goods.id: 1}, shipping_method=method, country=country)
    line = demand.lines[0].model_copy(update={"unit_price": goods.list_price})
    return plan(demand.model_copy(update={"lines": (line,)}), only.snapshot(), only.policy, 1)


@given(
    nodes=st.dictionaries(st.sampled_from(sorted(PLACES)), st.sampled_from(CHANGES), min_size=1),
    goods=st.builds(
        lambda grams, side, price, needs: sku("A", grams, side, list_price=price, **dict.fromkeys(needs, True)),
        st.sampled_from([100, 4_000, 9_000, 30_000]),
        st.sampled_from([50, 400]),
        st.sampled_from([100, 9_000]),
        st.sets(st.sampled_from(["hazmat", "cold"])),
    ),
    rules=st.sampled_from(POLICIES),
    country=st.sampled_from(["GB", "FR", "NO"]),
)
def test_a_node_is_able_if_the_planner_would_ever_use_it(
    nodes: dict[str, dict[str, Any]], goods: Sku, rules: Policy, country: str
) -> None:
    world = World(policy=rules).carried_by(tariff(max_parcel=5_000), tariff("heavy", factor=3))
    for name, changes in sorted(nodes.items()):
        world = world.node(name, *PLACES[name], **changes)
    asked = servable(world, country)
    found = asked.nodes(goods)
    sourced = frozenset(
        name for name in nodes for method in SHIPPED if not decided(world, goods, method, country, name).unfilled
    )
    assert found == sourced
    never = all(decided(world, goods, method, country).cannot_be_sourced for method in SHIPPED)
    assert never is (not found)
    if never:
        why = asked.why_none(goods)
        assert why == NO_RULES or why.startswith(f"No place can send A to {country}, whatever it holds: ")


def test_goods_of_one_kind_are_looked_at_once() -> None:
    asked = servable(World().node("near", LEEDS).node("south", LONDON))
    assert asked.nodes(sku("A")) == asked.nodes(sku("B", 500, 60)) == frozenset({"near", "south"})
    assert len(asked._known) == 1
    assert asked.nodes(sku("C", 25_000)) == frozenset()
    assert asked.why_none(sku("C", 25_000)) == (
        "No place can send C to GB, whatever it holds: 2 have no carrier that takes a thing so heavy or large."
    )
    assert asked.why_none(sku("C", 25_000), "near") == (
        "Near can never send C to GB: it has no carrier that takes a thing so heavy or large."
    )
    assert asked.why_none(sku("C", 25_000), "nowhere") == ""


def test_rules_for_channels_say_nothing_where_no_channel_is_named() -> None:
    world = World(policy=policy(strategy("shop", channels=["shop"]))).node("near", LEEDS)
    assert servable(world, channel=None).nodes(sku("A")) is None
    assert servable(world, channel="web").nodes(sku("A")) == frozenset()
    assert servable(world, channel="web").why_none(sku("A")) == NO_RULES
    assert servable(world, channel="shop").nodes(sku("A")) == frozenset({"near"})


def test_a_day_that_is_full_is_no_obstacle_for_good() -> None:
    world = World().node("near", LEEDS)
    full = world.full("near", *[MONDAY_NOON.date().replace(day=day) for day in range(2, 32)])
    assert servable(full).nodes(sku("A")) == frozenset({"near"})
