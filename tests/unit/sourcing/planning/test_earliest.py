"""Who could give it later."""

from datetime import timedelta

from dom.network import ShippingMethod
from dom.sourcing.planner import plan
from dom.sourcing.planning.earliest import able_later
from tests.worlds.policies import policy
from tests.worlds.sourcing import ATHENS, LEEDS, LONDON, MONDAY, PARIS, World, decide

STANDARD, EXPRESS = ShippingMethod.STANDARD, ShippingMethod.EXPRESS
PLACES = {"near": (LEEDS, "GB"), "south": (LONDON, "GB"), "paris": (PARIS, "FR"), "athens": (ATHENS, "GR")}


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
