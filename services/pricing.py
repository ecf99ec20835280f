"""What a unit of stock is worth where it lies is worked out anew, for SKUs that moved or whose prices fade out."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from datetime import timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from dom.sourcing.valuation.terms import PricingTerms
from dom.sourcing.valuation.value import pricing, shadow_prices
from services.database import Database
from store.availability import changes
from store.ledger import cursors
from store.ledger.cursors import Cursor
from store.sourcing import projection, stock_values
from store.sourcing.stock_values import Price

CURSOR: Final = "stock-values"
"""The cursor of what has been priced."""
BATCHES_AT_MOST: Final = 300
"""Of one run; what is left is the next one's."""
_TOGETHER: Final = 100
"""SKUs priced together at most: baskets that hold several of them share their parcels."""
_SKUS_TIMES_NODES: Final = 2000
"""So that a batch takes seconds in a large network, too."""
_RENEWED_BEFORE: Final = 4
"""A price is worked out anew in the last quarter of its lifetime, though nothing moved."""


async def is_asked(database: Database) -> bool:
    """Whether a strategy of the published policy asks what stock is worth."""
    async with database.statement() as connection:
        return pricing((await database.reference.now(connection)).policy) is not None


async def batches(database: Database, terms: PricingTerms) -> AsyncGenerator[int, None]:
    """Price the SKUs that moved before the run began, and those whose prices are about to fade out; yields how many,
    batch by batch. Each batch is written by itself: a run that is repeated goes on where the last one was.
    """
    async with database.statement() as connection:
        end = await cursors.end(connection)
    for _ in range(BATCHES_AT_MOST):
        skus = await _moved(database, terms, end) or await _fading(database, terms)
        if not skus:
            return
        yield skus


async def _moved(database: Database, terms: PricingTerms, end: Cursor) -> int:
    """Price the next SKUs that moved before the run began, and move the cursor; how many there were."""
    async with database.transaction() as connection:
        place = await cursors.ensure(connection, CURSOR, from_start=True)
        if place >= end:
            return 0
        found = await changes.read(connection, place, await _batch(database, connection))
    if found.skus:
        await _price(database, [each.sku for each in found.skus], terms, (place, found.cursor))
    return len(found.skus)


async def _fading(database: Database, terms: PricingTerms) -> int:
    within = timedelta(minutes=terms.lifetime_minutes) / _RENEWED_BEFORE
    async with database.transaction() as connection:
        skus = await stock_values.fading(connection, within, await _batch(database, connection))
    if skus:
        await _price(database, skus, terms, None)
    return len(skus)


async def _batch(database: Database, connection: AsyncConnection) -> int:
    nodes = (await database.reference.now(connection)).nodes
    return max(1, min(_TOGETHER, _SKUS_TIMES_NODES // max(1, len(nodes))))


async def _price(
    database: Database, skus: Sequence[str], terms: PricingTerms, moved: tuple[Cursor, Cursor] | None
) -> None:
    async with database.transaction() as connection:
        read = await projection.read(connection, database.reference, skus, terms)
    priced = await asyncio.to_thread(shadow_prices, read.outlook)
    prices = [
        Price(
            node_id=each.node_id,
            sku=each.sku,
            opportunity=each.opportunity,
            units=max(0, read.free[each.node_id, each.sku]),
            outflow=each.outflow,
            daily_demand=each.daily_demand,
        )
        for each in priced
    ]
    lifetime = timedelta(minutes=terms.lifetime_minutes)
    async with database.transaction() as connection:
        await stock_values.write(connection, skus, prices, read.outlook.policy.currency, lifetime)
        if moved is not None:
            await cursors.advance(connection, CURSOR, *moved)
