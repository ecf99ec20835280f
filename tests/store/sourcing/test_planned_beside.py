"""A basket that is hard to plan is planned beside the event loop: nobody else of the process waits for it."""

import asyncio
from time import perf_counter

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.network import ShippingMethod
from dom.sourcing.models import Demand, DemandLine
from dom.sourcing.planner import plan
from services import planning
from services.planning import SnapshotTerms, plan_units
from store.network.reference import ReferenceCache
from tests.worlds import small
from tests.worlds.sourcing import MONDAY_NOON

SECONDS = 0.4
"""How long the slow planner thinks, without a pause in which the loop could run."""


def wanted(lines: int) -> Demand:
    goods = tuple(DemandLine(line_id=str(n), sku="A", quantity=1, unit_price=100) for n in range(lines))
    return Demand(
        order_id="web-hard",
        channel="web",
        country="GB",
        place=None,
        shipping_method=ShippingMethod.STANDARD,
        lines=goods,
        as_of=MONDAY_NOON,
    )


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """The planner as it is, after it has thought for a while."""

    def thinks(*asked: object) -> object:
        until = perf_counter() + SECONDS
        while perf_counter() < until:
            pass
        return plan(*asked)  # type: ignore[arg-type]

    monkeypatch.setattr(planning, "plan", thinks)


async def longest_silence(done: asyncio.Event) -> float:
    """The longest that a heartbeat every few milliseconds was held up."""
    longest, last = 0.0, perf_counter()
    while not done.is_set():
        await asyncio.sleep(0.005)
        longest, last = max(longest, perf_counter() - last), perf_counter()
    return longest


async def held_up(world: AsyncEngine, lines: int) -> float:
    done = asyncio.Event()
    beating = asyncio.create_task(longest_silence(done))
    await asyncio.sleep(0.02)
    async with world.begin() as connection:
        planned = await plan_units(connection, ReferenceCache(), wanted(lines), SnapshotTerms(postal_code="YO1"))
    done.set()
    assert planned.decision.shipments, "it is planned all the same"
    return await beating


async def test_a_hard_basket_holds_nobody_up(world: AsyncEngine, slow: None) -> None:
    assert await held_up(world, planning.HARD // len(small.NODES)) < SECONDS / 2


async def test_the_heartbeat_notices_one_that_is_planned_in_place(world: AsyncEngine, slow: None) -> None:
    assert await held_up(world, 1) > SECONDS / 2
