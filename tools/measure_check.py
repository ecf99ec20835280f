"""`python -m tools.measure_check`: what `dom orders check` costs, with 100,000 orders in the store.

Temporal cannot be given 100,000 workflows in a minute: it holds `--running`, captured by a worker as in life, and as
many that have ended. The other orders stand in the store alone: first delivered, then some of them open and without a
process.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path
from time import perf_counter
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from cli.embedded import postgres, temporal
from processes.consistency import Comparison, Living
from store.database import engine as database
from store.database import migrate
from store.orders import processes
from tests.worlds import small
from tests.worlds.running import House

_AT_ONCE: Final = 4
_BATCH: Final = 200
_COPY: Final = text("""
INSERT INTO orders (id, channel, external_id, customer_id, status, currency, goods_total, document, content_hash,
                    placed_at)
SELECT 'web-copy-' || n, channel, 'copy-' || n, customer_id, 'delivered', currency, goods_total, document, content_hash,
       placed_at
FROM (SELECT * FROM orders ORDER BY id LIMIT 1) o, generate_series(1, :count) n
""")


async def measure(url: str, address: str, stored: int, running: int) -> None:
    """Fill both and compare them, in each of the ways an operator does."""
    engine = database.create(url, 20)
    try:
        async with engine.begin() as connection:
            await _world(connection)
        client = await Client.connect(address, data_converter=pydantic_data_converter)
        async with House(client, engine, allocates=False).working() as house:
            await _orders(house, running)
            await _measured(house, engine, stored - running)
    finally:
        await engine.dispose()


async def _world(connection: AsyncConnection) -> None:
    await small.write(connection)
    await small.open_channel(connection)


async def _orders(house: House, running: int) -> None:
    at_once = asyncio.Semaphore(_AT_ONCE)

    async def send(number: int) -> None:
        async with at_once:
            await house.send(small.order(f"live-{number}", NEVER=1))

    await asyncio.gather(*map(send, range(running)))


async def _measured(house: House, engine: AsyncEngine, others: int) -> None:
    living = Living(engine, house.client, house.task_queue)
    async with engine.begin() as connection:
        await connection.execute(_COPY, {"count": others})
    await asyncio.sleep(3)
    await _show("store agrees, most orders final", living.compare())
    await _show("the same, without what has ended", living.compare(ended=False))
    await _show("the same, thoroughly", living.compare(thoroughly=True, ended=False))
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE orders SET status = 'accepted' WHERE external_id LIKE 'copy-1___'"))
    await _show("a thousand without a process", living.compare(ended=False))
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE orders SET status = 'accepted'"))
        began = perf_counter()
        await processes.open_orders(connection)
        print(f"{perf_counter() - began:8.2f} s  reading the open orders, all of them open", flush=True)
    handles = [house.handle(small.order(f"live-{number}")) async for number in _numbers(house)]
    for start in range(0, len(handles), _BATCH):
        await asyncio.gather(*(handle.terminate() for handle in handles[start : start + _BATCH]))
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE orders SET status = 'delivered'"))
    await asyncio.sleep(3)
    await _show("all final: what has ended is looked for", living.compare())


async def _numbers(house: House) -> AsyncIterator[str]:
    query = f"TaskQueue = '{house.task_queue}'"
    async for each in house.client.list_workflows(query, page_size=1000):
        yield each.id.rpartition("-")[2]


async def _show(what: str, comparison: Awaitable[Comparison]) -> None:
    began = perf_counter()
    found = await comparison
    seconds = perf_counter() - began
    print(
        f"{seconds:8.2f} s  {what}: {found.open} open, {found.running} running, {found.ended} ended, "
        f"{found.asked} asked, {len(found.faults)} faults",
        flush=True,
    )


def main() -> None:
    """Measure, and print a line for each way."""
    parser = argparse.ArgumentParser(prog="python -m tools.measure_check", description=__doc__)
    parser.add_argument("--stored", type=int, default=100_000, help="orders in the store")
    parser.add_argument("--running", type=int, default=3_000, help="processes in Temporal")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dom-bench-", ignore_cleanup_errors=True) as folder:
        store = postgres.start(Path(folder) / "postgres")
        try:
            engine = temporal.start(Path(folder) / "temporal")
            try:
                migrate.upgrade(store.url)
                asyncio.run(measure(store.url, engine.address, options.stored, options.running))
            finally:
                engine.stop()
        finally:
            store.stop()


if __name__ == "__main__":
    main()
