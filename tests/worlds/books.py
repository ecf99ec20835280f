"""What the books say: balances, and whether they agree with the ledger and with the reservations."""

from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from store import reconcile


async def balance(engine: AsyncEngine, node_id: str, sku: str) -> tuple[int, int]:
    """(on hand, reserved) of a SKU at a node."""
    async with engine.connect() as connection:
        row = await connection.execute(
            text("SELECT on_hand, reserved FROM stock WHERE node_id = :node_id AND sku = :sku"),
            {"node_id": node_id, "sku": sku},
        )
        on_hand, reserved = row.one()
        return on_hand, reserved


async def on_hand(engine: AsyncEngine, sku: str) -> int:
    """Units of a SKU on hand, over all nodes."""
    async with engine.connect() as connection:
        found = await connection.scalar(text("SELECT sum(on_hand) FROM stock WHERE sku = :sku"), {"sku": sku})
        return int(found or 0)


async def check_books(engine: AsyncEngine, *, reserved: int = 0) -> None:
    """Every balance is what its ledger and its reservations say, and so many units are firmly reserved in all."""
    assert await agree(engine) == reserved


async def agree(engine: AsyncEngine) -> int:
    """Every balance is what its ledger and its reservations say; answers how many units are firmly reserved."""
    async with engine.connect() as connection:
        totals, differences = await reconcile.check(connection)
    assert not differences
    assert totals["on_hand"] == totals["ledger_on_hand"]
    assert totals["reserved"] == totals["ledger_reserved"] == totals["firm"]
    assert totals["reserved_soft"] == totals["ledger_reserved_soft"] == totals["soft"]
    return int(totals["reserved"])


async def rows(engine: AsyncEngine, query: str, **parameters: object) -> list[tuple[Any, ...]]:
    """What a query of a test's own finds."""
    async with engine.connect() as connection:
        return [tuple(row) for row in await connection.execute(text(query), parameters)]


async def one(engine: AsyncEngine, query: str, **parameters: object) -> object:
    """The only value a query of a test's own finds."""
    async with engine.connect() as connection:
        return (await connection.execute(text(query), parameters)).scalar_one()
