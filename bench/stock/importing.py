"""A bulk import of counts: a million rows, 37 of them wrong, each to be named; how fast, and in how much memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from time import perf_counter

import psutil
from sqlalchemy.ext.asyncio import AsyncEngine

from bench.stock.results import Round
from store import imports
from store.enums import ImportKind
from store.imports import Format, Header

BAD_ROWS = 37
COUNTED = 1000
PART_BYTES = 256 * 1024
MEGABYTE = 1024 * 1024
HEADER = "node_id,sku,quantity"
WRONG = (
    "{node},{sku},-1",
    "{node},{sku},many",
    "nowhere,{sku},5",
    "{node},nothing,5",
    "{node},{sku}",
    '{node},"{sku},5',
    "{node},,5",
)
"""Ways to be wrong; each comes several times."""


def lines(nodes: int, skus: int, bad: int = BAD_ROWS) -> Iterator[tuple[str, bool]]:
    """The file's lines after the header, node by node as a warehouse sends them, and whether each is right.

    Wrong ones are spread over the whole file, and the last line is one of them.
    """
    total = nodes * skus
    wrong = {total * number // bad: number for number in range(1, bad + 1)}
    number = 0
    for node in range(1, nodes + 1):
        for sku in range(1, skus + 1):
            number += 1
            names = {"node": f"n{node}", "sku": f"s{sku}"}
            if number in wrong:
                yield WRONG[wrong[number] % len(WRONG)].format(**names), False
            else:
                yield f"n{node},s{sku},{COUNTED}", True


def write_file(path: Path, nodes: int, skus: int) -> list[int]:
    """Writes the file; answers the numbers of its wrong lines."""
    wrong = []
    with path.open("w") as file:
        file.write(f"{HEADER}\n")
        for number, (line, right) in enumerate(lines(nodes, skus), 2):
            file.write(f"{line}\n")
            if not right:
                wrong.append(number)
    return wrong


async def run(engine: AsyncEngine, path: Path, wrong: list[int]) -> Round:
    """Receives and applies the file in this process; raises RuntimeError unless each wrong row is named."""
    at = datetime.now(UTC)
    header = Header(ImportKind.COUNTS, Format.CSV, False, "bench", at, 1, "bench")
    with memory() as used:
        began = perf_counter()
        received, _ = await imports.receive(engine, header, _parts(path))
        staged = perf_counter()
        done = await imports.apply_all(engine, received.id)
        ended = perf_counter()
    named = [row["row"] async for row in imports.problems(engine, received.id)]
    if named != wrong:
        raise RuntimeError(f"wrong were {wrong}, named were {named}")
    note = f"received {done.rows / (staged - began):,.0f}/s, applied {done.rows / (ended - staged):,.0f}/s"
    return Round(done.rows / (ended - began), note=f"{note}; {len(named)} wrong rows named; memory {used}")


async def _parts(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while part := await asyncio.to_thread(file.read, PART_BYTES):
            yield part


@dataclass(slots=True)
class Memory:
    """What this process has in memory, in bytes."""

    start: int
    peak: int
    end: int

    def __str__(self) -> str:
        """At the start, at most, at the end."""
        return " / ".join(f"{each / MEGABYTE:.0f}" for each in (self.start, self.peak, self.end)) + " MB"


@contextmanager
def memory(every: float = 0.05) -> Iterator[Memory]:
    """Watches this process's memory to the end of the block."""
    process, done = psutil.Process(), Event()

    def look() -> int:
        now: int = process.memory_info().rss
        used.end, used.peak = now, max(used.peak, now)
        return now

    used = Memory(0, 0, 0)
    used.start = look()

    def watch() -> None:
        while not done.wait(every):
            look()

    watching = Thread(target=watch, daemon=True)
    watching.start()
    try:
        yield used
    finally:
        done.set()
        watching.join()
        look()
