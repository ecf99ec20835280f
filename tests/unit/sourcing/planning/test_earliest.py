"""The earliest promise by method is the one the planner makes for a unit of the SKU alone."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from dom.network import ShippingMethod
from dom.orders.order import Promise
from dom.sourcing.planner import plan
from dom.sourcing.planning.earliest import able_later
from tests.worlds.policies import policy
from tests.worlds.sourcing import ATHENS, LEEDS, LONDON, MONDAY, PARIS, World, decide, reach, tariff

STANDARD, EXPRESS = ShippingMethod.STANDARD, ShippingMethod.EXPRESS
PLACES = {"near": (LEEDS, "GB"), "south": (LONDON, "GB"), "paris": (PARIS, "FR"), "athens": (ATHENS, "GR")}


def earliest(world: World, *holders: str, code: str = "A") -> dict[ShippingMethod, Promise]:
    found = reach(world)
    return found.earliest(holders, world.skus[code])


def planned(world: World, holder: str, method: ShippingMethod, code: str = "A") -> Promise | None:
    """What the planner promises for one unit, if that node alone had it."""
    only = World(world.nodes, world.skus, {(holder, code): 1}, world.capacity_used, world.tariffs, world.policy)
    return decide(only, only.demand(**{code: 1}, shipping_method=method)).promise


@given(
    nodes=st.sets(st.sampled_from(sorted(PLACES)), min_size=1),
    full=st.lists(st.tuples(st.sampled_from(sorted(PLACES)), st.integers(0, 4))),
    off=st.sets(st.sampled_from(sorted(PLACES))),
    grams=st.sampled_from([100, 900, 4_000, 30_000]),
    slow_and_cheap=st.booleans(),
    limit=st.sampled_from([None, 150, 1000]),
)
def test_it_is_the_best_of_what_the_planner_would_promise(
    nodes: set[str], full: list[tuple[str, int]], off: set[str], grams: int, slow_and_cheap: bool, limit: int | None
) -> None:
    world = World().sku("A", grams)
    for name in sorted(nodes):
        place, country = PLACES[name]
        world = world.node(name, place, country, A=1, active=name not in off)
    for name, ahead in full:
        world = world.full(name, MONDAY + timedelta(days=ahead))
    if slow_and_cheap:
        world = world.carried_by(tariff(), tariff("snail", factor=0.5, days=6, max_parcel=2_000))
    if limit is not None:
        world = world.under(maximum_distance_km={"warehouse": limit})
    expected = {}
    for method in (STANDARD, EXPRESS):
        offers = [planned(world, name, method) for name in nodes]
        made = [promise for promise in offers if promise is not None]
        if made:
            expected[method] = min(made, key=lambda promise: (promise.latest, promise.earliest))
    assert earliest(world, *nodes) == expected


def test_only_the_nodes_that_hold_the_sku_count() -> None:
    world = World().node("near", LEEDS, A=1).node("paris", PARIS, "FR")
    assert earliest(world) == {}
    assert earliest(world, "nobody knows it") == {}
    assert earliest(world, "paris")[STANDARD].latest > earliest(world, "near")[STANDARD].latest
    assert earliest(world, "paris", "near") == earliest(world, "near")


def test_what_a_node_holds_plays_no_part_for_it_was_asked_before() -> None:
    world = World(policy=policy()).node("near", LEEDS).sku("A")
    assert earliest(world, "near").keys() == {STANDARD, EXPRESS}


def test_fences_that_ask_for_stock_or_value_say_nothing_of_one_unit_nobody_named() -> None:
    stock_fences = {"keep_back": {"any": 9}, "minimum_picking_value": {"any": 9}, "complete_only": ["warehouse"]}
    world = World(policy=policy(fences=stock_fences)).node("near", LEEDS, A=1)
    assert earliest(world, "near").keys() == {STANDARD, EXPRESS}


def test_a_network_or_carrier_the_policy_does_not_ask_promises_nothing() -> None:
    world = World().node("near", LEEDS, A=1).node("paris", PARIS, "FR", A=1)
    at_home = World(world.nodes, world.skus, world.available, policy=policy(fences={"same_country": True}))
    assert earliest(at_home, "paris") == {}
    assert earliest(at_home, "near") == earliest(world, "near")
    carried = World(world.nodes, world.skus, world.available, policy=policy(fences={"carriers": ["nobody"]}))
    assert earliest(carried, "near", "paris") == {}


def test_who_could_give_it_later_lacks_only_stock_or_room() -> None:
    fences = {"same_country": True, "keep_back": {"any": 2}, "complete_only": ["warehouse"]}
    world = World(policy=policy(fences=fences)).node("empty", LEEDS, A=0).node("kept", LONDON, A=2)
    world = world.node("paris", PARIS, "FR", A=9).node("off", LEEDS, A=0, active=False).node("full", LEEDS, A=9)
    world = world.full("full", *[MONDAY + timedelta(days=ahead) for ahead in range(60)])
    demand = world.demand(A=1)
    decision = decide(world, demand)
    assert not decision.shipments
    assert able_later(demand, world.snapshot(), world.policy, decision) == {"empty", "kept", "full"}
    nowhere = policy(channels=["edi"])
    assert able_later(demand, world.snapshot(), nowhere, plan(demand, world.snapshot(), nowhere, 1)) == frozenset()
