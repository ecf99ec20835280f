"""Whatever is done to stock, in whatever sequence: every answer and every balance is what a plain model says."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import CursorResult
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from store import stock
from store.database import engine as database
from store.enums import LedgerKind
from store.stock import Movement, OutOfReach, WorkDay, counts, safety, soft
from store.stock.counts import Count
from store.stock.safety import SafetySetting
from store.stock.soft import SoftRequest, SoftUnits
from tests.worlds.shelf import network, units_of, write_order
from tests.worlds.shelf_model import Balance, Row, Rule, Shelves
from tests.worlds.shelf_statements import AVAILABLE, BOOKS, EMPTY, LAPSE, RULE, YOUNGEST_FIRST
from tests.worlds.sourcing import MONDAY, MONDAY_NOON

T = TypeVar("T")

NODES = ("n1", "n2")
SKUS = ("A", "B", "C")
CHANNELS = ("web", "market", "till")
"""The last has no rule: everything is open to it."""
ROWS: tuple[Row, ...] = tuple((node, sku) for node in NODES for sku in SKUS)
DAYS = (MONDAY, MONDAY + timedelta(days=1))
CAPACITY, EXPRESS = 6, 3
PAST = datetime(2020, 3, 2, 12, tzinfo=UTC)
"""When goods move, unless they move now; a count of now comes after it, one of before precedes all that moves."""
BEFORE = PAST - timedelta(days=1)
EXAMPLES, STEPS = 20, 40

some_rows = st.sampled_from(ROWS)
some_units = st.dictionaries(some_rows, st.integers(1, 4), min_size=1, max_size=4)
some_rule = st.builds(
    Rule,
    buffer=st.integers(0, 3),
    share=st.sampled_from([0, 34, 50, 100]),
    excluded=st.sampled_from([False] * 7 + [True]),
)


class StockMachine(RuleBasedStateMachine):
    """Does to the store what is drawn, to the model the same, and compares."""

    runner: ClassVar[asyncio.Runner]
    engine: ClassVar[AsyncEngine]
    steps: ClassVar[int] = 0

    holds: Bundle[str] = Bundle("holds")
    fulfilments: Bundle[str] = Bundle("fulfilments")

    def __init__(self) -> None:
        super().__init__()
        self.model = Shelves(CAPACITY, EXPRESS)
        self.number = 0
        self.moved: set[tuple[str, Row]] = set()
        self.act(lambda connection: connection.exec_driver_sql(EMPTY))

    def act(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """Runs a piece of work in a transaction of its own."""

        async def transaction() -> T:
            async with self.engine.begin() as connection:
                return await work(connection)

        type(self).steps += 1
        return self.runner.run(transaction())

    def refused(self, work: Callable[[AsyncConnection], Awaitable[object]]) -> bool:
        """Whether the database refuses a piece of work, and with it the whole transaction."""
        try:
            self.act(work)
        except IntegrityError:
            return True
        return False

    def new_id(self, kind: str) -> str:
        self.number += 1
        return f"{kind}-{self.number}"

    @initialize(stocked=st.dictionaries(some_rows, st.integers(0, 12), min_size=2))
    def open(self, stocked: dict[Row, int]) -> None:
        for row, quantity in stocked.items():
            if quantity:
                self.move(row, quantity, 0, 0, again=False, past=True)

    @rule(
        channel=st.sampled_from(CHANNELS[:2]),
        sku=st.sampled_from((*SKUS, "")),
        node=st.sampled_from((*NODES, "")),
        made=some_rule,
    )
    def set_rule(self, channel: str, sku: str, node: str, made: Rule) -> None:
        parameters = {"channel": channel, "sku": sku, "node_id": node, **vars(made)}
        self.act(lambda connection: connection.execute(RULE, parameters))
        self.model.rules[channel, sku, node] = made

    @rule(
        row=some_rows,
        quantity=st.integers(-6, 8),
        damaged=st.integers(-2, 2),
        quarantine=st.integers(-2, 2),
        again=st.booleans(),
        past=st.booleans(),
    )
    def move(self, row: Row, quantity: int, damaged: int, quarantine: int, *, again: bool, past: bool) -> None:
        key = f"move/{len(self.moved)}"
        movement = Movement(*row, quantity, LedgerKind.CONDITION, "test", key, damaged=damaged, quarantine=quarantine)
        before = self.model.balances.get(row, Balance())
        after = Balance(**vars(before))
        seen = past and before.counted
        after.on_hand += 0 if seen else quantity
        after.moved += 0 if seen else quantity
        after.damaged += damaged
        after.quarantine += quarantine

        async def moved(connection: AsyncConnection) -> bool:
            answer = await stock.move(connection, movement, actor="test", at=PAST if past else datetime.now(UTC))
            assert {name: answer[name] for name in ("on_hand", "damaged", "quarantine", "reserved")} == {
                name: getattr(after, name) for name in ("on_hand", "damaged", "quarantine", "reserved")
            }
            return bool(answer["applied"])

        if not after.possible:
            assert self.refused(moved)
            return
        assert self.act(moved)
        self.moved.add((key, row))
        self.model.balances[row] = after
        if again:
            # What moved nothing left no trace, and moves nothing again.
            assert self.act(moved) == (before.quantities == after.quantities)

    @rule(target=holds, data=st.data(), size=st.integers(1, 4))
    def take(self, data: st.DataObject, size: int) -> Any:
        known = sorted(self.model.holds)
        requests: list[SoftRequest] = []
        for _ in range(size):
            repeats = bool(known) and data.draw(st.integers(0, 9)) == 0
            hold_id = data.draw(st.sampled_from(known)) if repeats else self.new_id("soft")
            units = data.draw(some_units)
            requests.append(
                SoftRequest(
                    id=hold_id,
                    channel=data.draw(st.sampled_from(CHANNELS)),
                    owner=data.draw(st.sampled_from(("ann", "bob", "cid", hold_id))),
                    reason="cart",
                    seconds=600,
                    units=tuple(SoftUnits(node, sku, quantity) for (node, sku), quantity in units.items()),
                    brokering=data.draw(st.booleans()),
                )
            )
            if len({request.id for request in requests}) < len(requests):
                requests.pop()
        verdicts = self.act(lambda connection: soft.take(connection, requests))
        assert verdicts == self.model.take(requests)
        return multiple(
            *(request.id for request, verdict in zip(requests, verdicts, strict=True) if verdict == "taken")
        )

    @rule(hold_id=holds, seconds=st.sampled_from((1, 600, 1200)))
    def extend(self, hold_id: str, seconds: int) -> None:
        until = self.act(lambda connection: soft.extend(connection, hold_id, max(seconds, 600)))
        hold = self.model.holds[hold_id]
        assert (until is not None) == (hold.active and not hold.lapsed)

    @rule(hold_id=holds)
    def lapse(self, hold_id: str) -> None:
        self.act(lambda connection: connection.execute(LAPSE, {"id": hold_id}))
        self.model.holds[hold_id].lapsed = True

    @rule(hold_id=holds)
    def release_soft(self, hold_id: str) -> None:
        answer = self.act(lambda connection: soft.release(connection, hold_id, reason="test", actor="test"))
        assert answer == (self.model.let_go(hold_id) is not None)

    @rule(row=st.none() | some_rows)
    def sweep(self, row: Row | None) -> None:
        node, sku = row or (None, None)
        assert self.act(lambda connection: soft.sweep(connection, node, sku)) == self.model.sweep(row)

    @rule(
        target=fulfilments,
        channel=st.sampled_from(CHANNELS),
        wanted=some_units,
        day=st.sampled_from(DAYS),
        service=st.sampled_from(("standard", "express")),
    )
    def reserve(self, channel: str, wanted: dict[Row, int], day: date, service: str) -> Any:
        return self._reserve(self.new_id("o"), channel, wanted, day, service, None)

    @rule(target=fulfilments, hold_id=holds, more=st.dictionaries(some_rows, st.integers(0, 2), max_size=2))
    def convert(self, hold_id: str, more: dict[Row, int]) -> Any:
        """A hold becomes an order of its units and some more; where they are not free, neither happens."""
        hold = self.model.holds[hold_id]
        if not hold.units:
            order_id = self.new_id("o")
            assert self.act(lambda connection: soft.convert(connection, hold_id, order_id)) == {}
            self.model.let_go(hold_id)
            return multiple()
        wanted = {row: hold.units.get(row, 0) + more.get(row, 0) for row in {**hold.units, **more}}
        wanted = {row: quantity for row, quantity in wanted.items() if quantity}
        return self._reserve(self.new_id("o"), hold.channel, wanted, DAYS[0], "standard", hold_id)

    def _reserve(
        self, order_id: str, channel: str, wanted: dict[Row, int], day: date, service: str, hold_id: str | None
    ) -> Any:
        units = units_of(order_id, wanted)
        work = [WorkDay(node, day, service) for node in sorted({unit.node_id for unit in units})]

        kept = copy.deepcopy((self.model.holds, self.model.balances))
        owned = {} if hold_id is None else self.model.let_go(hold_id) or {}

        async def reserved(connection: AsyncConnection) -> None:
            if hold_id is not None:
                assert await soft.convert(connection, hold_id, order_id, list(wanted)) == owned
            await write_order(connection, order_id, units)
            await stock.reserve(connection, order_id, channel, units, work, MONDAY_NOON, owned)

        try:
            self.act(reserved)
        except OutOfReach:
            done = False
        else:
            done = True
        assert done == self.model.reserve(channel, order_id, units, work, owned)
        if not done:
            self.model.holds, self.model.balances = kept
        return multiple(*{unit.fulfilment_id: None for unit in units if done})

    @rule(fulfilment_id=fulfilments, data=st.data())
    def release(self, fulfilment_id: str, data: st.DataObject) -> None:
        held = self.model.firm[fulfilment_id]
        asked = {line: data.draw(st.integers(1, quantity + 1)) for line, (_, quantity) in held.lines.items()}
        asked["gone"] = 1
        key = self.new_id("release")

        def released(connection: AsyncConnection) -> Awaitable[None]:
            return stock.release(
                connection,
                held.order_id,
                fulfilment_id,
                asked,
                business_key=key,
                reason="test",
                actor="test",
                at=MONDAY_NOON,
            )

        if any(quantity > held.lines[line][1] for line, quantity in asked.items() if line in held.lines):
            assert self.refused(released), "more went back than was reserved"
        else:
            self.act(released)
            self.model.release(fulfilment_id, asked)

    @rule(fulfilment_id=fulfilments, times=st.integers(1, 2), past=st.booleans())
    def consume(self, fulfilment_id: str, times: int, *, past: bool) -> None:
        at = PAST if past else datetime.now(UTC)
        order_id = self.model.firm[fulfilment_id].order_id
        for _ in range(times):
            self.act(lambda connection: stock.consume(connection, order_id, fulfilment_id, actor="test", at=at))
        self.model.consume(fulfilment_id, past=past)

    @rule(row=some_rows, quantity=st.integers(0, 14), recent=st.booleans(), again=st.booleans())
    def count(self, row: Row, quantity: int, *, recent: bool, again: bool) -> None:
        node, sku = row
        # Of those that were reserved in one statement the database knows which is the youngest.
        held = self.act(lambda connection: connection.execute(YOUNGEST_FIRST, {"node_id": node, "sku": sku}))
        youngest = [soft_id for (soft_id,) in held if not self.model.holds[soft_id].lapsed]
        self.number += 1
        counted = Count(node, sku, quantity, datetime.now(UTC) if recent else BEFORE, self.number)
        outcome = self.model.count(row, quantity, youngest, recent=recent)
        for expected in (outcome, "late" if outcome == "late" else "repeated")[: 2 if again else 1]:
            (answer,) = self.act(lambda connection: counts.apply(connection, [counted], "scanner", "test"))
            assert answer.outcome == expected

    @rule(row=some_rows, ofl=st.none() | st.integers(0, 4), promise=st.none() | st.integers(0, 4), again=st.booleans())
    def set_safety(self, row: Row, ofl: int | None, promise: int | None, *, again: bool) -> None:
        setting = SafetySetting(*row, ofl, promise, "test", self.new_id("safety"))
        balance = self.model.touch(row)
        balance.safety = balance.safety if ofl is None else ofl
        balance.promise_safety = balance.promise_safety if promise is None else promise
        for expected in ("applied", "repeated")[: 2 if again else 1]:
            (answer,) = self.act(lambda connection: safety.put(connection, [setting], "test"))
            assert answer.outcome == expected
            assert (answer.safety_stock, answer.promise_safety) == (balance.safety, balance.promise_safety)

    @rule(node=st.sampled_from(NODES), day=st.sampled_from(DAYS), service=st.sampled_from(("standard", "express")))
    def give_day_back(self, node: str, day: date, service: str) -> None:
        self.act(lambda connection: stock.give_day_back(connection, WorkDay(node, day, service)))
        for key in ((node, day, ""), (node, day, service)):
            self.model.days[key] = max(self.model.days[key] - 1, 0)

    @invariant()
    def the_books_are_what_the_model_says(self) -> None:
        found = self.act(lambda connection: connection.execute(BOOKS)).all()
        assert {(row.node_id, row.sku) for row in found} == set(self.model.balances)
        for row in found:
            balance = self.model.balances[row.node_id, row.sku]
            says = list(row)[2:9]
            assert says == balance.quantities, f"balance of {row.node_id} {row.sku}"
            assert row.ledger == says, f"ledger of {row.node_id} {row.sku}"
            assert row.held == [balance.reserved, balance.soft], f"reservations of {row.node_id} {row.sku}"
            assert 0 <= row.reserved + row.reserved_soft <= row.on_hand

    @invariant()
    def what_is_available_is_what_the_model_says(self) -> None:
        for channel in CHANNELS:

            async def read_all(connection: AsyncConnection, of: str = channel) -> CursorResult[Any]:
                return await connection.execute(AVAILABLE, {"channel": of})

            read = self.act(read_all).all()
            assert {(node, sku): (ofl, promise) for node, sku, ofl, promise in map(tuple, read)} == {
                row: (
                    self.model.available(channel, row, brokering=True),
                    self.model.available(channel, row, brokering=False),
                )
                for row in self.model.balances
            }


@pytest.fixture
def driven(database_url: str) -> Iterator[type[StockMachine]]:
    """The machine with an event loop and a database of its own."""
    engine = database.create(database_url, 1)
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:

        async def prepared() -> None:
            async with engine.begin() as connection:
                await network(connection, NODES, SKUS, CHANNELS, capacity=CAPACITY, express=EXPRESS)

        runner.run(prepared())
        StockMachine.runner, StockMachine.engine, StockMachine.steps = runner, engine, 0
        yield StockMachine
        runner.run(engine.dispose())


def test_every_answer_and_every_balance_is_the_models(driven: type[StockMachine]) -> None:
    health = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    run_state_machine_as_test(
        driven,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=health,
            database=None,
            phases=[Phase.generate],  # making a failure shorter would take minutes of a real database
        ),
    )
    assert driven.steps > 1000, "hardly anything was tried"
