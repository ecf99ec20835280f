"""Customers are asked when what was promised comes later: once, about what is late; a question ends in one way."""

import asyncio
from datetime import datetime, timedelta
from typing import Any, Final

import pytest
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.network import Substitute
from dom.orders.commands import CancelRest, TakeNodeStep
from dom.orders.order import Order
from dom.orders.questions import CustomerChoice
from dom.orders.status import FulfilmentStep, NodeReason, SourcingCause
from dom.shared.access import CUSTOMER
from dom.shared.errors import Conflict, NotFound, QuestionEnded
from dom.sourcing.policy.document import FailedNodes
from dom.sourcing.sourced import SourceAgain
from services import customer_questions, question_answers
from services.change_orders import Writing, change_order
from services.database import Database
from services.question_answers import Answer
from services.sourcing_again import source_again
from store import stock
from store.enums import LedgerKind
from store.network import reference
from store.policy import policies
from tests.worlds import small
from tests.worlds.books import check_books, one, rows
from tests.worlds.captured import accept
from tests.worlds.policies import policy
from tests.worlds.races import TURNS
from tests.worlds.sourcing import MONDAY_NOON

C = CustomerChoice
WAIT, PARTIAL, SWAP, CANCEL = C.WAIT, C.PARTIAL, C.SWAP, C.CANCEL
QUESTIONS: Final = "SELECT status, answer, withdrawal FROM customer_questions ORDER BY asked_at, id"
LINES: Final = "SELECT line_id, quantity, cancelled, backordered FROM order_lines ORDER BY position"
MAILS: Final = "SELECT count(*) FROM outbox WHERE kind = 'promise_slipped' AND medium = 'mail'"
KINDS: Final = "SELECT kind FROM timeline WHERE kind LIKE 'customer%' ORDER BY id"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def database(world: AsyncEngine) -> Database:
    return Database(world, now=lambda: MONDAY_NOON)


@pytest.fixture(autouse=True)
async def asks(world: AsyncEngine) -> None:
    await publish(world)


async def publish(world: AsyncEngine, **slips: Any) -> None:
    async with world.begin() as connection:
        await policies.publish_policy(connection, policy(name="asks", slips=slips), "test")


async def counted_away(world: AsyncEngine, sku: str, **left: int) -> None:
    """Nodes have no more of a SKU than those named say: what was there is lost."""
    for node_id, units in await rows(world, "SELECT node_id, on_hand - reserved FROM stock WHERE sku = :sku", sku=sku):
        lost = units - left.get(node_id.replace("-", "_"), 0)
        if lost:
            async with world.begin() as connection:
                gone = stock.Movement(node_id, sku, -lost, LedgerKind.ADJUSTMENT, "lost", f"{node_id} {sku} lost")
                await stock.move(connection, gone, actor="test", at=MONDAY_NOON)


async def not_found(world: AsyncEngine, order: Order, number: int = 1, **found: int) -> None:
    """The node does not find units of the work, and they are sourced again."""
    lines = {line.line_id: found.get(line.sku, 0) for line in order.lines}
    own = await listed(world, order, number)
    step = TakeNodeStep(
        fulfilment_id=f"{order.order_id}-F{number}",
        step=FulfilmentStep.PICK,
        actor="node",
        at=MONDAY_NOON,
        found={i: n for i, n in lines.items() if i in own},
        why=NodeReason.NOT_FOUND,
    )
    async with world.begin() as connection:
        await change_order(connection, order.order_id, step, Writing(webhook=False))


async def listed(world: AsyncEngine, order: Order, number: int) -> set[str]:
    found = "SELECT line_id FROM fulfilment_lines WHERE fulfilment_id = :id"
    return {line_id for (line_id,) in await rows(world, found, id=f"{order.order_id}-F{number}")}


