"""The rounds: everything in turns, so that a machine that drifts drifts under all of it and under the yardstick too."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine

from bench.stock import importing, results, server, taking, world
from bench.stock.looking import Looker
from bench.stock.pgbench import Mode, PgBench
from bench.stock.results import Results, Round
from bench.stock.taking import Grouped, Requests, one_statement
from store import stock
from store.database import engine as database

POOL = 8
WARM_UP_SECONDS = 2.0
BARE = "UPDATE stock SET updated_at = now() WHERE node_id = 'n1' AND sku = 's1';\n"
"""The least a transaction can do to a row: what the row itself allows, before anything is reserved or written down."""
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured; times in seconds."""

    rounds: int
    seconds: float
    warm_up: float
    nodes: int
    skus: int
    baskets: int
    many_nodes: int
    many_skus: int
    asked_skus: int
    looks: int


FULL = Plan(
    rounds=3, seconds=3, warm_up=0.5, nodes=10, skus=10_000, baskets=4_000,
    many_nodes=200, many_skus=5_000, asked_skus=1_000, looks=40,
)  # fmt: skip
QUICK = Plan(
    rounds=1, seconds=1, warm_up=0.2, nodes=2, skus=200, baskets=400,
    many_nodes=20, many_skus=200, asked_skus=50, looks=5,
)  # fmt: skip


async def run(url: str, folder: Path, plan: Plan, say: Say) -> Results:
    """Measures everything on the server; `say` hears of each step."""
    found = Results()
    hot = server.database(url, "hot")
    async with _engine(hot) as engine:
        await _taking(_Taking(engine, hot, folder, plan), found, say)
    async with _engine(server.database(url, "million")) as engine:
        await _million(engine, folder, plan, found, say)
    return found


@asynccontextmanager
async def _engine(url: str) -> AsyncIterator[AsyncEngine]:
    engine = database.create(url, POOL)
    try:
        yield engine
    finally:
        await engine.dispose()


@dataclass(frozen=True, slots=True)
class _Taking:
    engine: AsyncEngine
    url: str
    folder: Path
    plan: Plan

    async def prepare(self) -> None:
        """Stock without end, pgbench's own tables, the scripts."""
        await world.write(self.engine, range(self.plan.nodes + 1), self.plan.skus)
        await world.stock_all(self.engine, taking.BASKET_NODE)
        PgBench(server.plain(self.url)).prepare()
        anything = {"n": f"random(1, {self.plan.nodes})", "k": f"random(1, {self.plan.skus})"}
        for name, node, sku, variables in (
            ("hot", "'n1'", "'s1'", {}),
            ("uniform", "'n' || :n", "'s' || :k", anything),
        ):
            script = await taking.script_of_take(self.engine, node, sku, variables)
            await asyncio.to_thread((self.folder / f"{name}.sql").write_text, script)
        await asyncio.to_thread((self.folder / "bare.sql").write_text, BARE)
        await world.settle(self.engine)

    def on_the_server(self, seconds: float) -> dict[str, Callable[[], float]]:
        """What pgbench measures: its own test, and the store's statement."""
        pgbench = PgBench(server.plain(self.url))

        def script(name: str, clients: int, mode: Mode = "simple") -> Callable[[], float]:
            return partial(pgbench.of_script, self.folder / f"{name}.sql", clients, seconds, mode)

        return {
            results.BASELINE: partial(pgbench.without_branches, 8, seconds, "simple"),
            results.BASELINE_PREPARED: partial(pgbench.without_branches, 8, seconds, "prepared"),
            results.HOT_BARE: script("bare", 8),
            results.HOT_8: script("hot", 8),
            results.HOT_32: script("hot", 32),
            results.HOT_8_PREPARED: script("hot", 8, "prepared"),
            results.UNIFORM: script("uniform", 8),
        }

    async def through_the_pool(self, found: Results, requests: Requests, say: Say) -> None:
        """What one process of the system does with its eight connections."""
        single, grouped = one_statement(self.engine), Grouped(self.engine)
        uniform = partial(requests.uniform, self.plan.nodes, self.plan.skus)
        for name, take, made, callers in (
            (results.HOT_POOL_8, single, requests.hot, 8),
            (results.HOT_POOL_32, single, requests.hot, 32),
            (results.HOT_GROUPED, grouped.queue(), requests.hot, 128),
            (results.UNIFORM_GROUPED, grouped.queue(), uniform, 128),
        ):
            say(name)
            one = await taking.for_a_while(take, made, callers, self.plan.seconds, self.plan.warm_up)
            found.add(name, one)
        for name, take, callers in (
            (results.BASKETS, single, 8),
            (results.BASKETS_GROUPED, grouped.queue(), 128),
        ):
            say(name)
            before = grouped.crowded
            one = await taking.until_sold_out(self.engine, take, requests, callers, self.plan.baskets)
            crowded = f", {grouped.crowded - before:,} times crowded out and tried again"
            found.add(name, Round(one.rate, one.seconds, one.note + (crowded if grouped.crowded > before else "")))


async def _taking(bench: _Taking, found: Results, say: Say) -> None:
    say("stock without end, pgbench's tables")
    await bench.prepare()
    for name, measure in bench.on_the_server(WARM_UP_SECONDS).items():
        say(f"warming up: {name}")
        measure()
    requests = Requests()
    for number in range(1, bench.plan.rounds + 1):
        say(f"round {number} of {bench.plan.rounds}")
        for name, measure in bench.on_the_server(bench.plan.seconds).items():
            say(name)
            found.add(name, Round(measure()))
        await bench.through_the_pool(found, requests, say)
    async with bench.engine.connect() as connection:
        totals, differences = await stock.check(connection)
    if differences:
        raise RuntimeError(f"the books differ after the load: {differences[:3]}")
    found.remarks.append(f"books after the load: {totals['ledger_entries']:,} ledger entries, no difference")


async def _million(engine: AsyncEngine, folder: Path, plan: Plan, found: Results, say: Say) -> None:
    balances = plan.many_nodes * plan.many_skus
    say(f"a file of {balances:,} rows, imported")
    await world.write(engine, range(1, plan.many_nodes + 1), plan.many_skus)
    path = folder / "counts.csv"
    wrong = importing.write_file(path, plan.many_nodes, plan.many_skus)
    found.add(results.IMPORT, await importing.run(engine, path, wrong))
    await world.settle(engine)
    say(f"availability at {balances:,} balances")
    looker = Looker(engine, plan.many_nodes, plan.many_skus)
    await looker.one_sku(3)
    await looker.many_skus(1, plan.asked_skus)
    for _ in range(plan.rounds):
        found.add(results.ONE_SKU, await looker.one_sku(plan.looks))
        found.add(results.MANY_SKUS, await looker.many_skus(max(plan.looks // 4, 1), plan.asked_skus))
