"""Several processes change one order at the same moment: one comes first, and the others hear what is so then."""

import asyncio
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.orders.asked import CancellationStatus
from dom.orders.cancellation import CancelMode
from dom.orders.commands import AnswerCancellation, CancelUnits, Command, TakeNodeStep
from dom.orders.order import Order
from dom.orders.status import FulfilmentStatus, FulfilmentStep
from dom.shared.access import TIMEOUT
from services.database import Database
from store.orders import state as order_state
from tests.worlds import small
from tests.worlds.advancing import collected, comes_to, do
from tests.worlds.books import check_books, one, rows
from tests.worlds.captured import accept
from tests.worlds.racer import Racers, racing
from tests.worlds.reoptimising import comes, policy
from tests.worlds.sourcing import MONDAY_NOON

S, Step = FulfilmentStatus, FulfilmentStep
RACERS = 4


@pytest.fixture(scope="module")
async def processes() -> AsyncIterator[Sequence[Process]]:
    async with racing(RACERS) as running:
        yield running


@pytest.fixture
def racers(world: AsyncEngine, processes: Sequence[Process]) -> Racers:
    return Racers(processes, world.url.render_as_string(hide_password=False))


def step(order: Order, name: FulfilmentStep, number: int = 1, **fields: Any) -> TakeNodeStep:
    if name is Step.COLLECT:
        return collected(f"{order.order_id}-F{number}", **fields)
    return TakeNodeStep(fulfilment_id=f"{order.order_id}-F{number}", step=name, actor="node", at=MONDAY_NOON, **fields)


def cancel(units: int | None = None, **fields: Any) -> CancelUnits:
    lines = None if units is None else {"1": units}
    return CancelUnits(lines=lines, actor="support", at=MONDAY_NOON, reason="asked", **fields)


def asked(order: Order, command: Command) -> dict[str, Any]:
    return {"order_id": order.order_id, "command": command.model_dump(mode="json")}


@asynccontextmanager
async def start_line(engine: AsyncEngine, order: Order, waiting: int) -> AsyncIterator[None]:
    """Nobody gets at the order until all of those who are told to in the block wait for it."""
    query = text("""SELECT count(*) FROM pg_stat_activity
                    WHERE datname = current_database() AND wait_event_type = 'Lock'""")
    async with engine.connect() as holding, engine.connect() as looking:
        await holding.execute(text("SELECT FROM orders WHERE id = :id FOR UPDATE"), {"id": order.order_id})
        yield
        async with asyncio.timeout(60):
            while await looking.scalar(query) != waiting:
                await looking.rollback()
                await asyncio.sleep(0.01)
        await holding.rollback()


async def together(engine: AsyncEngine, racers: Racers, order: Order, *commands: Command) -> list[str]:
    """What comes of commands for which the same moment comes."""
    async with start_line(engine, order, len(commands)):
        racers.ask(*(asked(order, command) for command in commands))
    return await racers.answers(len(commands))


async def agrees(engine: AsyncEngine, order: Order) -> None:
    """Every unit is in one place, the order's status follows from them, and the books balance."""
    async with engine.connect() as connection:
        state = await order_state.read(connection, order.order_id)
    for line in state.lines.values():
        in_work = sum(each.lines.get(line.line_id, 0) for each in state.living)
        assert line.quantity == line.cancelled + line.backordered + in_work
    assert await one(engine, "SELECT status FROM orders WHERE id = :id", id=order.order_id) == state.status()
    await check_books(engine, reserved=sum(sum(each.lines.values()) for each in state.living if each.cancellable))


STEPS = {
    Step.ACCEPT: (),
    Step.REJECT: (S.ACCEPTED,),
    Step.PICK: (S.ACCEPTED,),
    Step.PACK: (S.PICKED,),
    Step.HAND_OVER: (S.PACKED, S.BOOKED),
    Step.COLLECT: (S.READY,),
}


