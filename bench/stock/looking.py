"""Availability at a million balances: one SKU at every node, and a thousand SKUs in one call."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime
from time import perf_counter

from sqlalchemy.ext.asyncio import AsyncEngine

from bench.stock import world
from bench.stock.recording import access, explained, recorded
from bench.stock.results import Round
from store.availability import availability
from store.availability.availability import AvailabilityRequest
from store.database.engine import reading
from store.network.reference import ReferenceCache

WATCHED = "stock"


class Looker:
    """Asks as the API does: over one connection of the pool, without a transaction."""

    def __init__(self, engine: AsyncEngine, nodes: int, skus: int) -> None:
        self._engine = engine
        self._reading = reading(engine)
        self._nodes = nodes
        self._skus = skus
        self._cache = ReferenceCache()

    async def one_sku(self, times: int) -> Round:
        """One SKU, each of its balances."""
        return await self._times(times, 1, by_node=True)

    async def many_skus(self, times: int, skus: int) -> Round:
        """Many SKUs in one call, the sum of each one's balances."""
        return await self._times(times, skus, by_node=False)

    async def _times(self, times: int, skus: int, *, by_node: bool) -> Round:
        took = []
        for _ in range(times):
            asked = self._asked(skus, by_node=by_node)
            began = perf_counter()
            await self._look(asked)
            took.append(perf_counter() - began)
        plan = await self._plan(skus, by_node=by_node)
        return Round(times / sum(took), took, f"{skus:,} of {self._skus:,} SKUs at {self._nodes} nodes; {plan}")

    def _asked(self, skus: int, *, by_node: bool) -> AvailabilityRequest:
        wanted = [f"s{number}" for number in random.sample(range(1, self._skus + 1), skus)]
        return AvailabilityRequest(skus=wanted, at=datetime.now(UTC), channel=world.CHANNEL, by_node=by_node)

    async def _look(self, asked: AvailabilityRequest) -> None:
        async with self._reading.connect() as connection:
            answer = await availability.look(connection, self._cache, asked)
        if not all(found.outlook.now for found in answer.found):
            raise RuntimeError("a SKU that is everywhere is nowhere")

    async def _plan(self, skus: int, *, by_node: bool) -> str:
        """How its statements reach the balances; raises RuntimeError if one reads the whole table."""
        with recorded(self._engine) as statements:
            await self._look(self._asked(skus, by_node=by_node))
        found: list[tuple[str, str]] = []
        async with self._engine.connect() as connection:
            for statement in statements:
                if f" {WATCHED} " in statement.text:
                    found += access(await explained(connection, statement))
        return judged(found)


def judged(found: Sequence[tuple[str, str]]) -> str:
    """In words how the balances are reached; raises RuntimeError for a scan of all of them, or if none is read."""
    ways = sorted({kind for kind, table in found if table == WATCHED})
    if not ways:
        raise RuntimeError("no statement was seen that reads balances")
    if "Seq Scan" in ways:
        raise RuntimeError(f"the whole table of balances is read: {found}")
    return f"{WATCHED}: {', '.join(ways)}"
