"""Safety stocks: set once a key, each with its ledger entry, and felt by who reserves."""

import asyncio

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.shared.errors import Conflict, UnknownNode, UnknownSku
from store import stock
from store.enums import ItemOutcome
from store.stock import OutOfReach, safety
from store.stock.safety import SafetySetting, SettingResult
from tests.worlds import small
from tests.worlds.books import check_books, one, rows
from tests.worlds.sourcing import MONDAY_NOON
from tests.worlds.written import place

LEDGER = """
SELECT safety_delta, promise_safety_delta, business_key, reason_code, reason, actor FROM stock_ledger
WHERE kind = 'safety' ORDER BY id
"""
SUMS = """
SELECT count(*) FROM stock s CROSS JOIN LATERAL (
    SELECT sum(safety_delta) AS own, sum(promise_safety_delta) AS promise FROM stock_ledger l
    WHERE l.node_id = s.node_id AND l.sku = s.sku) noted
WHERE (s.safety_stock, s.promise_safety) IS DISTINCT FROM (coalesce(noted.own, 0), coalesce(noted.promise, 0))
"""


def to(
    key: str = "1", sku: str = "A", own: int | None = None, promise: int | None = None, node_id: str = "dc-leeds"
) -> SafetySetting:
    """Safety stocks of a balance as they are to be."""
    return SafetySetting(node_id, sku, own, promise, "season", key)


async def put(engine: AsyncEngine, *settings: SafetySetting) -> list[SettingResult]:
    async with engine.begin() as connection:
        return await safety.put(connection, settings, "planner")


async def stands(engine: AsyncEngine, node_id: str = "dc-leeds", sku: str = "A") -> tuple[object, ...]:
    query = "SELECT on_hand, safety_stock, promise_safety FROM stock WHERE node_id = :node_id AND sku = :sku"
    return (await rows(engine, query, node_id=node_id, sku=sku))[0]


async def check(engine: AsyncEngine) -> None:
    assert await one(engine, SUMS) == 0
    await check_books(engine)


class TestSetting:
    async def test_each_has_its_ledger_entry(self, world: AsyncEngine) -> None:
        assert await put(world, to("1", own=5, promise=8)) == [SettingResult(ItemOutcome.APPLIED, 100, 5, 8)]
        assert await put(world, to("2", own=3)) == [SettingResult(ItemOutcome.APPLIED, 100, 3, 8)]
        assert await put(world, to("3", promise=0)) == [SettingResult(ItemOutcome.APPLIED, 100, 3, 0)]
        assert await rows(world, LEDGER) == [
            (5, 8, "safety/1", "safety_stock=5,promise_safety=8", "season", "planner"),
            (-2, 0, "safety/2", "safety_stock=3", "season", "planner"),
            (0, -8, "safety/3", "promise_safety=0", "season", "planner"),
        ]
        await check(world)

    async def test_opens_a_balance_that_was_not_there(self, world: AsyncEngine) -> None:
        await put(world, to("1", "NEVER", own=4))
        assert await stands(world, sku="NEVER") == (0, 4, 0)
        await check(world)

    async def test_a_repeat_counts_once_and_answers_what_stands(self, world: AsyncEngine) -> None:
        await put(world, to("1", own=5))
        await put(world, to("2", own=7))
        assert await put(world, to("1", own=5)) == [SettingResult(ItemOutcome.REPEATED, 100, 7, 0)]
        await check(world)

    async def test_what_changed_nothing_does_not_undo_what_was_set_since(self, world: AsyncEngine) -> None:
        await put(world, to("1", own=5))
        assert (await put(world, to("2", own=5)))[0].outcome is ItemOutcome.APPLIED
        await put(world, to("3", own=9))
        assert await put(world, to("2", own=5)) == [SettingResult(ItemOutcome.REPEATED, 100, 9, 0)]
        assert await stands(world) == (100, 9, 0)
        await check(world)

    @pytest.mark.parametrize("other", [to("1", own=6), to("1", promise=5), to("1", own=5, promise=0)])
    async def test_a_key_for_another_setting_is_refused(self, world: AsyncEngine, other: SafetySetting) -> None:
        await put(world, to("1", own=5))
        refused = (await put(world, other))[0]
        assert isinstance(refused.error, Conflict)
        assert refused.error.field == "idempotency_key"
        assert await stands(world) == (100, 5, 0)

    async def test_a_key_may_stand_for_many_balances(self, world: AsyncEngine) -> None:
        await put(world, to("1", own=5), to("1", "B", own=6), to("1", node_id="st-york", own=2))
        assert [(await stands(world, *at))[1] for at in (("dc-leeds", "A"), ("dc-leeds", "B"), ("st-york", "A"))] == [
            5,
            6,
            2,
        ]

    async def test_one_balance_several_times_in_one_call(self, world: AsyncEngine) -> None:
        found = await put(world, to("1", own=5), to("2", promise=3), to("1", own=5), to("3", own=1), to("1", own=2))
        assert [(each.outcome, each.safety_stock, each.promise_safety) for each in found] == [
            (ItemOutcome.APPLIED, 5, 0),
            (ItemOutcome.APPLIED, 5, 3),
            (ItemOutcome.REPEATED, 5, 3),
            (ItemOutcome.APPLIED, 1, 3),
            (ItemOutcome.REFUSED, 0, 0),
        ]
        await check(world)

    async def test_what_is_refused_holds_the_others_back_in_nothing(self, world: AsyncEngine) -> None:
        found = await put(world, to(own=1, node_id="nowhere"), to("1", "NONE", own=1), to(own=5))
        assert [type(each.error) for each in found] == [UnknownNode, UnknownSku, type(None)]
        assert await stands(world) == (100, 5, 0)
        assert await one(world, "SELECT count(*) FROM stock_ledger WHERE kind = 'safety'") == 1

    async def test_many_at_once_with_one_key_set_once(self, world: AsyncEngine) -> None:
        found = await asyncio.gather(*(put(world, to("1", own=5), to("1", "NEVER", own=5)) for _ in range(12)))
        assert sum(each.outcome is ItemOutcome.APPLIED for one_call in found for each in one_call) == 2
        assert len(await rows(world, LEDGER)) == 2
        await check(world)

    async def test_many_at_once_in_opposite_sequences(self, world: AsyncEngine) -> None:
        async def set_all(number: int) -> None:
            both = [to(str(number), "A", own=number), to(str(number), "B", own=number)]
            await put(world, *both[:: 1 if number % 2 else -1])

        async with asyncio.timeout(30):
            await asyncio.gather(*map(set_all, range(24)))
        assert (await stands(world, sku="A"))[1] == (await stands(world, sku="B"))[1]
        assert len(await rows(world, LEDGER)) == 48
        await check(world)


class TestFelt:
    async def test_a_reservation_leaves_the_safety_stock(self, world: AsyncEngine) -> None:
        held = small.order(RARE=2)
        units = await place(world, held)

        async def take() -> None:
            async with world.begin() as connection:
                await stock.reserve(connection, held.order_id, held.channel, units, [], MONDAY_NOON)

        await put(world, to("1", "RARE", own=1))
        with pytest.raises(OutOfReach):
            await take()
        await put(world, to("2", "RARE", own=0, promise=2))
        await take()
        await check_books(world, reserved=2)

    async def test_may_be_more_than_there_is(self, world: AsyncEngine) -> None:
        assert (await put(world, to(own=1_000_000)))[0].outcome is ItemOutcome.APPLIED
        assert await stands(world) == (100, 1_000_000, 0)