class TestACancellation:
    @pytest.mark.parametrize("name", list(STEPS))
    async def test_against_each_step_of_the_node(
        self, world: AsyncEngine, racers: Racers, name: FulfilmentStep
    ) -> None:
        """Whoever comes second sees what the first one did. Two scanners say the step, two people cancel."""
        pickup = {"shipping_method": "pickup", "pickup_node": "st-york"} if name is Step.COLLECT else {}
        for turn in range(4):
            order = small.order(f"race-{name}-{turn}", A=1, **pickup)
            await accept(Database(engine=world, replaying=True), order)
            await comes_to(world, f"{order.order_id}-F1", *STEPS[name])
            commands: list[Command] = [step(order, name), cancel(), step(order, name), cancel()]
            said = await together(world, racers, order, *commands[turn:], *commands[:turn])
            steps, cancels = said[turn % 2 :: 2], said[(turn + 1) % 2 :: 2]
            gone = name in {Step.HAND_OVER, Step.COLLECT}
            status = await one(world, "SELECT status FROM fulfilments WHERE order_id = :id", id=order.order_id)
            if "written" in cancels:
                assert sorted(cancels) == ["cannot-cancel", "written"]
                assert set(steps) <= {"step-not-possible", *([] if gone else ["written", "repeated"])}
                assert steps.count("written") <= 1
                assert status == ("rejected" if "written" in steps and name is Step.REJECT else "cancelled")
            else:
                assert gone
                assert (sorted(steps), cancels) == (["repeated", "written"], ["cannot-cancel"] * 2)
            await agrees(world, order)

    @pytest.mark.parametrize("turn", range(3))
    async def test_against_a_short_pick(self, world: AsyncEngine, racers: Racers, turn: int) -> None:
        order = small.order(f"race-short-{turn}", A=6)
        await accept(Database(engine=world, replaying=True), order)
        commands: list[Command] = [step(order, Step.PICK, found={"1": 4}), cancel(3), cancel(2)]
        said = await together(world, racers, order, *commands[turn:], *commands[:turn])
        assert set(said) <= {"written", "step-not-possible"}
        assert await one(world, "SELECT cancelled FROM order_lines") == 5
        await agrees(world, order)

    @pytest.mark.parametrize("turn", range(4))
    async def test_that_a_node_is_asked_for_ends_once_and_in_one_way(
        self, world: AsyncEngine, racers: Racers, turn: int
    ) -> None:
        """The node grants while the carrier takes the parcel, time is over, and support cancels all the same."""
        order = small.order(f"race-asked-{turn}", A=1)
        await accept(Database(engine=world, replaying=True), order)
        await comes_to(world, f"{order.order_id}-F1", S.PACKED, S.BOOKED)
        async with world.begin() as connection:
            await do(connection, order.order_id, cancel(mode=CancelMode.ASK))
        answer = {"request_id": f"{order.order_id}-C1", "at": MONDAY_NOON}
        commands: list[Command] = [
            AnswerCancellation(answer=CancellationStatus.GRANTED, actor="node", **answer),
            step(order, Step.HAND_OVER),
            AnswerCancellation(answer=CancellationStatus.EXPIRED, actor=TIMEOUT, **answer),
            cancel(),
        ]
        said = await together(world, racers, order, *commands[turn:], *commands[:turn])
        granted, left, expired, cancelled = said[-turn:] + said[:-turn] if turn else said
        assert [granted, expired].count("written") <= 1
        assert [granted, left, cancelled].count("written") == 1, "the units have one place"
        [(status, ended_by)] = await rows(world, "SELECT status, ended_by FROM cancellation_requests")
        if granted == "written":
            assert (status, ended_by) == ("granted", None)
        elif expired == "written":
            assert (status, ended_by) == ("expired", "no_answer")
        else:
            overtaken = ("refused", "handed_over") if left == "written" else ("withdrawn", "cancelled_otherwise")
            assert (status, ended_by) == overtaken
        await agrees(world, order)

    async def test_beside_others_is_written_once(self, world: AsyncEngine, racers: Racers) -> None:
        order = small.order("race-cancels", A=3)
        await accept(Database(engine=world, replaying=True), order)
        said = await together(world, racers, order, *[cancel()] * RACERS)
        assert sorted(said) == ["cannot-cancel"] * (RACERS - 1) + ["written"]
        await agrees(world, order)
        kinds = "SELECT kind, count(*) FROM outbox WHERE kind IN ('cancelled', 'order_changed') GROUP BY 1 ORDER BY 1"
        assert await rows(world, kinds) == [("cancelled", 1), ("order_changed", 1)]

    async def test_under_one_key_is_written_once_and_answered_to_all(self, world: AsyncEngine, racers: Racers) -> None:
        order = small.order("race-key", A=8)
        await accept(Database(engine=world, replaying=True), order)
        same = [cancel(1, request="k", request_hash="h")] * (RACERS - 1)
        said = await together(world, racers, order, *same, cancel(2, request="k", request_hash="other"))
        assert sorted(said) in (
            ["conflict", "repeated", "repeated", "written"],
            ["conflict", "conflict", "conflict", "written"],
        )
        assert await one(world, "SELECT cancelled FROM order_lines") in {1, 2}
        await agrees(world, order)


class TestReoptimisation:
    @pytest.mark.parametrize("turn", range(6))
    async def test_against_accept(self, world: AsyncEngine, racers: Racers, turn: int) -> None:
        """Work is begun or given to another node, never both."""
        await policy(world, save_at_least=1)
        order = small.order(f"race-look-{turn}", RARE=5)
        await accept(Database(engine=world, replaying=True), order)
        await comes(world, "dc-leeds", "RARE", 3)
        commands: list[dict[str, Any]] = [
            asked(order, step(order, Step.ACCEPT, 1)),
            {},
            asked(order, step(order, Step.ACCEPT, 2)),
            {},
        ]
        racers.ask(*commands[turn % 4 :], *commands[: turn % 4])
        said = await racers.answers(RACERS)
        in_sequence = said[-(turn % 4) :] + said[: -(turn % 4)] if turn % 4 else said
        first, second = in_sequence[0], in_sequence[2]
        found = dict(await rows(world, "SELECT right(id, 2), status FROM fulfilments"))
        for answer, name in ((first, "F1"), (second, "F2")):
            expected = {"written": "accepted", "step-not-possible": "recalled"}
            assert found[name] == expected[answer], (said, found)
        await agrees(world, order)
