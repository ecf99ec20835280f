"""After whatever becomes of a fulfilment, the books and the nodes' days agree, and stay as they are."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.orders.status import GAVE_DAY_BACK, FulfilmentStatus
from store import reconcile
from store.reconcile import Trust
from tests.worlds import small
from tests.worlds.advancing import all_of, comes_to, do
from tests.worlds.books import one, rows
from tests.worlds.reoptimising import capture, change, comes, found

S = FulfilmentStatus
WORK = "web-work-F1"
TO_THE_CARRIER = (S.PACKED, S.BOOKED, S.HANDED_OVER)
COLLECTED = {"shipping_method": "pickup", "pickup_node": "st-york"}
DAYS = "SELECT node_id, day, service, used FROM node_days ORDER BY 1, 2, 3"


def steps(*statuses: FulfilmentStatus, **fields: str) -> "Route":
    async def route(engine: AsyncEngine) -> None:
        await capture(engine, small.order("work", A=2, **fields))
        await comes_to(engine, WORK, *statuses)

    return route


async def cancelled(engine: AsyncEngine) -> None:
    await capture(engine, small.order("work", A=2))
    async with engine.begin() as connection:
        await do(connection, "web-work", all_of())


async def recalled(engine: AsyncEngine) -> None:
    await capture(engine, small.order("work", RARE=5))
    await comes(engine, "dc-leeds", "RARE", 3)
    (joint,), known = await found(engine)
    await change(engine, joint, known)


Route = Callable[[AsyncEngine], Awaitable[None]]
ROUTES: dict[FulfilmentStatus, Route] = {
    S.RELEASED: steps(),
    S.ACCEPTED: steps(S.ACCEPTED),
    S.PICKED: steps(S.PICKED),
    S.PACKED: steps(S.PACKED),
    S.BOOKED: steps(S.PACKED, S.BOOKED),
    S.READY: steps(S.READY, **COLLECTED),
    S.HANDED_OVER: steps(*TO_THE_CARRIER),
    S.DELIVERED: steps(*TO_THE_CARRIER, S.DELIVERED),
    S.COLLECTED: steps(S.READY, S.COLLECTED, **COLLECTED),
    S.REJECTED: steps(S.REJECTED),
    S.CANCELLED: cancelled,
    S.LOST: steps(*TO_THE_CARRIER, S.LOST),
    S.RETURNED: steps(*TO_THE_CARRIER, S.RETURNED),
    S.RECALLED: recalled,
}


@pytest.mark.parametrize("status", FulfilmentStatus)
class TestEveryStatus:
    async def test_reconciles_and_a_repair_changes_nothing(self, world: AsyncEngine, status: FulfilmentStatus) -> None:
        await ROUTES[status](world)
        assert await one(world, "SELECT status FROM fulfilments WHERE id = :id", id=WORK) == status
        findings = await reconcile.find(world, trust=Trust.LEDGER)
        assert [(each.fault.value, str(each.subject), each.detail) for each in findings.listed] == []
        before = await rows(world, DAYS)
        await reconcile.repair(world, actor="ada", trust=Trust.LEDGER, now=datetime.now(UTC))
        assert await rows(world, DAYS) == before

    async def test_keeps_its_place_in_the_nodes_day_or_gave_it_back(
        self, world: AsyncEngine, status: FulfilmentStatus
    ) -> None:
        await ROUTES[status](world)
        query = """SELECT used FROM node_days d JOIN fulfilments f ON f.node_id = d.node_id AND f.ship_day = d.day
                   WHERE f.id = :id AND service = ''"""
        others = 1 if status is S.RECALLED else 0  # what took its place works on the same day
        assert await one(world, query, id=WORK) == (0 if status in GAVE_DAY_BACK else 1) + others
