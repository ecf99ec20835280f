"""Work is moved with its stock and its place in the day, in one transaction; what cannot be done is not begun."""

import asyncio
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.orders.commands import CancelRest, MoveWork, TakeNodeStep
from dom.orders.status import FulfilmentStep
from dom.shared.errors import Conflict, DomError, NotFound, StepNotPossible, UnknownNode
from services import moving
from services.change_orders import OrderChanged, Writing, change_order
from services.database import Database
from store.network import reference
from tests.worlds import small
from tests.worlds.books import balance, check_books, one, rows
from tests.worlds.captured import accept
from tests.worlds.sourcing import MONDAY_NOON

WORK = "SELECT id, node_id, status FROM fulfilments ORDER BY length(id), id"
DAYS = "SELECT node_id, sum(used) FROM node_days WHERE method = '' GROUP BY node_id HAVING sum(used) > 0 ORDER BY 1"


@pytest.fixture
def database(world: AsyncEngine) -> Database:
    return Database(engine=world, replaying=True)


async def move(database: Database, number: str, to: str | None = "wh-london", **more: Any) -> OrderChanged:
    told = {"fulfilment_id": f"web-{number}-F1", "node_id": to, "actor": "ada", "at": MONDAY_NOON, **more}
    return await moving.move(database, MoveWork(**told))


class TestMoved:
    @pytest.mark.parametrize("to", ["wh-london", None])
    async def test_the_stock_goes_over(self, database: Database, to: str | None) -> None:
        await accept(database, small.order("1", A=4))
        assert await balance(database.engine, "dc-leeds", "A") == (100, 4)
        moved = await move(database, "1", to)
        assert moved.data["fulfilments"] == {"web-1-F2": "wh-london"}
        assert await rows(database.engine, WORK) == [
            ("web-1-F1", "dc-leeds", "recalled"),
            ("web-1-F2", "wh-london", "released"),
        ]
        assert await balance(database.engine, "dc-leeds", "A") == (100, 0)
        assert await balance(database.engine, "wh-london", "A") == (50, 4)
        assert await one(database.engine, "SELECT status FROM orders") == "accepted"
        assert await one(database.engine, "SELECT sum(backordered) FROM order_lines") == 0
        assert moved.state.waiting == {}
        await check_books(database.engine, reserved=4)

    async def test_the_timeline_and_the_decision_say_so(self, database: Database) -> None:
        await accept(database, small.order("1", A=4))
        await move(database, "1", reason="short of staff")
        told = "SELECT actor, reason, data FROM timeline WHERE kind = 'moved'"
        ((actor, reason, data),) = await rows(database.engine, told)
        assert (actor, reason) == ("ada", "short of staff")
        assert data == {
            "fulfilment_id": "web-1-F1", "node_id": "dc-leeds", "to": "wh-london",
            "fulfilments": {"web-1-F2": "wh-london"},
        }  # fmt: skip
        kept = "SELECT attempt, cause, business_key FROM sourcing_decisions ORDER BY attempt"
        assert await rows(database.engine, kept) == [
            (1, "order captured", "sourced:1"),
            (2, "moved by staff", "web-1-F1:moved"),
        ]
        notices = "SELECT kind FROM outbox WHERE medium = 'workflow'"
        assert await rows(database.engine, notices) == [("order_changed",)]

    async def test_units_that_wait_for_another_reason_go_on_waiting(self, database: Database) -> None:
        await accept(database, small.order("1", A=4, NEVER=2))
        moved = await move(database, "1")
        assert list(moved.state.waiting.values()) == [2]
        assert await one(database.engine, "SELECT sourced_on_stock FROM orders") is True
        await check_books(database.engine, reserved=4)

    async def test_it_can_be_moved_back(self, database: Database) -> None:
        await accept(database, small.order("1", A=4))
        await move(database, "1")
        await move(database, "1", "dc-leeds", fulfilment_id="web-1-F2")
        assert (await rows(database.engine, WORK))[2] == ("web-1-F3", "dc-leeds", "released")
        assert await balance(database.engine, "wh-london", "A") == (50, 0)
        await check_books(database.engine, reserved=4)


