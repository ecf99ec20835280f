"""Changes of stock: each once, each for itself, by condition, and none that a count has seen already."""

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dom.orders.status import Condition, ReasonCode
from store.stock import adjustments, counts, soft
from store.stock.adjustments import Adjustment
from store.stock.counts import Count
from store.stock.item_results import ItemResult
from store.stock.soft import SoftRequest, SoftUnits
from tests.worlds.books import check_books, one, rows
from tests.worlds.sourcing import MONDAY_NOON
from tests.worlds.trial import Trial

HOUR = timedelta(hours=1)


def change(quantity: int, key: str, sku: str = "A", at: datetime = MONDAY_NOON, **more: Any) -> Adjustment:
    fields = {"node_id": "dc-leeds", "reason": "test"} | more
    return Adjustment(sku=sku, quantity=quantity, idempotency_key=key, occurred_at=at, **fields)


async def apply(engine: AsyncEngine, *changes: Adjustment) -> list[ItemResult]:
    async with engine.begin() as connection:
        return await adjustments.apply(connection, changes, "test")


async def count(engine: AsyncEngine, quantity: int, at: datetime = MONDAY_NOON, sku: str = "A") -> None:
    async with engine.begin() as connection:
        await counts.apply(connection, [Count("dc-leeds", sku, quantity, at, 1)], "wms", "test")


async def hold(engine: AsyncEngine, quantity: int, sku: str = "RARE", soft_id: str = "cart") -> None:
    async with engine.begin() as connection:
        request = SoftRequest(soft_id, "web", soft_id, "cart", 600, (SoftUnits("dc-leeds", sku, quantity),))
        assert (await soft.take(connection, [request]))[0] == "taken"


