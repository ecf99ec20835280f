"""Files of counts whose source numbers none."""

from datetime import timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from store import imports
from store.enums import ImportKind
from store.imports import Import
from tests.worlds.background import received
from tests.worlds.books import balance
from tests.worlds.sourcing import MONDAY_NOON


async def counted(engine: AsyncEngine, quantity: int, **more: Any) -> Import:
    """A file with one count, received and applied."""
    found = await received(engine, 1, f"dc-leeds,A,{quantity}", kind=ImportKind.COUNTS, **more)
    return await imports.apply_all(engine, found.id)


async def test_without_a_sequence_they_go_by_their_time(world: AsyncEngine) -> None:
    first = await counted(world, 9, sequence=None)
    early = await counted(world, 8, sequence=None, as_of=MONDAY_NOON - timedelta(hours=1))
    later = await counted(world, 7, sequence=None, as_of=MONDAY_NOON + timedelta(hours=1))
    assert [each.sequence for each in (first, early, later)] == [None] * 3
    assert [each.outcomes for each in (first, early, later)] == [{"applied": 1}, {"late": 1}, {"applied": 1}]
    assert await balance(world, "dc-leeds", "A") == (7, 0)


async def test_a_source_that_begins_to_number_is_told_so(world: AsyncEngine) -> None:
    await counted(world, 9, sequence=None)
    mixed = await counted(world, 8, sequence=7, as_of=MONDAY_NOON + timedelta(hours=1))
    (row,) = [each async for each in imports.problems(world, mixed.id)]
    assert (row["outcome"], row["problem"], row["field"]) == ("refused", "conflict", "sequence")
    assert "give none" in row["detail"]
