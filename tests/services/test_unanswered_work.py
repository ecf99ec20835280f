"""Work that a node does not accept in time goes to another one, as the policy says; at last a person hears."""

from datetime import datetime, timedelta
from typing import Final

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.delivery.promise import open_for
from dom.orders.commands import PlaceHold
from dom.orders.holds import BlockedStep
from dom.orders.order import Order
from dom.orders.status import FulfilmentStatus, SourcingCause
from dom.shared import ids
from dom.sourcing.policy.answers import Acceptance
from dom.sourcing.policy.document import FailedNodes
from dom.sourcing.sourced import SourceAgain
from services import unanswered_work
from services.change_orders import Writing
from services.database import Database
from services.sourcing_again import source_again
from tests.worlds import small
from tests.worlds.advancing import comes_to, do
from tests.worlds.books import check_books, one, rows
from tests.worlds.captured import accept
from tests.worlds.sourcing import MONDAY_NOON

NOTIFY: Final = Writing(webhook=False, notify=True)
HALF_AN_HOUR: Final = Acceptance(within_minutes={"any": 30}, at_most=2)
SECOND: Final = timedelta(seconds=1)
EXCEPTIONS: Final = "SELECT kind, status, data->>'fulfilment_id' FROM exceptions ORDER BY id"


async def captured(world: AsyncEngine) -> Order:
    """An order of today, not replayed."""
    order = small.order("unanswered", A=2, tags=[])
    await accept(Database(world), order)
    return order


async def over(world: AsyncEngine, order: Order, number: int = 1, minutes: int = 30) -> datetime:
    """When the node has been open for the minutes since the work was released to it."""
    found = "SELECT node_id, released_at FROM fulfilments WHERE id = :id"
    [(node_id, released_at)] = await rows(world, found, id=ids.fulfilment_id(order.order_id, number))
    moment = open_for(next(node for node in small.NODES if node.id == node_id), released_at, minutes)
    assert moment is not None
    return moment


async def look(world: AsyncEngine, now: datetime, acceptance: Acceptance = HALF_AN_HOUR) -> int:
    return await unanswered_work.look(world, acceptance, now, NOTIFY)


async def sourced_again(world: AsyncEngine, order: Order, attempt: int) -> None:
    asked = SourceAgain(
        order_id=order.order_id,
        attempt=attempt,
        cause=SourcingCause.REJECTED,
        as_of=order.placed_at,
        failed_nodes=FailedNodes.NEVER,
    )
    await source_again(Database(world), asked)


class TestTime:
    async def test_it_is_taken_when_the_time_is_over_and_not_before(self, world: AsyncEngine) -> None:
        order = await captured(world)
        moment = await over(world, order)
        assert await look(world, moment - SECOND) == 0
        assert await look(world, moment) == 1
        assert await rows(world, "SELECT status, reason FROM fulfilments") == [
            ("rejected", "not accepted within 30 minutes")
        ]
        assert await one(world, "SELECT actor FROM timeline WHERE kind = 'fulfilment_rejected'") == "system:timeout"
        assert await one(world, "SELECT count(*) FROM outbox WHERE kind = 'order_changed'") == 1
        assert await look(world, moment) == 0
        await check_books(world)

    async def test_the_node_failed_and_another_one_gets_the_work(self, world: AsyncEngine) -> None:
        order = await captured(world)
        first = await one(world, "SELECT node_id FROM fulfilments")
        await look(world, await over(world, order))
        await sourced_again(world, order, 2)
        assert await one(world, "SELECT node_id FROM fulfilments WHERE status = 'released'") != first

    async def test_a_kind_that_is_not_named_has_all_the_time(self, world: AsyncEngine) -> None:
        order = await captured(world)
        stores = Acceptance(within_minutes={"store": 30})
        assert await look(world, await over(world, order), stores) == 0

    @pytest.mark.parametrize("minutes", [{}, {"any": 0}])
    async def test_no_time_is_not_the_same_as_no_limit(self, world: AsyncEngine, minutes: dict[str, int]) -> None:
        order = await captured(world)
        acceptance = Acceptance.model_validate({"within_minutes": minutes})
        assert await look(world, await over(world, order, minutes=0), acceptance) == len(minutes)


class TestLeftAlone:
    async def test_what_the_node_accepted(self, world: AsyncEngine) -> None:
        order = await captured(world)
        await comes_to(world, ids.fulfilment_id(order.order_id, 1), FulfilmentStatus.ACCEPTED)
        assert await look(world, await over(world, order)) == 0

    async def test_what_a_hold_keeps_from_the_node(self, world: AsyncEngine) -> None:
        order = await captured(world)
        blocks = frozenset({BlockedStep.RELEASE})
        async with world.begin() as connection:
            await do(connection, order.order_id, PlaceHold(type="manual", blocks=blocks, actor="sue", at=MONDAY_NOON))
        assert await look(world, await over(world, order)) == 0

    async def test_replayed_orders(self, world: AsyncEngine) -> None:
        await accept(Database(world, replaying=True), small.order("unanswered-replay", A=2))
        assert await look(world, MONDAY_NOON + timedelta(days=9)) == 0


class TestPerson:
    async def test_hears_when_it_happened_too_often_until_the_work_is_accepted(self, world: AsyncEngine) -> None:
        order = await captured(world)
        for number in (1, 2):
            assert await look(world, await over(world, order, number)) == 1
            await sourced_again(world, order, number + 1)
        third = ids.fulfilment_id(order.order_id, 3)
        moment = await over(world, order, 3)
        assert await look(world, moment) == 0
        assert await rows(world, EXCEPTIONS) == [("not_accepted", "open", third)]
        assert await look(world, moment) == 0
        await comes_to(world, third, FulfilmentStatus.ACCEPTED)
        await look(world, moment)
        assert await rows(world, EXCEPTIONS) == [("not_accepted", "closed", third)]