async def again(world: AsyncEngine, order: Order, attempt: int = 2) -> None:
    asked = SourceAgain(
        order_id=order.order_id,
        attempt=attempt,
        cause=SourcingCause.RETRIED,
        as_of=MONDAY_NOON,
        failed_nodes=FailedNodes.AFTER_OTHER_NEWS,
    )
    await source_again(database(world), asked)


async def slipped(world: AsyncEngine, name: str = "slips", **fields: Any) -> Order:
    """An order whose stock was not there when it was picked; no node has any more."""
    order = small.order(name, **{"tags": [], "A": 2, **fields})
    await accept(database(world), order)
    for sku in {line.sku for line in order.lines} & {"A"}:
        await counted_away(world, sku)
    await not_found(world, order, B=3)
    await again(world, order)
    return order


async def look(world: AsyncEngine, now: datetime = MONDAY_NOON) -> int:
    return await customer_questions.look(database(world), now)


async def answer(world: AsyncEngine, order: Order, choice: C, number: int = 1) -> tuple[RowMapping, bool]:
    said = Answer(choice, CUSTOMER, MONDAY_NOON)
    return await question_answers.answer(database(world), f"{order.order_id}-Q{number}", said)


async def expire(world: AsyncEngine, now: datetime) -> int:
    return await question_answers.expire(database(world), now)


async def question(world: AsyncEngine) -> dict[str, Any]:
    async with world.connect() as connection:
        found = await connection.execute(text("SELECT * FROM customer_questions ORDER BY id DESC LIMIT 1"))
        return dict(found.mappings().one())


async def put(world: AsyncEngine, node_id: str, sku: str, units: int) -> None:
    async with world.begin() as connection:
        found = stock.Movement(node_id, sku, units, LedgerKind.ADJUSTMENT, "found", f"{node_id} {sku} {units} found")
        await stock.move(connection, found, actor="test", at=MONDAY_NOON)


class TestAsked:
    async def test_of_units_that_wait_after_they_were_promised(self, world: AsyncEngine) -> None:
        order = await slipped(world)
        promised = await one(world, "SELECT promised FROM order_lines")
        assert await look(world) == 1
        asked = await question(world)
        assert (asked["status"], asked["units"], asked["promised"], asked["expected"]) == (
            "open", {"1": 2}, promised, None,
        )  # fmt: skip
        assert (asked["choices"], asked["answer_by"]) == (["wait", "cancel"], MONDAY_NOON + 72 * HOUR)
        assert await one(world, MAILS) == 1
        assert await rows(world, KINDS) == [("customer_asked",)]
        assert order.order_id == asked["order_id"]

    async def test_once(self, world: AsyncEngine) -> None:
        await slipped(world)
        assert [await look(world), await look(world), await look(world, MONDAY_NOON + 3 * DAY)] == [1, 0, 0]
        assert await one(world, MAILS) == 1

    async def test_of_a_later_day(self, world: AsyncEngine) -> None:
        """RARE is at two nodes; FAR alone comes from abroad, and takes longer than what was promised with it."""
        order = small.order("later", tags=[], A=2)
        await accept(database(world), order)
        async with world.begin() as connection:
            await connection.execute(text("UPDATE fulfilments SET promise_latest = promise_latest + interval '3 days'"))
        assert await look(world) == 1
        asked = await question(world)
        assert (asked["expected"] - asked["promised"], asked["choices"]) == (3 * DAY, ["wait", "cancel"])
        assert await one(world, "SELECT promise_latest FROM orders") == asked["expected"]

    @pytest.mark.parametrize(("days", "asked"), [(3, 1), (4, 0)])
    async def test_from_so_many_days_on(self, world: AsyncEngine, days: int, asked: int) -> None:
        await publish(world, ask_from_days=days)
        await accept(database(world), small.order("later", tags=[], A=2))
        async with world.begin() as connection:
            await connection.execute(text("UPDATE fulfilments SET promise_latest = promise_latest + interval '3 days'"))
        assert await look(world) == asked

    @pytest.mark.parametrize("why", ["no policy", "waited from the beginning", "replayed", "not settled", "no link"])
    async def test_nobody(self, world: AsyncEngine, why: str) -> None:
        if why == "no policy":
            async with world.begin() as connection:
                await policies.publish_policy(connection, policy(name="quiet"), "test")
        if why == "waited from the beginning":
            order = small.order("nobody", tags=[], NEVER=1)
            await accept(database(world), order)
        elif why == "not settled":
            order = small.order("nobody", tags=[], A=2)
            await accept(database(world), order)
            await not_found(world, order)
        else:
            await slipped(world, "nobody", **({"tags": ["replay"]} if why == "replayed" else {}))
        assert await customer_questions.look(database(world), MONDAY_NOON, asks=why != "no link") == 0
        assert await rows(world, QUESTIONS) == []

    async def test_only_about_what_is_late(self, world: AsyncEngine) -> None:
        await slipped(world, A=2, B=3)
        await look(world)
        assert (await question(world))["units"] == {"1": 2}


