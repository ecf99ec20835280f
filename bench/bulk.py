"""`python -m bench.bulk [--orders N]`: a node closes, and a bulk run sources its orders anew; stopped and resumed.

The baseline is what capturing the same orders costs in the same run: both plan each order once and reserve its stock.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Final

import uvloop
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from bench.stock import server
from cli.schema import SAMPLE_DATA
from dom.network import Sku
from dom.orders.bulk import BulkSelection, BulkStatus, SourceOrdersAgain
from dom.orders.intake import OrderRequest
from dom.orders.search_filter import OrderFilter
from dom.shared.access import Role, principal
from services import bulk_changes, bulk_runs
from services.bulk_runs import BulkCall
from services.capture import capture
from services.database import Database
from services.seed import seed
from store import stock
from store.database import engine as database
from store.enums import LedgerKind
from store.network import reference

SKU: Final = "BENCH-1"
NODES: Final = ("dc-daventry", "dc-doncaster")
WHO: Final = principal("bench", [Role.OPERATOR])
_CHECK: Final = text("""
SELECT (SELECT count(*) FROM (SELECT order_id FROM timeline WHERE kind = 'fulfilment_rejected'
                              GROUP BY order_id HAVING count(*) > 1) twice) AS twice,
       (SELECT count(*) FROM bulk_items WHERE outcome = 'done') AS done,
       (SELECT count(*) FROM bulk_items WHERE outcome IS DISTINCT FROM 'done') AS other,
       (SELECT count(*) FROM fulfilments WHERE status = 'released' AND node_id = :closed) AS left_behind,
       (SELECT sum(reserved) FROM stock WHERE sku = :sku) AS reserved,
       (SELECT sum(l.quantity - l.cancelled) FROM order_lines l WHERE l.sku = :sku) AS ordered
""")


def order(number: int) -> OrderRequest:
    """An order of one unit, to Leeds."""
    body = {
        "channel": "web",
        "external_id": f"bench-{number}",
        "placed_at": datetime.now(UTC),
        "currency": "GBP",
        "customer": {"id": f"C{number}", "name": "Ada Young", "email": "ada@customer.example"},
        "ship_to": {"name": "Ada Young", "lines": ["1 Mill Lane"], "city": "Leeds", "postal_code": "LS1 4AP",
                    "country": "GB"},
        "lines": [{"line_id": "1", "sku": SKU, "quantity": 1, "unit_price": 1000}],
    }  # fmt: skip
    return OrderRequest.model_validate(body)


async def measure(url: str, orders: int) -> None:
    """Capture, close, source again in two parts, check, print."""
    engine = database.create(url, 8)
    try:
        async with engine.begin() as connection:
            await reference.put_skus(
                connection, [Sku(id=SKU, weight_grams=400, length_mm=50, width_mm=50, height_mm=50)]
            )
            for node_id in NODES:
                opening = stock.Movement(node_id, SKU, 2 * orders, LedgerKind.OPENING, "bench", "bench")
                await stock.move(connection, opening, actor="bench", at=datetime.now(UTC))
        captured = await _capture(Database(engine), orders)
        closed = await _node_of_most(engine)
        sourced, stopped_at = await _source_again(engine, closed)
        async with engine.connect() as connection:
            found = (await connection.execute(_CHECK, {"closed": closed, "sku": SKU})).mappings().one()
    finally:
        await engine.dispose()
    print(f"{orders:,} orders captured, 4 at a time: {captured:.1f} orders/s")
    print(f"stopped after {stopped_at:,}, resumed, sourced again without {closed}: {sourced:.1f} orders/s")
    print(f"sourcing again to capture: {sourced / captured:.2f}")
    print(f"{dict(found)}")


async def _capture(house: Database, orders: int) -> float:
    numbers, began = iter(range(orders)), perf_counter()

    async def some() -> None:
        for number in numbers:
            await capture(house, order(number))

    await asyncio.gather(*(some() for _ in range(bulk_changes.SIDE_BY_SIDE)))
    return orders / (perf_counter() - began)


async def _node_of_most(engine: AsyncEngine) -> str:
    query = text("SELECT node_id FROM fulfilments GROUP BY node_id ORDER BY count(*) DESC LIMIT 1")
    async with engine.connect() as connection:
        return str(await connection.scalar(query))


async def _source_again(engine: AsyncEngine, closed: str) -> tuple[float, int]:
    """Orders a second, and how many had been done when it was stopped in the middle."""
    call = BulkCall(SourceOrdersAgain(node_id=closed), BulkSelection(filter=OrderFilter(node=(closed,))), "it closed")
    house, never = Database(engine), asyncio.Event()
    async with engine.begin() as connection:
        run, _ = await bulk_runs.ask(connection, WHO, call, datetime.now(UTC))
    began, stopped_at = perf_counter(), 0
    while (far := await bulk_changes.progress(house, run.id)).status is not BulkStatus.DONE:
        done = sum(far.outcomes.values())
        if not stopped_at and done >= far.orders / 2:
            stopped_at = done
            async with engine.begin() as connection:
                await bulk_runs.stop(connection, WHO, run.id)
            await bulk_changes.change_next(house, run.id, never)
            after = await bulk_changes.progress(house, run.id)
            if sum(after.outcomes.values()) != done:
                raise RuntimeError("a stopped run goes on")
            async with engine.begin() as connection:
                await bulk_runs.resume(connection, WHO, run.id)
        await bulk_changes.change_next(house, run.id, never)
    return far.orders / (perf_counter() - began), stopped_at


def main() -> None:
    """Measure on a PostgreSQL of its own."""
    parser = argparse.ArgumentParser(prog="python -m bench.bulk", description=__doc__)
    parser.add_argument("--orders", type=int, default=5000, help="how many orders there are")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="dom-bench-", ignore_cleanup_errors=True) as folder,
        server.running(Path(folder)) as url,
    ):
        made = server.database(url, "bulk")
        seed(made, SAMPLE_DATA)
        uvloop.run(measure(made, options.orders))


if __name__ == "__main__":
    main()
