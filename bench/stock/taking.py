"""Soft reservations: with pgbench on the server's side, and through the system's own pool from one process."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from time import perf_counter

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from bench.stock import world
from bench.stock.pgbench import script
from bench.stock.recording import recorded
from bench.stock.results import Round
from store.database.engine import reading
from store.stock import soft
from store.stock.grouped import ReservationQueue
from store.stock.soft import ReservationVerdict, SoftRequest, SoftUnits

HELD_SECONDS = 3600
BASKET_LINES = 3
BASKET_SKUS = 50
BASKET_NODE = "n0"
"""It holds nothing but what baskets are made of."""

Take = Callable[[SoftRequest], Awaitable[ReservationVerdict]]


async def script_of_take(engine: AsyncEngine, node: str, sku: str, variables: dict[str, str]) -> str:
    """What `soft.take` sends for one unit, as a pgbench script; `node` and `sku` are SQL."""
    with recorded(engine) as statements:
        async with engine.connect() as connection:  # rolled back at the end
            await soft.take(connection, [Requests().of(SoftUnits("n1", "s1", 1))])
    return script(statements[-1].text, _values(node, sku), {"rid": "random(1, 1000000000000000)", **variables})


def _values(node: str, sku: str) -> dict[str, str]:
    who = "'p-' || :client_id || '-' || :rid"
    return {
        "ids": f"ARRAY[{who}]",
        "channels": f"ARRAY['{world.CHANNEL}']",
        "owners": f"ARRAY[{who}]",
        "reasons": "ARRAY['cart']",
        "seconds": f"ARRAY[{HELD_SECONDS}]",
        "documents": "ARRAY['{}']",
        "brokerings": "ARRAY[false]",
        "u_requests": "ARRAY[1]",
        "u_nodes": f"ARRAY[{node}]",
        "u_skus": f"ARRAY[{sku}]",
        "u_quantities": "ARRAY[1]",
        "u_owned": "ARRAY[0]",
    }


@dataclass(slots=True)
class Requests:
    """Requests that nobody made before."""

    numbers: count[int] = field(default_factory=count)

    def of(self, *units: SoftUnits) -> SoftRequest:
        """A cart with these units."""
        name = f"c-{next(self.numbers)}"
        return SoftRequest(name, world.CHANNEL, name, "cart", HELD_SECONDS, units)

    def hot(self) -> SoftRequest:
        """One unit that everybody wants."""
        return self.of(SoftUnits("n1", "s1", 1))

    def uniform(self, nodes: int, skus: int) -> SoftRequest:
        """One unit of anything."""
        return self.of(SoftUnits(f"n{random.randint(1, nodes)}", f"s{random.randint(1, skus)}", 1))

    def basket(self) -> SoftRequest:
        """A unit each of three of the fifty SKUs everybody wants."""
        lines = random.sample(basket_skus(), BASKET_LINES)
        return self.of(*(SoftUnits(BASKET_NODE, sku, 1) for sku in lines))


def basket_skus() -> Sequence[str]:
    """What baskets are made of."""
    return [f"s{number}" for number in range(1, BASKET_SKUS + 1)]


def one_statement(engine: AsyncEngine) -> Take:
    """Each request in a statement of its own, through the pool."""
    single = reading(engine)

    async def take(request: SoftRequest) -> ReservationVerdict:
        async with single.connect() as connection:
            return (await soft.take(connection, [request]))[0]

    return take


@dataclass(slots=True)
class Grouped:
    """The queue, and how often it tried a request again because others crowded it out."""

    engine: AsyncEngine
    crowded: int = 0

    def queue(self) -> Take:
        """Requests that wait share a statement."""
        outer = self

        class Counting(ReservationQueue):
            async def _together(self, requests: list[SoftRequest]) -> list[ReservationVerdict]:
                verdicts = await super()._together(requests)
                outer.crowded += verdicts.count(ReservationVerdict.CROWDED)
                return verdicts

        return Counting(self.engine).take


async def for_a_while(
    take: Take, made: Callable[[], SoftRequest], callers: int, seconds: float, warm_up: float
) -> Round:
    """So many callers, each asking as soon as it was answered; every answer has to be TAKEN."""
    begins = perf_counter() + warm_up
    ends = begins + seconds
    took: list[float] = []

    async def call() -> None:
        while (asked := perf_counter()) < ends:
            verdict = await take(made())
            answered = perf_counter()
            if verdict is not ReservationVerdict.TAKEN:
                raise RuntimeError(f"there is plenty, and the answer was {verdict}")
            if asked >= begins and answered <= ends:
                took.append(answered - asked)

    async with asyncio.TaskGroup() as group:
        for _ in range(callers):
            group.create_task(call())
    return Round(len(took) / seconds, took)


async def until_sold_out(engine: AsyncEngine, take: Take, requests: Requests, callers: int, baskets: int) -> Round:
    """Baskets for which there are three quarters of the units: who gets his matters as much as how fast."""
    held, free = await _basket_units(engine)
    wanted = baskets * BASKET_LINES * 3 // 4
    await world.restock(engine, basket_skus(), BASKET_NODE, max(wanted - free, 0) // BASKET_SKUS + 1)
    waiting = [requests.basket() for _ in range(baskets)]
    took: list[float] = []
    verdicts: Counter[ReservationVerdict] = Counter()

    async def call() -> None:
        while waiting:
            request, asked = waiting.pop(), perf_counter()
            verdicts[await take(request)] += 1
            took.append(perf_counter() - asked)

    began = perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(callers):
            group.create_task(call())
    seconds = perf_counter() - began
    units = (await _basket_units(engine))[0] - held
    if units != verdicts[ReservationVerdict.TAKEN] * BASKET_LINES:
        raise RuntimeError(f"{verdicts}, and {units} units were taken")
    return Round(
        baskets / seconds,
        took,
        f"{verdicts[ReservationVerdict.TAKEN]:,} taken, {verdicts[ReservationVerdict.REFUSED]:,} refused",
    )


_BASKET_UNITS = text("""
SELECT coalesce(sum(reserved_soft), 0)::int, coalesce(sum(on_hand - reserved_soft), 0)::int
FROM stock WHERE node_id = :node_id AND sku = ANY(:skus)
""")


async def _basket_units(engine: AsyncEngine) -> tuple[int, int]:
    """(units held, units free) of what baskets are made of."""
    async with engine.connect() as connection:
        row = await connection.execute(_BASKET_UNITS, {"node_id": BASKET_NODE, "skus": basket_skus()})
        held, free = row.one()
        return int(held), int(free)