class TestKeptCurrent:
    async def test_withdrawn_where_the_day_is_kept_after_all(self, world: AsyncEngine) -> None:
        order = await slipped(world)
        await look(world)
        await put(world, "wh-london", "A", 9)
        await again(world, order, 3)
        await look(world)
        assert await rows(world, QUESTIONS) == [("withdrawn", None, "kept")]
        assert await one(world, "SELECT count(*) FROM outbox WHERE kind = 'promise_updated'") == 1
        with pytest.raises(QuestionEnded) as refused:
            await answer(world, order, CANCEL)
        assert refused.value.data == {"status": "withdrawn", "withdrawal": "kept"}

    async def test_withdrawn_where_the_units_are_cancelled(self, world: AsyncEngine) -> None:
        order = await slipped(world)
        await look(world)
        async with world.begin() as connection:
            rest = CancelRest(actor="support", at=MONDAY_NOON)
            await change_order(connection, order.order_id, rest, Writing(webhook=False))
        await look(world)
        assert await rows(world, QUESTIONS) == [("withdrawn", None, "gone")]
        assert await one(world, "SELECT count(*) FROM outbox WHERE kind = 'promise_updated'") == 0

    async def test_mailed_again_once_a_day_at_most_and_only_of_what_matters(self, world: AsyncEngine) -> None:
        await accept(database(world), small.order("moves", tags=[], A=2))
        later = text("UPDATE fulfilments SET promise_latest = promise_latest + make_interval(days => :days)")
        for hours, days, mails in [(0, 2, 1), (1, 2, 1), (2, -1, 1), (30, 1, 2), (31, 5, 2), (90, -6, 2)]:
            async with world.begin() as connection:
                await connection.execute(later, {"days": days})
            await look(world, MONDAY_NOON + hours * HOUR)
            assert await one(world, MAILS) == mails
        asked = await question(world)
        assert asked["answer_by"] == MONDAY_NOON + 102 * HOUR
        assert asked["expected"] - asked["promised"] == 3 * DAY


