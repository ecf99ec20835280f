"""Questions to customers, re-allocation and goods that wait, where one of them comes upon another."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dom.orders.commands import PlaceHold, ReleaseHold
from dom.orders.holds import BlockedStep
from dom.orders.lifecycle import OrderState
from dom.orders.questions import CustomerChoice
from dom.orders.status import SourcingCause
from dom.shared.errors import Conflict, UnknownNode
from services import collecting, customer_questions, question_answers, question_offers, reallocation
from services.change_orders import Writing, change_order
from services.database import Database
from services.sourcing_again import source_waiting
from store.policy import policies
from tests.services.test_customer_questions import again, answer, expire, look, publish, slipped
from tests.services.test_reallocation import CLAIMS, a_scarce_day
from tests.worlds import small
from tests.worlds.books import one, rows
from tests.worlds.captured import accept
from tests.worlds.collecting import ready
from tests.worlds.policies import changed
from tests.worlds.reallocating import TERMS, TUESDAY, VIP, can_wait, comes_on, run
from tests.worlds.sourcing import MONDAY_NOON

QUESTIONS = "SELECT order_id, status, answer, units FROM customer_questions ORDER BY id"
LINES = "SELECT line_id, cancelled, backordered FROM order_lines ORDER BY position"
HOUR = timedelta(hours=1)


@pytest.fixture
async def database(world: AsyncEngine) -> Database:
    async with world.begin() as connection:
        document = changed(small.POLICY, reallocation=TERMS, slips={"silence": "cancel"})
        await policies.publish_policy(connection, document, "test")
    return Database(engine=world, replaying=True, now=lambda: MONDAY_NOON)


async def lives_today(database: Database) -> None:
    """The order that gives is none that is replayed: customers of these are never asked."""
    live = text("UPDATE orders SET document = jsonb_set(document, '{tags}', '[]') WHERE id = 'web-waits'")
    async with database.engine.begin() as connection:
        await connection.execute(live)


async def claims_from(database: Database, days: int) -> None:
    """Goods that orders stand first for are counted on so many days from today."""
    query = text("UPDATE first_claims SET counted_on = current_date + CAST(:days AS int)")
    async with database.engine.begin() as connection:
        await connection.execute(query, {"days": days})


class TestWhoGaveUnits:
    async def test_is_not_asked_while_what_was_promised_is_kept(self, database: Database) -> None:
        giver, _ = await a_scarce_day(database)
        await lives_today(database)
        await run(database)
        await claims_from(database, 1)
        assert await rows(database.engine, CLAIMS) == [(giver, "dc-leeds", "RARE", 2)]
        assert await customer_questions.look(database, MONDAY_NOON) == 0
        assert await rows(database.engine, QUESTIONS) == []

    async def test_is_asked_once_the_goods_are_overdue(self, database: Database) -> None:
        giver, _ = await a_scarce_day(database)
        await lives_today(database)
        await run(database)
        await claims_from(database, -1)
        await customer_questions.look(database, MONDAY_NOON)
        assert await rows(database.engine, QUESTIONS) == [(giver, "open", None, {"1": 2})]

    async def test_keeps_what_the_customer_was_told_and_not_what_is_expected(self, database: Database) -> None:
        """Its promise ends later than its customer was told, as some of it is late: he waits no longer than that."""
        await a_scarce_day(database, giver_days=1)
        async with database.engine.begin() as connection:
            later = text("UPDATE orders SET promise_latest = :later WHERE id = 'web-waits'")
            await connection.execute(later, {"later": MONDAY_NOON + timedelta(days=9)})
            told = text("UPDATE order_lines SET promised = :told WHERE order_id = 'web-waits'")
            await connection.execute(told, {"told": MONDAY_NOON + timedelta(hours=30)})
        assert (await run(database)).made == ()

    async def test_goes_on_with_what_it_waits_for_besides(self, database: Database) -> None:
        """Goods of another line that cannot come by the promise any more are sent late, as those of any order are."""
        giver, _ = await a_scarce_day(database)
        await run(database)
        await claims_from(database, 1)
        async with database.engine.begin() as connection:
            await connection.execute(
                text("INSERT INTO order_lines (order_id, line_id, position, sku, quantity, unit_price, backordered)"
                     " VALUES ('web-waits', '2', 2, 'FAR', 1, 1000, 1)")
            )  # fmt: skip
            line = {"line_id": "2", "sku": "FAR", "quantity": 1, "unit_price": 1000}
            await connection.execute(
                text("UPDATE orders SET document = jsonb_set(document, '{lines,1}', CAST(:line AS jsonb)),"
                     " promise_latest = :told WHERE id = 'web-waits'"),
                {"line": json.dumps(line), "told": MONDAY_NOON + timedelta(hours=1)},
            )  # fmt: skip
            await source_waiting(database, connection, giver, SourcingCause.RETRIED, MONDAY_NOON)
        waits = "SELECT line_id, backordered FROM order_lines WHERE order_id = 'web-waits' ORDER BY position"
        assert await rows(database.engine, waits) == [("1", 2), ("2", 0)]
        assert await rows(database.engine, CLAIMS) == [(giver, "dc-leeds", "RARE", 2)]


class TestWhoGotUnits:
    async def test_hears_the_day_that_nobody_could_tell_before(self, database: Database) -> None:
        await can_wait(database, "waits", 8, RARE=2)
        await can_wait(database, "rest", 1, RARE=3)
        wants = MONDAY_NOON + timedelta(days=3)
        vip = small.order("vip", customer=VIP, requested_by=wants, RARE=2)
        await accept(database, vip)
        async with database.engine.begin() as connection:
            await connection.execute(
                text("INSERT INTO customer_questions (id, order_id, link_id, status, units, promised, choices, swap,"
                     " silence, asked_at, answer_by, mails, told_at, answer, ended_by, ended_at) VALUES"
                     " ('web-vip-Q1', 'web-vip', 'x', 'answered', '{\"1\": 2}', now(), '{wait}', '[]', 'wait',"
                     " now(), now(), 1, now(), 'wait', 'customer:link', now())")
            )  # fmt: skip
        await comes_on(database.engine, TUESDAY, RARE=2)
        assert len((await run(database)).made) == 1
        promised = "SELECT l.promised = o.promise_latest FROM order_lines l JOIN orders o ON o.id = l.order_id"
        assert await rows(database.engine, f"{promised} WHERE o.id = 'web-vip'") == [(True,)]
        told = "SELECT order_id FROM outbox WHERE kind = 'promise_updated' AND medium = 'mail'"
        assert await rows(database.engine, told) == [("web-vip",)]


class TestAnAnswer:
    @pytest.mark.parametrize("by", ["cancel", "wait", "silence"])
    async def test_is_of_nothing_that_the_customer_was_not_asked_about(self, world: AsyncEngine, by: str) -> None:
        """More of the order is late than the mail named: the customer hears of it, and has his whole time again."""
        await publish(world, silence="cancel")
        order = await slipped(world, "grown", A=2, B=3)
        await look(world)
        promised = await rows(world, "SELECT promised FROM order_lines ORDER BY position")
        async with world.begin() as connection:
            await connection.execute(text("UPDATE fulfilments SET promise_latest = promise_latest + interval '3 days'"))
        over = MONDAY_NOON + 73 * HOUR
        if by == "silence":
            assert await expire(world, over) == 0
        else:
            with pytest.raises(Conflict, match="more of the order is late"):
                await answer(world, order, CustomerChoice(by))
            over = MONDAY_NOON
        assert await rows(world, LINES) == [("1", 0, 2), ("2", 0, 0)]
        assert await rows(world, "SELECT promised FROM order_lines ORDER BY position") == promised
        asked = "SELECT units, mails, answer_by FROM customer_questions"
        assert await rows(world, asked) == [({"1": 2, "2": 3}, 2, over + 72 * HOUR)]
        await answer(world, order, CustomerChoice.CANCEL)
        assert await rows(world, LINES) == [("1", 2, 0), ("2", 3, 0)]


class TestAHold:
    async def test_silence_does_nothing_to_an_order_that_is_not_to_be_sourced(self, world: AsyncEngine) -> None:
        await publish(world, silence="cancel")
        order = await slipped(world, "held")
        await look(world)
        blocks = frozenset({BlockedStep.SOURCING})
        hold = PlaceHold(type="fraud", blocks=blocks, reason="it is looked into", actor="support", at=MONDAY_NOON)
        async with world.begin() as connection:
            await change_order(connection, order.order_id, hold, Writing(webhook=False))
        assert await expire(world, MONDAY_NOON + 100 * HOUR) == 0
        assert await rows(world, LINES) == [("1", 0, 2)]
        hold_id = str(await one(world, "SELECT id FROM order_holds"))
        free = ReleaseHold(hold_id=hold_id, reason="it is well", actor="support", at=MONDAY_NOON)
        async with world.begin() as connection:
            await change_order(connection, order.order_id, free, Writing(webhook=False))
        assert await expire(world, MONDAY_NOON + 100 * HOUR) == 0
        await again(world, order, 3)
        assert await expire(world, MONDAY_NOON + 100 * HOUR) == 1
        assert await rows(world, LINES) == [("1", 2, 0)]

    async def test_of_another_step_leaves_the_question_as_it_was(self, world: AsyncEngine) -> None:
        """What waits is not sourced again because a hold of the hand-over was released: the day is known as before."""
        await publish(world)
        order = await slipped(world, "let-go")
        hold = PlaceHold(
            type="customer_asked", blocks=frozenset({BlockedStep.HAND_OVER}), actor="support", at=MONDAY_NOON
        )
        async with world.begin() as connection:
            await change_order(connection, order.order_id, hold, Writing(webhook=False))
        hold_id = str(await one(world, "SELECT id FROM order_holds"))
        free = ReleaseHold(hold_id=hold_id, actor="support", at=MONDAY_NOON)
        async with world.begin() as connection:
            await change_order(connection, order.order_id, free, Writing(webhook=False))
        assert await look(world) == 1


class TestOneThatFails:
    """What cannot be dealt with now is tried at the next look, and keeps nobody else from his turn."""

    async def test_does_not_stop_the_questions_of_others(
        self, world: AsyncEngine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await publish(world, silence="cancel")
        await slipped(world, "a-fails", A=2)
        await accept(Database(world, now=lambda: MONDAY_NOON), small.order("b-fine", tags=[], B=1))
        async with world.begin() as connection:
            await connection.execute(text("UPDATE fulfilments SET promise_latest = promise_latest + interval '3 days'"))
        plan = question_offers.plan

        async def fails(connection: AsyncConnection, database: Database, state: OrderState, now: datetime) -> Any:
            if state.order_id == "web-a-fails":
                raise UnknownNode("there is no node st-gone")
            return await plan(connection, database, state, now)

        monkeypatch.setattr(question_offers, "plan", fails)
        assert await look(world) == 1
        assert await rows(world, "SELECT order_id FROM customer_questions") == [("web-b-fine",)]
        monkeypatch.undo()
        assert await look(world) == 1
        carried_out = question_answers._carry_out

        async def not_carried_out(*asked: Any) -> None:
            if asked[2].order_id == "web-a-fails":
                raise RuntimeError("its row cannot be read")
            await carried_out(*asked)

        monkeypatch.setattr(question_answers, "_carry_out", not_carried_out)
        assert await expire(world, MONDAY_NOON + 100 * HOUR) == 1
        ended = "SELECT order_id, status FROM customer_questions ORDER BY 1"
        assert await rows(world, ended) == [("web-a-fails", "open"), ("web-b-fine", "expired")]

    async def test_does_not_stop_what_was_not_collected_by_others(
        self, world: AsyncEngine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("a-kept", "b-kept"):
            await ready(world, name)
        carried_out = change_order

        async def fails(connection: AsyncConnection, order_id: str, *rest: Any) -> Any:
            if order_id == "web-a-kept":
                raise RuntimeError("its row cannot be read")
            return await carried_out(connection, order_id, *rest)

        monkeypatch.setattr(collecting, "change_order", fails)
        late = MONDAY_NOON + timedelta(days=999)
        assert await collecting.look(world, late, Writing(webhook=False)) == 1
        assert await rows(world, "SELECT id, status FROM orders ORDER BY id") == [
            ("web-a-kept", "in_fulfilment"), ("web-b-kept", "cancelled"),
        ]  # fmt: skip

    async def test_does_not_stop_the_re_allocation_of_others(
        self, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await a_scarce_day(database)
        looked = await reallocation.look(database, MONDAY_NOON)
        (one_found,) = looked.found
        twice = replace(looked, found=(one_found, one_found))

        async def found(*asked: Any) -> Any:
            return twice

        made, calls = reallocation.change, []

        async def fails(*asked: Any) -> None:
            calls.append(asked)
            if len(calls) == 1:
                raise RuntimeError("its decision cannot be read")
            await made(*asked)

        monkeypatch.setattr(reallocation, "look", found)
        monkeypatch.setattr(reallocation, "change", fails)
        done = await run(database)
        assert (len(done.made), done.again) == (1, frozenset({"RARE"}))
