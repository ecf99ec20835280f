"""Goods that no node may ever give: every fence is of one kind, and a node without stock is no obstacle."""

from dataclasses import replace

import pytest

from dom.sourcing.planner import plan
from dom.sourcing.planning.ruled_out import LASTING
from dom.sourcing.policy.document import Fence
from tests.worlds.policies import policy, strategy
from tests.worlds.sourcing import LEEDS, LONDON, World, sku

PASSING = {
    Fence.NOT_EXCLUDED,
    Fence.STOCK,
    Fence.KEPT_BACK,
    Fence.PICKING_VALUE,
    Fence.COMPLETE_ONLY,
    Fence.CAPACITY_KEPT,
    Fence.LEAVES_IN_TIME,
    Fence.ARRIVES_IN_TIME,
}


def test_every_fence_is_lasting_or_passing() -> None:
    assert set(Fence) == LASTING | PASSING
    assert not LASTING & PASSING


PLAIN = World(policy=policy())


def ruled_out(world: World, **units: object) -> dict[str, dict[Fence, int]]:
    return plan(world.demand(**units), world.snapshot(), world.policy, 1).ruled_out


@pytest.mark.parametrize("held", [{"A": 0}, {"A": 1}])
def test_stock_that_is_not_there_is_no_obstacle(held: dict[str, int]) -> None:
    assert ruled_out(PLAIN.node("leeds", LEEDS, **held), A=2) == {}


def test_each_node_counts_under_what_rules_it_out() -> None:
    world = PLAIN.node("leeds", LEEDS, A=5, active=False).node("london", LONDON, A=5, ships_to=("FR",))
    assert ruled_out(world, A=1) == {"A": {Fence.ACTIVE: 1, Fence.SHIPS_TO_COUNTRY: 1}}


def test_only_what_is_left_open_is_looked_at() -> None:
    world = PLAIN.node("leeds", LEEDS, A=5, B=5, handles=())
    world = replace(world, skus={**world.skus, "B": sku("B", hazmat=True)})
    assert ruled_out(world, A=1, B=1) == {"B": {Fence.HANDLING: 1}}


def test_a_strategy_that_could_give_it_is_enough() -> None:
    near = strategy("near", maximum_distance_km={"warehouse": 1}, on_none={"then": "next_strategy"})
    world = World(policy=policy(near, strategy("far"))).node("london", LONDON, A=0)
    assert ruled_out(world, A=1) == {}
    alone = World(policy=policy(strategy("near", maximum_distance_km={"warehouse": 1}))).node("london", LONDON, A=0)
    assert ruled_out(alone, A=1) == {"A": {Fence.WITHIN_DISTANCE: 1}}