class TestRefused:
    @pytest.mark.parametrize(
        ("to", "fence", "words"),
        [("dropship-lille", "stock", "holds nothing of it"), ("st-york", None, "holds 5 of its 8 units"),
         ("dc-leeds", None, "already")],
    )  # fmt: skip
    async def test_a_node_that_cannot_do_all_of_it(
        self, database: Database, to: str, fence: str | None, words: str
    ) -> None:
        await accept(database, small.order("1", A=8))
        with pytest.raises(StepNotPossible) as refused:
            await move(database, "1", to)
        assert words in refused.value.detail
        assert refused.value.field == "node_id"
        assert (refused.value.data or {}).get("fence") == fence
        await self.is_as_it_was(database, 8)

    async def is_as_it_was(self, database: Database, units: int) -> None:
        assert await rows(database.engine, WORK) == [("web-1-F1", "dc-leeds", "released")]
        assert await balance(database.engine, "dc-leeds", "A") == (100, units)
        assert await rows(database.engine, "SELECT kind FROM timeline") == [("accepted",)]
        await check_books(database.engine, reserved=units)

    async def test_a_fence_of_the_policy(self, database: Database) -> None:
        await accept(database, small.order("1", A=8))
        async with database.engine.begin() as connection:
            london = await reference.get_node(connection, "wh-london")
            await reference.put_node(connection, london.model_copy(update={"active": False}))
        with pytest.raises(StepNotPossible) as refused:
            await move(database, "1")
        assert (refused.value.data or {})["fence"] == "active"
        assert "wh-london is switched off" in refused.value.detail
        with pytest.raises(StepNotPossible, match="no other node can do all of"):
            await move(database, "1", None)
        await self.is_as_it_was(database, 8)

    async def test_what_is_not_there(self, database: Database) -> None:
        await accept(database, small.order("1", A=8))
        with pytest.raises(UnknownNode):
            await move(database, "1", "nowhere")
        for wrong in ("web-1-F9", "web-9-F1"):
            with pytest.raises(NotFound, match=f"there is no fulfilment {wrong}"):
                await move(database, "1", fulfilment_id=wrong)
        await self.is_as_it_was(database, 8)


class TestTwice:
    async def test_a_repeat_is_answered_as_before(self, database: Database) -> None:
        await accept(database, small.order("1", A=4))
        asked = {"request": "r1", "request_hash": "h1"}
        done = await asyncio.gather(*(move(database, "1", None, **asked) for _ in range(4)))
        assert [each.repeated for each in done].count(False) == 1
        assert {str(each.data["fulfilments"]) for each in done} == {"{'web-1-F2': 'wh-london'}"}
        with pytest.raises(Conflict):
            await move(database, "1", "st-york", request="r1", request_hash="h2")
        assert len(await rows(database.engine, WORK)) == 2

    async def test_without_a_key_it_was_moved_already(self, database: Database) -> None:
        await accept(database, small.order("1", A=4))
        await move(database, "1")
        with pytest.raises(StepNotPossible, match="recalled"):
            await move(database, "1")


class TestAtOnce:
    @pytest.mark.parametrize("rival", ["accept", "cancel"])
    async def test_one_consistent_outcome(self, database: Database, rival: str) -> None:
        """Whoever comes first is heard; the books agree whoever that is."""
        writing = Writing(webhook=False)
        for number in range(20):
            order_id = f"web-{rival}-{number}"
            await accept(database, small.order(f"{rival}-{number}", A=1))

            async def other(order_id: str = order_id) -> object:
                async with database.engine.begin() as connection:
                    if rival == "cancel":
                        command: Any = CancelRest(actor="kim", at=MONDAY_NOON)
                    else:
                        step = FulfilmentStep.ACCEPT
                        command = TakeNodeStep(fulfilment_id=f"{order_id}-F1", step=step, actor="node", at=MONDAY_NOON)
                    return await change_order(connection, order_id, command, writing)

            moved, taken = await asyncio.gather(move(database, f"{rival}-{number}"), other(), return_exceptions=True)
            living = await rows(
                database.engine,
                "SELECT node_id, status FROM fulfilments WHERE order_id = :id AND status <> 'recalled'",
                id=order_id,
            )
            if rival == "cancel":
                assert not isinstance(taken, Exception), taken
                assert [status for _, status in living] == ["cancelled"]
            elif isinstance(moved, Exception):
                assert isinstance(moved, StepNotPossible), moved
                assert living == [("dc-leeds", "accepted")]
            else:
                assert isinstance(taken, DomError), taken
                assert living == [("wh-london", "released")]
        reserved = 0 if rival == "cancel" else 20
        await check_books(database.engine, reserved=reserved)

    async def test_moves_to_and_fro_do_not_wait_for_each_other(self, database: Database) -> None:
        for number in range(12):
            await accept(database, small.order(f"{number}", A=2))
        for number in range(0, 12, 2):
            await move(database, f"{number}")
        crossing = [
            move(database, f"{number}", "dc-leeds", fulfilment_id=f"web-{number}-F2") for number in range(0, 12, 2)
        ]
        await asyncio.gather(*crossing, *(move(database, f"{number}") for number in range(1, 12, 2)))
        await check_books(database.engine, reserved=24)
        assert await balance(database.engine, "wh-london", "A") == (50, 12)

    async def test_for_the_last_units_there(self, database: Database) -> None:
        for number in range(6):
            await accept(database, small.order(f"{number}", A=20))
        done = await asyncio.gather(*(move(database, f"{number}") for number in range(6)), return_exceptions=True)
        moved = [each for each in done if not isinstance(each, Exception)]
        assert len(moved) <= 2
        assert all(isinstance(each, StepNotPossible) for each in done if isinstance(each, Exception)), done
        on_hand, reserved = await balance(database.engine, "wh-london", "A")
        assert reserved <= on_hand
        await check_books(database.engine, reserved=120)
