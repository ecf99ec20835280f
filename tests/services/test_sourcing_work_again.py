"""Work is sourced again with its stock and its place in the day: at once, in one transaction, whatever comes of it."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.network import Substitute
from dom.orders.commands import PlaceHold, SourceWorkAgain, TakeNodeStep
from dom.orders.holds import BlockedStep
from dom.orders.status import FulfilmentStep, SourcingCause
from dom.shared.errors import Conflict, DomError, NotFound, OnHold, StepNotPossible
from dom.sourcing.policy.document import FailedNodes
from dom.sourcing.sourced import SourceAgain
from services import sourcing_work_again
from services.change_orders import OrderChanged, Writing, change_order
from services.database import Database
from services.sourcing_again import source_again
from store.backorders import not_found
from store.backorders.failed_nodes import failed
from store.network import reference
from store.orders import resuming
from tests.worlds import small
from tests.worlds.advancing import do
from tests.worlds.books import balance, check_books, one, rows
from tests.worlds.captured import accept
from tests.worlds.counting import WAITS
from tests.worlds.sourcing import MONDAY_NOON

LOCK = text("SELECT FROM stock WHERE node_id = :node_id AND sku = :sku FOR NO KEY UPDATE")
WORK = "SELECT id, node_id, status FROM fulfilments ORDER BY length(id), id"


@pytest.fixture
def database(world: AsyncEngine) -> Database:
    return Database(engine=world, replaying=True)


async def again(database: Database, number: str, **more: Any) -> OrderChanged:
    told = {"fulfilment_id": f"web-{number}-F1", "actor": "ada", "at": MONDAY_NOON, **more}
    return await sourcing_work_again.source_work_again(database, SourceWorkAgain(**told))


class TestSourced:
    async def test_at_its_own_node_if_that_is_still_the_best(self, database: Database) -> None:
        await accept(database, small.order("1", A=4))
        done = await again(database, "1")
        assert await rows(database.engine, WORK) == [
            ("web-1-F1", "dc-leeds", "recalled"),
            ("web-1-F2", "dc-leeds", "released"),
        ]
        assert await balance(database.engine, "dc-leeds", "A") == (100, 4)
        assert (done.state.waiting, done.repeated) == ({}, False)
        await check_books(database.engine, reserved=4)

    async def test_without_its_node(self, database: Database) -> None:
        await accept(database, small.order("1", A=4))
        done = await again(database, "1", without_node=True, reason="the conveyor stands still")
        async with database.engine.connect() as connection:
            made = await sourcing_work_again.became(connection, done)
            assert "dc-leeds" in (await resuming.sourcings(connection, "web-1")).failed_nodes
            assert await not_found(connection, "web-1") == frozenset()
        assert made.fulfilments == {"web-1-F2": "wh-london"}
        assert await balance(database.engine, "dc-leeds", "A") == (100, 0)
        assert await balance(database.engine, "wh-london", "A") == (50, 4)
        await check_books(database.engine, reserved=4)

    async def test_the_timeline_and_the_decision_say_so(self, database: Database) -> None:
        await accept(database, small.order("1", A=4))
        await again(database, "1", without_node=True, reason="the conveyor stands still")
        told = "SELECT kind, actor, reason FROM timeline ORDER BY id"
        assert await rows(database.engine, told) == [
            ("accepted", "channel:web", ""),
            ("sourced_again", "ada", "the conveyor stands still"),
            ("sourced", "system:ofl", "sourced again by staff"),
        ]
        kept = "SELECT attempt, cause, business_key FROM sourcing_decisions ORDER BY attempt"
        assert (await rows(database.engine, kept))[1:] == [(2, "sourced again by staff", "sourced:2")]
        assert await rows(database.engine, "SELECT kind FROM outbox WHERE medium = 'workflow'") == [("order_changed",)]

    async def test_in_parts(self, database: Database) -> None:
        """No other node has all of it, so that it could not be moved."""
        await accept(database, small.order("1", A=52))
        done = await again(database, "1", without_node=True)
        assert sorted(work.node_id for work in done.state.living) == ["st-york", "wh-london"]
        await check_books(database.engine, reserved=52)

    async def test_what_no_other_node_has_waits_and_is_not_given_back_to_the_node(self, database: Database) -> None:
        await accept(database, small.order("1", A=70))
        done = await again(database, "1", without_node=True)
        assert sum(done.state.waiting.values()) == 15
        assert await rows(database.engine, failed("'web-1'")) == [("dc-leeds", "A", False)]
        told = "SELECT message_key FROM outbox WHERE medium = 'mail' AND kind = 'order_backordered'"
        assert await rows(database.engine, told) == [("sourced:2",)]
        opened = "SELECT kind FROM exceptions WHERE closed_at IS NULL"
        assert await rows(database.engine, opened) == [("backorder",)]
        await check_books(database.engine, reserved=55)

    @pytest.mark.parametrize("said", FailedNodes)
    async def test_nor_when_the_orders_process_hears_of_it(self, database: Database, said: FailedNodes) -> None:
        """It asks on what terms units wait that it did not source: on the same ones."""
        await accept(database, small.order("1", B=3))
        done = await again(database, "1", without_node=True)
        assert done.state.waiting == {"1": 3}
        asks = {"order_id": "web-1", "attempt": 3, "as_of": MONDAY_NOON, "failed_nodes": said}
        answer = await source_again(database, SourceAgain(**asks, cause=SourcingCause.EDITED))
        assert answer.view.waiting == {"1": 3}
        told = "SELECT count(*) FROM outbox WHERE medium = 'mail' AND kind = 'order_backordered'"
        assert await one(database.engine, told) == 1
        later = await source_again(database, SourceAgain(**asks | {"attempt": 4}, cause=SourcingCause.RETRIED))
        assert (later.view.waiting == {}) is (said is not FailedNodes.NEVER)

    async def test_what_waited_already_is_sourced_with_it(self, database: Database) -> None:
        await accept(database, small.order("1", A=4, NEVER=2))
        done = await again(database, "1")
        assert list(done.state.waiting.values()) == [2]
        await check_books(database.engine, reserved=4)


class TestRefused:
    async def test_what_a_node_has_begun(self, database: Database) -> None:
        await accept(database, small.order("1", A=4))
        step = TakeNodeStep(fulfilment_id="web-1-F1", step=FulfilmentStep.ACCEPT, actor="node", at=MONDAY_NOON)
        async with database.engine.begin() as connection:
            await do(connection, "web-1", step)
        with pytest.raises(StepNotPossible, match="accepted"):
            await again(database, "1")
        await check_books(database.engine, reserved=4)

    async def test_while_sourcing_is_on_hold(self, database: Database) -> None:
        await accept(database, small.order("1", A=4))
        hold = PlaceHold(type="manual", blocks=frozenset({BlockedStep.SOURCING}), actor="ada", at=MONDAY_NOON)
        async with database.engine.begin() as connection:
            await do(connection, "web-1", hold)
        with pytest.raises(OnHold):
            await again(database, "1")

    async def test_what_is_collected(self, database: Database) -> None:
        await accept(database, small.order("1", A=1, shipping_method="pickup", pickup_node="st-york"))
        with pytest.raises(StepNotPossible, match="pick-up node"):
            await again(database, "1")

    async def test_what_is_not_there(self, database: Database) -> None:
        await accept(database, small.order("1", A=1))
        for wrong in ("web-1-F9", "web-9-F1"):
            with pytest.raises(NotFound, match=f"there is no fulfilment {wrong}"):
                await again(database, "1", fulfilment_id=wrong)


class TestAtOnce:
    async def test_a_repeat_is_answered_as_before(self, database: Database) -> None:
        await accept(database, small.order("1", A=4))
        asked = {"request": "r1", "request_hash": "h1", "without_node": True}
        done = await asyncio.gather(*(again(database, "1", **asked) for _ in range(4)))
        assert [each.repeated for each in done].count(False) == 1
        assert {each.data["attempt"] for each in done} == {2}
        with pytest.raises(Conflict):
            await again(database, "1", **asked | {"request_hash": "h2"})
        assert len(await rows(database.engine, WORK)) == 2

    async def test_a_node_that_begins_meanwhile(self, database: Database) -> None:
        for number in range(12):
            await accept(database, small.order(f"{number}", A=1))

            async def begins(order_id: str = f"web-{number}") -> object:
                step = FulfilmentStep.ACCEPT
                command = TakeNodeStep(fulfilment_id=f"{order_id}-F1", step=step, actor="node", at=MONDAY_NOON)
                async with database.engine.begin() as connection:
                    return await change_order(connection, order_id, command, Writing(webhook=False))

            done, began = await asyncio.gather(again(database, f"{number}"), begins(), return_exceptions=True)
            assert isinstance(done, DomError) is not isinstance(began, DomError), (done, began)
        await check_books(database.engine, reserved=12)

    async def test_to_and_fro_nobody_waits_for_the_other(self, database: Database) -> None:
        """Half of them go from Leeds to London while the others go back."""
        for number in range(12):
            await accept(database, small.order(f"{number}", A=2))
        for number in range(0, 12, 2):
            await again(database, f"{number}", without_node=True)
        crossing = [again(database, f"{number}", fulfilment_id=f"web-{number}-F2") for number in range(0, 12, 2)]
        crossing += [again(database, f"{number}", without_node=True) for number in range(1, 12, 2)]
        await asyncio.gather(*crossing)
        await check_books(database.engine, reserved=24)
        assert await one(database.engine, "SELECT sum(backordered) FROM order_lines") == 0

    async def test_nor_for_who_holds_what_stands_for_it(self, database: Database) -> None:
        """The balance of the substitute comes before that of the work in the one sequence."""
        far = next(each for each in small.SKUS if each.id == "FAR")
        async with database.engine.begin() as connection:
            approved = far.model_copy(update={"substitutes": (Substitute(sku="B"),)})
            await reference.put_skus(connection, [approved])
        await accept(database, small.order("1", FAR=2, allow_substitutes=True))
        async with database.engine.begin() as connection:
            await connection.execute(LOCK, {"node_id": "dc-leeds", "sku": "B"})
            sourcing = asyncio.create_task(again(database, "1", without_node=True))
            await until_one_waits(database)
            await connection.execute(LOCK, {"node_id": "dropship-lille", "sku": "FAR"})
        done = await sourcing
        assert [work.node_id for work in done.state.living] == ["dc-leeds"]
        assert await balance(database.engine, "dc-leeds", "B") == (100, 2)
        await check_books(database.engine, reserved=2)


async def until_one_waits(database: Database) -> None:
    """Until a transaction waits for another one's lock."""
    async with asyncio.timeout(10):
        while not await one(database.engine, WAITS):
            await asyncio.sleep(0.02)