class TestAnswered:
    async def test_wait(self, world: AsyncEngine) -> None:
        """What is accepted is asked no more; the day is told once it is known, and is then what was told."""
        order = await slipped(world)
        await look(world)
        await answer(world, order, WAIT)
        assert await rows(world, QUESTIONS) == [("answered", "wait", None)]
        assert (await look(world), await one(world, "SELECT promised FROM order_lines")) == (0, None)
        await put(world, "wh-london", "A", 9)
        await again(world, order, 3)
        assert await one(world, "SELECT count(*) FROM outbox WHERE kind = 'promise_updated'") == 1
        assert await one(world, "SELECT promised FROM order_lines") == await one(
            world, "SELECT promise_latest FROM orders"
        )

    async def test_cancel(self, world: AsyncEngine) -> None:
        order = await slipped(world, A=2, B=3)
        await look(world)
        await answer(world, order, CANCEL)
        assert await rows(world, LINES) == [("1", 2, 2, 0), ("2", 3, 0, 0)]
        assert await rows(world, "SELECT actor, reason FROM timeline WHERE kind = 'cancelled'") == [
            (CUSTOMER, "it comes later than was promised")
        ]
        assert await rows(world, KINDS) == [("customer_asked",), ("customer_answered",)]
        assert await one(world, "SELECT count(*) FROM outbox WHERE kind = 'order_changed'") >= 1  # type: ignore[operator]
        await check_books(world, reserved=3)

    async def test_cancel_takes_the_late_units_of_a_line_and_not_those_in_time(self, world: AsyncEngine) -> None:
        order = small.order("parted", tags=[], RARE=5)
        await accept(database(world), order)
        late = "UPDATE fulfilments SET promise_latest = promise_latest + interval '4 days' WHERE node_id = :node"
        async with world.begin() as connection:
            await connection.execute(text(late), {"node": "wh-london"})
        await look(world)
        assert (await question(world))["units"] == {"1": 3}
        await answer(world, order, CANCEL)
        left = "SELECT f.node_id, l.quantity FROM fulfilments f JOIN fulfilment_lines l ON l.fulfilment_id = f.id "
        assert await rows(world, f"{left} WHERE f.status = 'released'") == [("dc-leeds", 2)]
        await check_books(world, reserved=2)

    async def test_partial(self, world: AsyncEngine) -> None:
        order = small.order("partial", tags=[], ship_complete=True, A=2, B=3)
        await accept(database(world), order)
        await counted_away(world, "A")
        await not_found(world, order)
        await put(world, "wh-london", "B", 9)
        await again(world, order)
        await look(world)
        assert (await question(world))["choices"] == ["wait", "partial", "cancel"]
        await answer(world, order, PARTIAL)
        assert await rows(world, LINES) == [("1", 2, 0, 2), ("2", 3, 0, 0)]
        assert await rows(world, "SELECT ship_complete, revision FROM orders") == [(False, 1)]
        assert await rows(world, "SELECT actor FROM timeline WHERE kind = 'edited'") == [(CUSTOMER,)]
        assert await look(world) == 0
        await check_books(world, reserved=3)

    async def test_swap(self, world: AsyncEngine) -> None:
        await approve(world)
        await put(world, "wh-london", "B", 9)
        order = await slipped(world)
        await look(world)
        asked = await question(world)
        assert asked["choices"] == ["wait", "swap", "cancel"]
        assert asked["swap"] == [{"line_id": "1", "units": 2, "sku": "B", "quantity": 2, "unit_price": 1000}]
        await answer(world, order, SWAP)
        assert await rows(world, LINES) == [("1", 2, 2, 0), ("1-S1", 2, 0, 0)]
        assert await look(world) == 0
        await check_books(world, reserved=2)

    async def test_a_choice_that_is_gone_leaves_the_question_open_with_the_others(self, world: AsyncEngine) -> None:
        await approve(world)
        await put(world, "wh-london", "B", 9)
        order = await slipped(world)
        await look(world)
        await counted_away(world, "B")
        with pytest.raises(Conflict) as refused:
            await answer(world, order, SWAP)
        assert refused.value.data == {"choices": ["wait", "cancel"]}
        assert await rows(world, QUESTIONS) == [("open", None, None)]
        assert await rows(world, LINES) == [("1", 2, 0, 2)]
        await answer(world, order, CANCEL)
        assert await rows(world, LINES) == [("1", 2, 2, 0)]

    async def test_the_same_again_changes_nothing_and_another_is_refused(self, world: AsyncEngine) -> None:
        order = await slipped(world)
        await look(world)
        assert [(await answer(world, order, CANCEL))[1] for _ in range(3)] == [False, True, True]
        with pytest.raises(QuestionEnded) as refused:
            await answer(world, order, WAIT)
        assert refused.value.data == {"status": "answered", "answer": "cancel"}
        assert await one(world, "SELECT count(*) FROM timeline WHERE kind = 'cancelled'") == 1

    async def test_who_waits_accepts_no_later_day_than_he_was_shown(self, world: AsyncEngine) -> None:
        order = small.order("shown", tags=[], A=2)
        await accept(database(world), order)
        later = text("UPDATE fulfilments SET promise_latest = promise_latest + interval '3 days'")
        async with world.begin() as connection:
            await connection.execute(later)
        await look(world)
        async with world.begin() as connection:
            await connection.execute(later)
        await answer(world, order, WAIT)
        assert await look(world) == 1
        assert (await question(world))["status"] == "open"

    async def test_of_nothing(self, world: AsyncEngine) -> None:
        with pytest.raises(NotFound):
            await question_answers.answer(database(world), "web-1-Q1", Answer(WAIT, CUSTOMER, MONDAY_NOON))


