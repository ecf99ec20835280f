"""SKUs are found by how their codes are written and by what resembles them, each by an index."""

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.channels.correcting import skus
from store.inbox import sku_matches
from store.network import reference
from tests.worlds.sourcing import sku

CODES = ("85123A", "0085", "15056BL", "POST", "C2", "A-B.C/d", "000", "gift card")
EXPLAINED = {
    "skus_folded_ix": "SELECT id FROM skus WHERE sku_fold(id) = ANY(ARRAY['85123A'])",
    "skus_id_like_ix": "SELECT id FROM skus WHERE id % '85123B'",
    "skus_name_like_ix": "SELECT id FROM skus WHERE (document ->> 'description') % 'WHITE HANGING HEART'",
}


@pytest.fixture
async def catalogue(world: AsyncEngine) -> AsyncEngine:
    """Some SKUs more than the small network has."""
    async with world.begin() as connection:
        made = [sku(code).model_copy(update={"description": f"NUMBER {place}"}) for place, code in enumerate(CODES)]
        await reference.put_skus(connection, made)
    return world


async def test_the_database_folds_codes_as_the_rules_do(catalogue: AsyncEngine) -> None:
    async with catalogue.connect() as connection:
        for code in CODES:
            assert await connection.scalar(text("SELECT sku_fold(:code)"), {"code": code}) == skus.key(code)


async def test_what_is_written_otherwise_and_what_resembles_is_found(catalogue: AsyncEngine) -> None:
    async with catalogue.connect() as connection:
        assert await sku_matches.held(connection, ["85123A", "85123a"]) == {"85123A"}
        found = await sku_matches.by_form(connection, [skus.key("85-123 a"), skus.key("85")])
        assert {key: [each.id for each in several] for key, several in found.items()} == {
            "85123A": ["85123A"],
            "85": ["0085"],
        }
        alike = await sku_matches.alike(connection, [("85123", ""), ("?", "NUMBER 3")], "web", "nobody")
        assert "85123A" in [each.id for each in alike["85123"]]
        assert "POST" in [each.id for each in alike["?"]]


@pytest.mark.parametrize("index", EXPLAINED)
async def test_each_look_up_can_go_by_its_index(catalogue: AsyncEngine, index: str) -> None:
    async with catalogue.connect() as connection:
        await connection.execute(text("SET LOCAL enable_seqscan = off"))
        plan = (await connection.execute(text(f"EXPLAIN {EXPLAINED[index]}"))).scalars().all()
    assert index in "\n".join(plan)
