"""No search reads a large table from end to end: what is quick at twenty thousand orders would not be at a million."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Final

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bench.search.asking import page, plans_of
from bench.search.filling import fill
from bench.search.made import Maker
from bench.search.questions import QUESTIONS, Question, Samples, samples
from bench.stock.server import plain
from store.database import engine as database
from store.orders.search import Search
from tests.worlds.databases import Databases

ORDERS: Final = 20_000
LARGE: Final = {
    "orders", "order_lines", "order_search", "fulfilments", "shipments", "shipment_fulfilments", "timeline",
    "carrier_events",
}  # fmt: skip
FINDS_NOTHING: Final = {
    "q: name and town, without accents",  # nobody of the name may live there
    "q: nothing like it", "node: the smallest, of a rare channel", "late at a small node", "stuck of a rare channel",
}  # fmt: skip
"""Of so few orders there need not be one of these."""


@pytest.fixture(scope="module")
async def filled(databases: Databases, schema_template: str) -> AsyncIterator[AsyncEngine]:
    """A database of a year's orders, with fresh statistics."""
    with databases.fresh(schema_template) as url:
        fill(plain(url), Maker(ORDERS))
        engine = database.create(url, 2)
        yield engine
        await engine.dispose()


@pytest.fixture(scope="module")
async def known(filled: AsyncEngine) -> Samples:
    """Orders to ask for."""
    async with filled.connect() as connection:
        return await samples(connection, 20)


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.kind)
async def test_every_kind_of_search_goes_by_indexes(filled: AsyncEngine, known: Samples, question: Question) -> None:
    found = 0
    for asked in known.filters(question, 3):
        wanted = Search((asked,), datetime.now(UTC), question.limits, limit=51)
        found += len(await page(filled, wanted))
        for plan in await plans_of(filled, wanted):
            assert plan.scanned & LARGE == set(), asked
    assert found or question.kind.startswith("limits") or question.kind in FINDS_NOTHING