async def lapse(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE reservations SET expires_at = now() - interval '1 second'"))
        await connection.execute(text("UPDATE soft_reservations SET expires_at = now() - interval '1 second'"))


class TestConditions:
    async def test_goods_that_come_in_damaged_cannot_be_promised(self, world: AsyncEngine) -> None:
        (result,) = await apply(world, change(7, "k", condition=Condition.DAMAGED, reason_code=ReasonCode.RECEIPT))
        assert (result.on_hand, result.damaged, result.available) == (100, 7, 100)
        entry = await rows(world, "SELECT kind, on_hand_delta, damaged_delta, reason_code FROM stock_ledger "
                                  "WHERE business_key = 'adjustment:k'")  # fmt: skip
        assert entry == [("receipt", 0, 7, "receipt")]
        await check_books(world)

    async def test_units_move_between_conditions_and_none_is_lost(self, world: AsyncEngine) -> None:
        moves = [
            change(30, "1", to=Condition.QUARANTINE),
            change(10, "2", condition=Condition.QUARANTINE, to=Condition.DAMAGED),
            change(20, "3", condition=Condition.QUARANTINE, to=Condition.SELLABLE),
            change(-4, "4", condition=Condition.DAMAGED, reason_code=ReasonCode.LOSS),
        ]
        results = await apply(world, *moves)
        assert [(r.on_hand, r.damaged, r.quarantine) for r in results] == [
            (70, 0, 30), (70, 10, 20), (90, 10, 0), (90, 6, 0)]  # fmt: skip
        kinds = await rows(world, "SELECT kind FROM stock_ledger WHERE business_key LIKE 'adjustment:%' ORDER BY id")
        assert kinds == [("condition",), ("condition",), ("condition",), ("adjustment",)]
        assert [r.outcome for r in await apply(world, *moves)] == ["repeated"] * 4
        await check_books(world)

    async def test_what_is_not_there_cannot_move(self, world: AsyncEngine) -> None:
        results = await apply(
            world,
            change(101, "1", to=Condition.DAMAGED),
            change(1, "2", condition=Condition.DAMAGED, to=Condition.SELLABLE),
            change(-1, "3", condition=Condition.QUARANTINE),
        )
        assert [str(r.error) for r in results] == [
            "101 cannot go: 100 on hand, 0 of them reserved", "1 cannot go: 0 damaged", "1 cannot go: 0 in quarantine",
        ]  # fmt: skip
        assert {r.error.type for r in results if r.error} == {"stock-conflict"}

    async def test_a_move_that_is_refused_opens_no_balance(self, world: AsyncEngine) -> None:
        results = await apply(world, change(5, "1", sku="NEVER", to=Condition.DAMAGED), change(-5, "2", sku="NEVER"))
        assert [r.outcome for r in results] == ["refused", "refused"]
        assert await one(world, "SELECT count(*) FROM stock WHERE sku = 'NEVER'") == 0


class TestKeys:
    async def test_a_key_for_another_condition_is_another_change(self, world: AsyncEngine) -> None:
        await apply(world, change(5, "k"))
        (result,) = await apply(world, change(5, "k", condition=Condition.DAMAGED))
        assert result.error is not None
        assert (result.error.type, result.error.data) == ("conflict", {"quantity": 5})

    async def test_a_copy_shares_the_fate_of_the_first(self, world: AsyncEngine) -> None:
        """The first of the two is refused: that the second is called repeated would say it was done."""
        results = await apply(world, change(-200, "k"), change(-200, "k"), change(5, "l"), change(5, "l"))
        assert [r.outcome for r in results] == ["refused", "refused", "applied", "repeated"]
        assert [r.on_hand for r in results[2:]] == [105, 105]

    async def test_one_key_stands_for_each_node_and_sku(self, world: AsyncEngine) -> None:
        results = await apply(
            world, change(1, "k"), change(1, "k", sku="B"), change(1, "k", node_id="wh-london"), change(2, "k", sku="B")
        )
        assert [r.outcome for r in results] == ["applied", "applied", "applied", "refused"]

    async def test_many_at_once_in_any_sequence(self, world: AsyncEngine) -> None:
        """The same keys from many callers, the balances in any sequence: no deadlock, and each counts once."""
        many = [change(1, f"k{n}", sku="AB"[n % 2], node_id=("dc-leeds", "wh-london")[n % 3 % 2]) for n in range(60)]
        answers = await asyncio.gather(*(apply(world, *(many if n % 2 else many[::-1])) for n in range(10)))
        assert sum(r.outcome == "applied" for results in answers for r in results) == 60
        assert await one(world, "SELECT sum(on_hand_delta) FROM stock_ledger WHERE actor <> 'x'") == 280 + 60
        await check_books(world)


class TestReservedUnits:
    async def test_what_lapsed_stands_in_nobodys_way(self, world: AsyncEngine) -> None:
        await hold(world, 2)
        (refused,) = await apply(world, change(-1, "1", sku="RARE"))
        assert refused.error is not None
        assert refused.error.data == {"on_hand": 2, "reserved": 0, "reserved_soft": 2}
        await lapse(world)
        (done,) = await apply(world, change(-1, "1", sku="RARE"))
        assert (done.outcome, done.on_hand, done.reserved_soft) == ("applied", 1, 0)
        await check_books(world)

    async def test_one_that_does_not_fit_holds_back_no_other(self, world: AsyncEngine) -> None:
        """Two on hand: what comes in between is there for what goes after it, in the sequence sent."""
        quantities = [-3, 1, -3, -3, 2, -2, -1]
        results = await apply(world, *(change(q, str(n), sku="RARE") for n, q in enumerate(quantities)))
        assert [r.outcome == "applied" for r in results] == [False, True, True, False, True, True, False]
        assert [r.on_hand for r in results if r.error is None] == [3, 0, 2, 0]
        await check_books(world)

    async def test_more_than_can_be_counted(self, world: AsyncEngine) -> None:
        big = [change(1_000_000, str(n)) for n in range(3)]
        async with world.begin() as connection:
            await connection.execute(text("UPDATE stock SET on_hand = 2147483647 - 1500000 WHERE sku = 'A'"))
        results = await apply(world, *big)
        assert [r.outcome for r in results] == ["applied", "refused", "refused"]
        assert {r.error.type for r in results if r.error} == {"invalid-input"}


class TestSeenByACount:
    async def test_what_the_count_saw_changes_nothing(self, world: AsyncEngine) -> None:
        await count(world, 80)
        before, at, after = (change(5, k, at=MONDAY_NOON + d) for k, d in (("b", -HOUR), ("s", 0 * HOUR), ("a", HOUR)))
        results = await apply(world, before, at, after)
        assert [(r.outcome, r.on_hand) for r in results] == [
            ("superseded", 80), ("superseded", 80), ("applied", 85)]  # fmt: skip
        assert [r.outcome for r in await apply(world, before, at, after)] == ["superseded", "superseded", "repeated"]
        await check_books(world)

    async def test_what_it_could_not_see_still_moves(self, world: AsyncEngine) -> None:
        """Two units broke before the count: it did not see them as sellable, but nobody has booked them as damaged."""
        await count(world, 98)
        broke = change(2, "k", at=MONDAY_NOON - HOUR, to=Condition.DAMAGED)
        (result,) = await apply(world, broke)
        assert (result.outcome, result.on_hand, result.damaged) == ("applied", 98, 2)
        assert [r.outcome for r in await apply(world, broke)] == ["repeated"]
        await check_books(world)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    batches=st.lists(
        st.lists(st.tuples(st.sampled_from("AB"), st.integers(-6, 6).filter(bool), st.integers(0, 12)), min_size=1),
        min_size=1,
        max_size=4,
    )
)
def test_a_batch_is_what_one_by_one_would_be(trial: Trial, batches: list[list[tuple[str, int, int]]]) -> None:
    """Against a model that takes one change after the other: the same verdicts, the same balances."""

    async def run(connection: AsyncConnection) -> None:
        await connection.execute(text("UPDATE stock SET on_hand = 3 WHERE node_id = 'dc-leeds' AND sku IN ('A', 'B')"))
        model, done = {"A": 3, "B": 3}, dict[tuple[str, int], int]()
        for batch in batches:
            results = await adjustments.apply(connection, [change(q, f"{key}", sku) for sku, q, key in batch], "test")
            expected = list(_one_by_one(batch, model, done))
            assert [(r.outcome, r.on_hand) if r.error is None else ("refused", 0) for r in results] == expected
        left = await connection.execute(text("SELECT sku, on_hand FROM stock WHERE node_id = 'dc-leeds' AND sku < 'C'"))
        assert {row.sku: row.on_hand for row in left} == model

    trial(run)


def _one_by_one(
    batch: list[tuple[str, int, int]], model: dict[str, int], done: dict[tuple[str, int], int]
) -> Iterator[tuple[str, int]]:
    before, refused, after = dict(model), set[tuple[str, int]](), dict[tuple[str, int], int]()
    for sku, quantity, key in batch:
        place = (sku, key)
        fits = place not in done and place not in refused and model[sku] + quantity >= 0
        if fits:
            model[sku] += quantity
            done[place] = quantity
            after[place] = model[sku]
            yield "applied", model[sku]
        elif done.get(place) == quantity:
            yield "repeated", after.get(place, before[sku])
        else:
            refused.add(place)
            yield "refused", 0