class TestSilence:
    @pytest.mark.parametrize(
        ("silence", "came_to", "line"),
        [("wait", "wait", (2, 0, 2)), ("cancel", "cancel", (2, 2, 0)), ("partial", "wait", (2, 0, 2))],
    )
    async def test_is_carried_out_once(
        self, world: AsyncEngine, silence: str, came_to: str, line: tuple[int, int, int]
    ) -> None:
        await publish(world, silence=silence, answer_within_hours=5)
        order = await slipped(world)
        await look(world)
        assert [await expire(world, MONDAY_NOON + hours * HOUR) for hours in (4, 5, 6)] == [0, 1, 0]
        assert await rows(world, QUESTIONS) == [("expired", came_to, None)]
        assert await rows(world, LINES) == [("1", *line)]
        assert await rows(world, "SELECT actor FROM timeline WHERE kind = 'customer_question_expired'") == [
            ("system:timeout",)
        ]
        with pytest.raises(QuestionEnded):
            await answer(world, order, WAIT if came_to == "cancel" else CANCEL)
        assert await look(world) == 0

    async def test_the_end_of_the_time_and_an_answer_end_it_once(self, world: AsyncEngine) -> None:
        """Two hundred turns: either the customer's word counts and he hears so, or silence does and he hears that."""
        await publish(world, silence="cancel")
        order = await slipped(world)
        await look(world)
        reset = text("""
            WITH q AS (UPDATE customer_questions SET status = 'open', answer = NULL, ended_by = NULL, ended_at = NULL),
                 o AS (UPDATE orders SET status = 'backordered', finished_at = NULL),
                 t AS (DELETE FROM timeline WHERE kind IN ('customer_answered', 'customer_question_expired'))
            UPDATE order_lines SET cancelled = 0, backordered = quantity, promised = :promised
        """)
        promised = await one(world, "SELECT promised FROM order_lines")
        for turn in range(TURNS):
            both = [answer(world, order, WAIT), expire(world, MONDAY_NOON + 73 * HOUR)]
            said, expired = await asyncio.gather(*(both if turn % 2 else both[::-1]), return_exceptions=True)
            said, expired = (said, expired) if turn % 2 else (expired, said)
            (status, line) = (await question(world))["status"], (await rows(world, LINES))[0]
            if status == "answered":
                assert not isinstance(said, BaseException)
                assert (expired, line) == (0, ("1", 2, 0, 2))
            else:
                assert isinstance(said, QuestionEnded)
                assert (status, expired, line) == ("expired", 1, ("1", 2, 2, 0))
            assert len(await rows(world, KINDS)) == 2
            async with world.begin() as connection:
                await connection.execute(reset, {"promised": promised})


async def approve(world: AsyncEngine) -> None:
    """B stands for A."""
    found = next(each for each in small.SKUS if each.id == "A")
    async with world.begin() as connection:
        await reference.put_skus(connection, [found.model_copy(update={"substitutes": (Substitute(sku="B"),)})])
