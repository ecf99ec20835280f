"""The rounds: what is measured, one thing after the other, so that a machine that drifts drifts under all of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from statistics import mean
from time import perf_counter

from temporalio.client import Client

import worker
from bench.door import Door, WorkList, door
from bench.histories import history_of
from bench.looking import Looking, all_of
from bench.measure import own_seconds, processor_seconds, used_between
from bench.noop_driver import EmptyDriver, Ledger, NoOpWalker
from bench.orders import OrderWalker, Sample, Walked, make_plenty
from bench.results import EMPTY, FIFTEEN_LINES, NO_OP, ONE_LINE, Load, Results
from bench.servers import Servers
from bench.shape import Shape, shape_of
from cli.schema import SAMPLE_DATA

TEMPLATES = 40
HISTORIES_READ = 4
STEP_APART_SECONDS = 0.3
PATIENCE_SECONDS = 120.0
"""For one measurement; an order that never ends must not hold the bench for ever."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured; `alone` and the others count orders or workflows in each round."""

    rounds: int
    at_once: int
    alone: int
    empty: int
    noop: int
    one_line: int
    fifteen_lines: int


FULL = Plan(rounds=5, at_once=16, alone=25, empty=100, noop=100, one_line=100, fifteen_lines=30)
QUICK = Plan(rounds=2, at_once=16, alone=12, empty=40, noop=40, one_line=40, fifteen_lines=12)


@dataclass(frozen=True, slots=True)
class Bench:
    """All that a round needs."""

    plan: Plan
    servers: Servers
    temporal: Client
    door: Door
    one_line: Sample
    fifteen_lines: Sample
    orders: OrderWalker
    empty: EmptyDriver
    noop: NoOpWalker

    async def alone(self, results: Results) -> None:
        """One at a time, in turns: an empty workflow, the answer of a no-op order, the answer to an order."""
        took: dict[str, list[float]] = {EMPTY: [], NO_OP: [], ONE_LINE: []}
        unfinished: list[Callable[[], Awaitable[object]]] = []
        for _ in range(self.plan.alone):
            took[EMPTY].append((await self.empty.walk()).accept_seconds)
            noop_id, seconds = await self.noop.accept()
            took[NO_OP].append(seconds)
            order_id, seconds = await self.orders.capture(self.one_line.next())
            took[ONE_LINE].append(seconds)
            unfinished += [partial(self.noop.finish, noop_id), partial(self.orders.deliver, order_id)]
        results.add_alone(took)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await all_of(iter(unfinished), self.plan.at_once)

    async def load(self, name: str, count: int, walk: Callable[[], Awaitable[Walked]]) -> Load:
        """So many pieces of work, `at_once` of them in flight, with the processor time they took."""
        used, own, began = processor_seconds(self.servers.pids), own_seconds(), perf_counter()
        async with asyncio.timeout(PATIENCE_SECONDS):
            walked = await all_of((walk for _ in range(count)), self.plan.at_once)
        seconds = perf_counter() - began
        now = {**processor_seconds(self.servers.pids), "driver": own_seconds()}
        return Load(
            name=name,
            count=count,
            seconds=seconds,
            accept_seconds=[one.accept_seconds for one in walked],
            walk_seconds=[one.seconds for one in walked],
            fulfilments=mean(one.fulfilments for one in walked),
            cpu_ms=used_between({**used, "driver": own}, now, count),
            histories=[await history_of(self.temporal, one.workflow_id) for one in walked[-HISTORIES_READ:]],
        )

    def loads(self) -> Iterator[tuple[str, int, Callable[[], Awaitable[Walked]]]]:
        """What is measured under load in each round, in turns."""
        yield EMPTY, self.plan.empty, self.empty.walk
        yield NO_OP, self.plan.noop, self.noop.walk
        yield ONE_LINE, self.plan.one_line, lambda: self.orders.walk(self.one_line.next())
        yield FIFTEEN_LINES, self.plan.fifteen_lines, lambda: self.orders.walk(self.fifteen_lines.next())


async def run(servers: Servers, plan: Plan, say: Say) -> Results:
    """Measures everything; `say` hears of each step."""
    async with prepared(servers, plan, say) as bench:
        results = Results(bench.noop.shape, plan.at_once)
        for number in range(1, plan.rounds + 1):
            say(f"round {number} of {plan.rounds}: one at a time")
            await bench.alone(results)
            for name, count, walk in bench.loads():
                say(f"round {number} of {plan.rounds}: {name}, {count} of them, {plan.at_once} at once")
                results.add(await bench.load(name, count, walk))
        return results


@asynccontextmanager
async def prepared(servers: Servers, plan: Plan, say: Say) -> AsyncIterator[Bench]:
    """Stock for everybody, the shape of an order, and everything warm."""
    say("stock, the shape of a one-line order, warming up")
    async with AsyncExitStack() as open_now:
        temporal = await worker.connect(servers.settings)
        api = await open_now.enter_async_context(door(servers.addresses.api_url, servers.key))
        one_line, fifteen_lines = (Sample(SAMPLE_DATA, lines, TEMPLATES) for lines in (1, 15))
        await make_plenty(api, one_line.skus | fifteen_lines.skus)
        work_list = Looking[WorkList](api.work_list)
        await open_now.enter_async_context(work_list.going_on())
        shape = await _recorded_shape(OrderWalker(api, work_list, temporal, STEP_APART_SECONDS), one_line)
        ledger = Ledger(servers.ledger)
        open_now.callback(ledger.close)
        booked = Looking[set[str]](ledger.look)
        await open_now.enter_async_context(booked.going_on())
        bench = Bench(
            plan=plan,
            servers=servers,
            temporal=temporal,
            door=api,
            one_line=one_line,
            fifteen_lines=fifteen_lines,
            orders=OrderWalker(api, work_list, temporal),
            empty=EmptyDriver(temporal),
            noop=NoOpWalker(temporal, booked, shape),
        )
        for name, count, walk in bench.loads():
            await bench.load(name, max(count // 4, plan.at_once), walk)
        yield bench


async def _recorded_shape(orders: OrderWalker, sample: Sample) -> Shape:
    """Of one order, walked slowly, so that each of its steps stands for itself."""
    walked = await orders.walk(sample.next())
    history = await orders.temporal.get_workflow_handle(walked.workflow_id).fetch_history()
    return shape_of(history.events)
