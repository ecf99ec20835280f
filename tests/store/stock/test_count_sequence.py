"""Counts are taken in the sequence of their source, or of their times, whichever way they arrive."""

import asyncio
from datetime import UTC, datetime

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from store.stock.counts import Count
from tests.worlds.books import balance, check_books
from tests.worlds.counting import (
    HOUR,
    NODE,
    count,
    counted,
    move,
    reserve,
    ship,
)
from tests.worlds.sourcing import MONDAY_NOON


class TestSequence:
    async def test_twice(self, world: AsyncEngine) -> None:
        await count(world, counted(90))
        await move(world, -5, MONDAY_NOON + HOUR, "later")
        (again,) = await count(world, counted(90))
        assert (again.outcome, again.on_hand) == ("repeated", 85)

    async def test_twice_at_once(self, world: AsyncEngine) -> None:
        answers = await asyncio.gather(*(count(world, counted(90), counted(9, sku="B")) for _ in range(12)))
        outcomes = [[r.outcome for r in results] for results in answers]
        assert sorted(outcomes) == [["applied", "applied"]] + [["repeated", "repeated"]] * 11
        await check_books(world)

    async def test_out_of_order(self, world: AsyncEngine) -> None:
        (second,) = await count(world, counted(90, sequence=2))
        (first,) = await count(world, counted(70, MONDAY_NOON - HOUR, sequence=1))
        assert (second.outcome, first.outcome, first.on_hand) == ("applied", "late", 90)

    async def test_a_number_that_said_something_else(self, world: AsyncEngine) -> None:
        await count(world, counted(90))
        (other,) = await count(world, counted(80))
        assert other.error is not None
        assert (other.error.type, other.error.field, other.error.data) == ("conflict", "sequence", {"sequence": 1})
        assert (await balance(world, NODE, "A"))[0] == 90

    async def test_without_a_sequence_they_go_by_their_time(self, world: AsyncEngine) -> None:
        await count(world, counted(90, sequence=None))
        (again,) = await count(world, counted(90, sequence=None))
        (late,) = await count(world, counted(70, MONDAY_NOON - HOUR, sequence=None))
        (other,) = await count(world, counted(80, sequence=None))
        (later,) = await count(world, counted(60, MONDAY_NOON + HOUR, sequence=None))
        assert [each.outcome for each in (again, late, other, later)] == ["repeated", "late", "refused", "applied"]
        assert (await balance(world, NODE, "A"))[0] == 60
        await check_books(world)

    @pytest.mark.parametrize(
        ("first", "second", "told"), [(None, 7, "go by as_of; give none"), (7, None, "the last one 7; give a sequence")]
    )
    async def test_a_source_numbers_all_its_counts_or_none(
        self, world: AsyncEngine, first: int | None, second: int | None, told: str
    ) -> None:
        """Nothing of it is dropped as late without a word."""
        await count(world, counted(90, sequence=first))
        (mixed,) = await count(world, counted(80, MONDAY_NOON + HOUR, sequence=second))
        assert mixed.error is not None
        assert (mixed.error.type, mixed.error.field) == ("conflict", "sequence")
        assert told in mixed.error.detail
        (elsewhere,) = await count(world, counted(80, MONDAY_NOON + HOUR, sequence=second), source="wms-2")
        assert elsewhere.outcome == "applied"

    async def test_two_sources_have_sequences_of_their_own(self, world: AsyncEngine) -> None:
        await count(world, counted(90, sequence=50))
        (till,) = await count(world, counted(80, MONDAY_NOON + HOUR, sequence=1), source="till")
        (late,) = await count(world, counted(95, MONDAY_NOON + HOUR / 2, sequence=51))
        assert [till.outcome, late.outcome, late.on_hand] == ["applied", "late", 80]
        (again,) = await count(world, counted(95, MONDAY_NOON + HOUR / 2, sequence=51))
        assert again.outcome == "late", "the same message hears the same"

    async def test_an_hour_late(self, world: AsyncEngine) -> None:
        """As of an hour ago, before what was received, shipped and reserved since."""
        now = datetime.now(UTC)
        shipped = await reserve(world, "1", 10)
        await move(world, 25, now - HOUR / 2, "received")
        await ship(world, shipped, now - HOUR / 4)
        await reserve(world, "2", 5)
        (result,) = await count(world, counted(98, now - HOUR))
        assert (result.on_hand, result.reserved) == (98 + 25 - 10, 5)
        await check_books(world, reserved=5)

    async def test_several_of_one_balance_in_one_message(self, world: AsyncEngine) -> None:
        sent = [counted(n, MONDAY_NOON + n * HOUR / 60, sequence=n) for n in (3, 5, 4, 5, 6)]
        results = await count(world, *sent)
        assert [(r.outcome, r.on_hand) for r in results] == [
            ("applied", 3), ("applied", 5), ("late", 5), ("repeated", 5), ("applied", 6)]  # fmt: skip

    async def test_bad_ones_spoil_no_other(self, world: AsyncEngine) -> None:
        sent = [
            Count("nowhere", "A", 1, MONDAY_NOON, 1),
            counted(5, sku="NONE"),
            counted(1, sku="A"),
            Count(NODE, "NEVER", 2**31 - 1, MONDAY_NOON, 1),
        ]
        await move(world, 5, MONDAY_NOON + HOUR, "k", "NEVER")
        results = await count(world, *sent)
        assert [r.error.type if r.error else r.outcome for r in results] == [
            "unknown-node", "unknown-sku", "applied", "invalid-input"]  # fmt: skip
