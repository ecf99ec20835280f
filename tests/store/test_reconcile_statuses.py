"""After whatever becomes of a fulfilment, the books and the nodes' days agree, and stay as they are."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from activities.boundary import Database
from activities.cancelling import Cancelling, CancelPart, CancelUnits
from activities.fulfilling import AdvanceFulfilment, Fulfilling
from dom.orders.status import GAVE_DAY_BACK, FulfilmentStatus, OrderStatus
from store import reconcile
from store.fulfilment import fulfilments
from store.reconcile import Trust
from tests.unit.worlds import MONDAY_NOON
from tests.worlds import small
from tests.worlds.books import one, rows
from tests.worlds.looks import capture, change, comes, found

S = FulfilmentStatus
WORK = "web-work-F1"
DAYS = "SELECT node_id, day, service, used FROM node_days ORDER BY 1, 2, 3"


async def advance(engine: AsyncEngine, *statuses: FulfilmentStatus, of_order: OrderStatus) -> None:
    fulfilling = Fulfilling(Database(engine=engine))
    for number, status in enumerate(statuses, 1):
        await fulfilling.advance_fulfilment(
            AdvanceFulfilment(
                order_id="web-work",
                fulfilment_id=WORK,
                number=number,
                status=status,
                order_status=of_order,
                lines={"1": 2},
                actor="node",
                occurred_at=MONDAY_NOON,
            )
        )


def steps(*statuses: FulfilmentStatus, of_order: OrderStatus = OrderStatus.IN_FULFILMENT) -> "Route":
    async def route(engine: AsyncEngine) -> None:
        await capture(engine, small.order("work", A=2))
        await advance(engine, *statuses, of_order=of_order)

    return route


async def booked(engine: AsyncEngine) -> None:
    await steps(S.PACKED)(engine)
    async with engine.begin() as connection:
        await fulfilments.mark_booked(connection, WORK)


async def cancelled(engine: AsyncEngine) -> None:
    await capture(engine, small.order("work", A=2))
    await Cancelling(Database(engine=engine)).cancel_units(
        CancelUnits(
            order_id="web-work",
            number=1,
            parts=(CancelPart(line_id="1", quantity=2, fulfilment_id=WORK),),
            ended=(WORK,),
            reopened=(),
            order_status=OrderStatus.CANCELLED,
            actor="support",
            reason="",
            occurred_at=MONDAY_NOON,
        )
    )


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
    S.BOOKED: booked,
    S.READY: steps(S.READY),
    S.HANDED_OVER: steps(S.HANDED_OVER, of_order=OrderStatus.SHIPPED),
    S.DELIVERED: steps(S.HANDED_OVER, S.DELIVERED, of_order=OrderStatus.DELIVERED),
    S.COLLECTED: steps(S.READY, S.COLLECTED, of_order=OrderStatus.DELIVERED),
    S.REJECTED: steps(S.REJECTED, of_order=OrderStatus.BACKORDERED),
    S.CANCELLED: cancelled,
    S.LOST: steps(S.HANDED_OVER, S.LOST, of_order=OrderStatus.BACKORDERED),
    S.RETURNED: steps(S.HANDED_OVER, S.RETURNED, of_order=OrderStatus.CANCELLED),
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
