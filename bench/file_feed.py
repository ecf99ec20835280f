"""`python -m bench.file_feed [--orders N]`: a CSV file of orders through its connector, restarted in the middle.

The connector is asked page by page, as the feed of a channel asks it; what it lists is counted and let go, so
that the memory that is measured is its own. Half way it is thrown away, and another one goes on with the position,
through JSON.
No database: what keeping a message costs is measured elsewhere (docs/performance.md).
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import psutil

from connectors.channels.files.connector import FilesConnector
from connectors.channels.port import FeedSpan
from dom.channels.connection import Connection, Platform

ROWS: Final = 3
"""Of an order."""
EVER: Final = FeedSpan(since=datetime(1970, 1, 1, tzinfo=UTC))
_NUMBER: Final = re.compile(rb"SO-(\d+)")
MEBIBYTE: Final = 1 << 20
HEAD: Final = (
    "order_number;line;sku;name;quantity;price;currency;placed_at;customer_name;email;street;city;postcode;country\n"
)


@dataclass
class FeedTold:
    """What was read: how often each order came, orders and pages, the largest position, memory (bytes)."""

    times: bytearray
    orders: int = 0
    pages: int = 0
    position: int = 0
    seconds: float = 0.0
    memory: list[int] = field(default_factory=list)


def write(path: Path, orders: int) -> None:
    """A file of orders with three rows each: quotes, decimal commas, letters beyond ASCII."""
    with path.open("w", encoding="windows-1252", newline="") as file:
        file.write(HEAD)
        for number in range(orders):
            rest = f'GBP;2026-03-02 12:00;"Zoë ""Z"" Müller";z{number}@customer.example;12 Mill Lane;Leeds;LS1 4AP;GB\n'
            for line in range(1, ROWS + 1):
                file.write(f"SO-{number};{line};SKU-{number % 97}-{line};Holder, white;{line};2,55;{rest}")


async def read(folder: Path, orders: int) -> FeedTold:
    """Read the folder to the end, with another connector from the middle on."""
    told, process = FeedTold(bytearray(orders)), psutil.Process()
    position: dict[str, Any] = {}
    settings = {"folder": str(folder), "settle_seconds": 0, "order_column": "order_number"}
    how = Connection(platform=Platform.FILES, settings=settings)
    connector, is_first, done = FilesConnector(how, {}), True, False
    begun = perf_counter()
    while not done:
        page = await connector.page(position, EVER)
        kept = json.dumps(page.position)
        position, done = json.loads(kept), page.done
        told.orders += len(page.orders)
        for each in page.orders:
            found = _NUMBER.search(each.body)
            if found is not None:
                told.times[int(found[1])] += 1
        told.pages += 1
        told.position = max(told.position, len(kept))
        told.memory.append(process.memory_info().rss)
        if is_first and told.orders >= orders // 2:
            connector, is_first = FilesConnector(how, {}), False
    told.seconds = perf_counter() - begun
    return told


def show(told: FeedTold, size: int) -> bool:
    """The figures; whether every order came once."""
    rows = told.orders * ROWS
    tenth = max(len(told.memory) // 10, 1)
    early, late = max(told.memory[:tenth]), max(told.memory[-tenth:])
    figures: list[tuple[str, str]] = [
        ("orders, rows", f"{told.orders:,}, {rows:,}"),
        ("size of the file", f"{size / MEBIBYTE:,.1f} MiB"),
        ("rows a second", f"{rows / told.seconds:,.0f}"),
        ("orders a second", f"{told.orders / told.seconds:,.0f}"),
        ("pages", f"{told.pages:,}"),
        ("largest position", f"{told.position:,} bytes"),
        ("memory in the first tenth", f"{early / MEBIBYTE:,.1f} MiB"),
        ("memory in the last tenth", f"{late / MEBIBYTE:,.1f} MiB"),
        ("peak", f"{max(told.memory) / MEBIBYTE:,.1f} MiB"),
    ]
    for name, figure in figures:
        print(f"{name:26} {figure:>22}")
    return set(told.times) == {1}


@contextmanager
def folder_with(orders: int) -> Iterator[Path]:
    """A folder with the file in it."""
    with tempfile.TemporaryDirectory() as made:
        write(Path(made) / "orders.csv", orders)
        yield Path(made)


def main() -> int:
    """Read, show; 1 if an order is missing or came twice."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=100_000)
    orders: int = parser.parse_args().orders
    with folder_with(orders) as folder:
        gc.collect()
        size = (folder / "orders.csv").stat().st_size
        told = asyncio.run(read(folder, orders))
    is_right = show(told, size) and told.orders == orders
    print("every order came once" if is_right else f"MISSED: {told.orders:,} of {orders:,} orders came")
    return 0 if is_right else 1


if __name__ == "__main__":
    sys.exit(main())
