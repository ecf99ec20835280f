"""No unit is promised twice: reserving, releasing and consuming, alone and many at once."""

import asyncio
import json
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.orders.order import Order
from store import stock
from store.enums import LedgerKind
from store.stock import Movement, OutOfReach, Reserved, WorkDay
from tests.worlds import small
from tests.worlds.books import balance, check_books, one, rows
from tests.worlds.sourcing import MONDAY, MONDAY_NOON
from tests.worlds.written import place

WORK = WorkDay("dc-leeds", MONDAY, "standard")


async def reserve(engine: AsyncEngine, order: Order, units: list[Reserved]) -> None:
    async with engine.begin() as connection:
        await stock.reserve(connection, order.order_id, order.channel, units, [], MONDAY_NOON)


async def release(engine: AsyncEngine, order: Order, lines: dict[str, int], key: str) -> None:
    async with engine.begin() as connection:
        await stock.release(
            connection,
            order.order_id,
            f"{order.order_id}-F1",
            lines,
            business_key=key,
            reason="test",
            actor="test",
            at=MONDAY_NOON,
        )


async def consume(engine: AsyncEngine, order: Order) -> None:
    async with engine.begin() as connection:
        await stock.consume(connection, order.order_id, f"{order.order_id}-F1", actor="test", at=MONDAY_NOON)


async def set_stock(engine: AsyncEngine, node_id: str, sku: str, change: int, key: str = "set") -> bool:
    async with engine.begin() as connection:
        movement = Movement(node_id, sku, change, LedgerKind.ADJUSTMENT, "test", key)
        return bool((await stock.move(connection, movement, actor="test", at=MONDAY_NOON))["applied"])


class TestReserve:
    async def test_takes_the_units_out_of_availability(self, world: AsyncEngine) -> None:
        order = small.order(A=2, B=3)
        await reserve(world, order, await place(world, order))
        assert await balance(world, "dc-leeds", "A") == (100, 2)
        assert await balance(world, "dc-leeds", "B") == (100, 3)
        await check_books(world, reserved=5)

    async def test_takes_everything_or_nothing(self, world: AsyncEngine) -> None:
        order = small.order(A=2, RARE=3)
        units = await place(world, order)
        with pytest.raises(OutOfReach):
            await reserve(world, order, units)
        assert await balance(world, "dc-leeds", "A") == (100, 0)
        await check_books(world)

    async def test_counts_two_lines_of_one_sku_together(self, world: AsyncEngine) -> None:
        line = {"sku": "RARE", "unit_price": 100}
        both = [{**line, "line_id": "1", "quantity": 2}, {**line, "line_id": "2", "quantity": 1}]
        order = small.order(lines=both)
        units = await place(world, order)
        with pytest.raises(OutOfReach):
            await reserve(world, order, units)
        await set_stock(world, "dc-leeds", "RARE", 1)
        await reserve(world, order, units)
        assert await balance(world, "dc-leeds", "RARE") == (3, 3)
        assert await one(world, "SELECT count(*) FROM stock_ledger WHERE kind = 'reserve'") == 1
        await check_books(world, reserved=3)

    async def test_does_not_touch_the_safety_stock(self, world: AsyncEngine) -> None:
        async with world.begin() as connection:
            await connection.exec_driver_sql("UPDATE stock SET safety_stock = 1 WHERE sku = 'RARE'")
        order = small.order(RARE=2)
        units = await place(world, order)
        with pytest.raises(OutOfReach):
            await reserve(world, order, units)

    async def test_a_sku_without_a_balance_is_out_of_reach(self, world: AsyncEngine) -> None:
        order = small.order(NEVER=1)
        units = await place(world, order)
        with pytest.raises(OutOfReach):
            await reserve(world, order, units)

    async def test_the_same_units_cannot_be_reserved_twice(self, world: AsyncEngine) -> None:
        order = small.order(A=2)
        units = await place(world, order)
        await reserve(world, order, units)
        with pytest.raises(IntegrityError):
            await reserve(world, order, units)
        await check_books(world, reserved=2)


class TestManyAtOnce:
    async def test_the_last_units_go_to_as_many_as_there_are(self, world: AsyncEngine) -> None:
        await set_stock(world, "dc-leeds", "RARE", 23)
        waiting = [small.order(f"many-{number}", RARE=1) for number in range(40)]
        units = [await place(world, order) for order in waiting]

        async def try_it(order: Order, wanted: list[Reserved]) -> bool:
            try:
                await reserve(world, order, wanted)
            except OutOfReach:
                return False
            return True

        won = await asyncio.gather(*map(try_it, waiting, units))
        assert sum(won) == 25
        assert await balance(world, "dc-leeds", "RARE") == (25, 25)
        await check_books(world, reserved=25)

    async def test_orders_of_several_units_never_oversell(self, world: AsyncEngine) -> None:
        wanted = [1 + number % 3 for number in range(24)]
        waiting = [small.order(f"some-{number}", RARE=quantity) for number, quantity in enumerate(wanted)]
        await set_stock(world, "dc-leeds", "RARE", 18)
        units = [await place(world, order) for order in waiting]
        outcomes = await asyncio.gather(*map(reserve, [world] * 24, waiting, units), return_exceptions=True)
        assert all(outcome is None or isinstance(outcome, OutOfReach) for outcome in outcomes)
        taken = sum(quantity for quantity, outcome in zip(wanted, outcomes, strict=True) if outcome is None)
        assert 18 <= taken <= 20
        await check_books(world, reserved=taken)

    async def test_opposite_sequences_do_not_lock_each_other_out(self, world: AsyncEngine) -> None:
        waiting = [small.order(f"cross-{number}", A=1, B=1) for number in range(40)]
        units = [await place(world, order) for order in waiting]
        turned = [wanted[:: 1 if number % 2 else -1] for number, wanted in enumerate(units)]
        async with asyncio.timeout(30):
            await asyncio.gather(*map(reserve, [world] * 40, waiting, turned))
        await check_books(world, reserved=80)

    async def test_reserving_releasing_and_consuming_side_by_side_keep_the_books(self, world: AsyncEngine) -> None:
        waiting = [small.order(f"mix-{number}", A=2, B=1) for number in range(30)]
        units = [await place(world, order) for order in waiting]

        async def live(number: int) -> None:
            order = waiting[number]
            await reserve(world, order, units[number])
            if number % 3 == 0:
                await release(world, order, {"2": 1, "1": 2}, f"{order.order_id}:cancel")
            elif number % 3 == 1:
                await release(world, order, {"1": 1}, f"{order.order_id}:cancel")
                await consume(world, order)

        await asyncio.gather(*map(live, range(30)))
        assert await balance(world, "dc-leeds", "A") == (90, 20)
        assert await balance(world, "dc-leeds", "B") == (90, 10)
        await check_books(world, reserved=30)


class TestRelease:
    async def test_gives_units_back_once(self, world: AsyncEngine) -> None:
        order = small.order(A=2)
        await reserve(world, order, await place(world, order))
        for _ in range(2):
            await release(world, order, {"1": 2}, "back")
        assert await balance(world, "dc-leeds", "A") == (100, 0)
        assert await one(world, "SELECT count(*) FROM stock_ledger WHERE kind = 'release'") == 1
        assert await one(world, "SELECT status FROM reservations") == "released"
        await check_books(world)

    async def test_a_part_is_given_back_once_a_key(self, world: AsyncEngine) -> None:
        order = small.order(A=5)
        await reserve(world, order, await place(world, order))
        await release(world, order, {"1": 2}, "first")
        with pytest.raises(IntegrityError):
            await release(world, order, {"1": 2}, "first")
        await release(world, order, {"1": 1}, "second")
        assert await rows(world, "SELECT quantity, status FROM reservations") == [(2, "active")]
        await check_books(world, reserved=2)

    async def test_never_gives_back_more_than_was_taken(self, world: AsyncEngine) -> None:
        order = small.order(A=2)
        await reserve(world, order, await place(world, order))
        with pytest.raises(IntegrityError):
            await release(world, order, {"1": 3}, "too much")
        await check_books(world, reserved=2)

    async def test_of_what_left_the_node_changes_nothing(self, world: AsyncEngine) -> None:
        order = small.order(A=2)
        await reserve(world, order, await place(world, order))
        await consume(world, order)
        await release(world, order, {"1": 2}, "late")
        assert await balance(world, "dc-leeds", "A") == (98, 0)
        await check_books(world)


class TestConsume:
    async def test_takes_on_hand_and_reserved_down_together_and_once(self, world: AsyncEngine) -> None:
        order = small.order(A=2, B=1)
        await reserve(world, order, await place(world, order))
        await asyncio.gather(*(consume(world, order) for _ in range(3)))
        assert await balance(world, "dc-leeds", "A") == (98, 0)
        assert await balance(world, "dc-leeds", "B") == (99, 0)
        assert await one(world, "SELECT count(*) FROM stock_ledger WHERE kind = 'ship'") == 2
        await check_books(world)

    async def test_leaves_alone_what_was_released(self, world: AsyncEngine) -> None:
        order = small.order(A=2, B=1)
        await reserve(world, order, await place(world, order))
        await release(world, order, {"1": 2}, "cancelled")
        await consume(world, order)
        assert await balance(world, "dc-leeds", "A") == (100, 0)
        assert await balance(world, "dc-leeds", "B") == (99, 0)
        await check_books(world)


class TestMove:
    async def test_moves_once_a_key(self, world: AsyncEngine) -> None:
        assert await set_stock(world, "dc-leeds", "A", 5, "receipt")
        assert not await set_stock(world, "dc-leeds", "A", 5, "receipt")
        assert await balance(world, "dc-leeds", "A") == (105, 0)
        await check_books(world)

    async def test_many_at_once_with_one_key_move_once(self, world: AsyncEngine) -> None:
        outcomes = await asyncio.gather(
            *(set_stock(world, "dc-leeds", "A", 5, "receipt") for _ in range(16)), return_exceptions=True
        )
        assert sum(outcome is True for outcome in outcomes) == 1
        assert all(isinstance(outcome, bool | IntegrityError) for outcome in outcomes)
        assert await balance(world, "dc-leeds", "A") == (105, 0)
        await check_books(world)

    async def test_opens_a_balance_that_was_not_there(self, world: AsyncEngine) -> None:
        await set_stock(world, "wh-london", "NEVER", 4)
        assert await balance(world, "wh-london", "NEVER") == (4, 0)
        await check_books(world)

    async def test_never_takes_what_is_reserved(self, world: AsyncEngine) -> None:
        order = small.order(RARE=2)
        await reserve(world, order, await place(world, order))
        with pytest.raises(IntegrityError):
            await set_stock(world, "dc-leeds", "RARE", -1)
        await check_books(world, reserved=2)


class TestCapacity:
    async def take(self, engine: AsyncEngine, times: int = 1) -> bool:
        try:
            async with engine.begin() as connection:
                await stock.reserve(connection, "o", "web", [], [WORK] * times, MONDAY_NOON)
        except OutOfReach:
            return False
        return True

    async def limit(self, engine: AsyncEngine, capacity: int) -> None:
        async with engine.begin() as connection:
            await connection.execute(
                text("UPDATE nodes SET daily_capacity = :capacity WHERE id = 'dc-leeds'"), {"capacity": capacity}
            )

    async def used(self, engine: AsyncEngine) -> object:
        return await one(engine, "SELECT coalesce(max(used), 0) FROM node_days WHERE node_id = 'dc-leeds'")

    @pytest.mark.parametrize("capacity", [0, 1, 7])
    async def test_is_taken_up_to_the_limit_and_no_further(self, world: AsyncEngine, capacity: int) -> None:
        await self.limit(world, capacity)
        won = await asyncio.gather(*(self.take(world) for _ in range(capacity + 12)))
        assert sum(won) == capacity == await self.used(world)

    async def test_is_taken_whole_or_not_at_all(self, world: AsyncEngine) -> None:
        await self.limit(world, 3)
        assert await self.take(world, 2)
        assert not await self.take(world, 2)
        assert await self.used(world) == 2

    async def test_comes_back_but_never_below_nothing(self, world: AsyncEngine) -> None:
        assert await self.take(world)
        for _ in range(3):
            async with world.begin() as connection:
                await stock.give_day_back(connection, WORK)
        assert await self.used(world) == 0


class TestCapacityOfAService:
    """What a node does of one service a day is a part of its day, with a limit of its own."""

    def work(self, service: str, times: int = 1) -> list[WorkDay]:
        return [WorkDay("dc-leeds", MONDAY, service)] * times

    async def take(self, engine: AsyncEngine, *work: WorkDay, units: tuple[Reserved, ...] = ()) -> bool:
        try:
            async with engine.begin() as connection:
                await stock.reserve(connection, "web-1", "web", units, work, MONDAY_NOON)
        except OutOfReach:
            return False
        return True

    async def limit(self, engine: AsyncEngine, capacity: int = 100, **services: int) -> None:
        async with engine.begin() as connection:
            await connection.execute(
                text("""
                UPDATE nodes SET daily_capacity = :capacity,
                    document = document || jsonb_build_object('service_capacity', CAST(:services AS jsonb))
                WHERE id = 'dc-leeds'
                """),
                {"capacity": capacity, "services": json.dumps(services)},
            )

    async def used(self, engine: AsyncEngine) -> dict[str, int]:
        return dict(await rows(engine, "SELECT service, used FROM node_days"))

    async def test_a_node_without_such_limits_writes_no_extra_row(self, world: AsyncEngine) -> None:
        assert await self.take(world, *self.work("express", 2))
        assert await self.used(world) == {"": 2}

    async def test_only_the_limited_service_is_counted_beside_the_day(self, world: AsyncEngine) -> None:
        await self.limit(world, express=5)
        assert await self.take(world, *self.work("standard", 3), *self.work("express", 2))
        assert await self.used(world) == {"": 5, "express": 2}

    async def test_the_whole_plan_is_refused_when_the_day_of_the_service_is_full(self, world: AsyncEngine) -> None:
        await self.limit(world, express=1)
        held = small.order(A=2)
        units = await place(world, held)
        assert await self.take(world, *self.work("express"))
        there = WorkDay("wh-london", MONDAY, "standard")
        assert not await self.take(world, there, *self.work("standard"), *self.work("express"), units=tuple(units))
        assert await self.used(world) == {"": 1, "express": 1}
        assert await balance(world, "dc-leeds", "A") == (100, 0)
        assert await self.take(world, there, *self.work("standard"), units=tuple(units))
        await check_books(world, reserved=2)

    async def test_the_day_as_a_whole_stays_the_limit(self, world: AsyncEngine) -> None:
        await self.limit(world, 2, express=5)
        assert not await self.take(world, *self.work("express", 3))
        assert await self.take(world, *self.work("express", 2))
        assert not await self.take(world, *self.work("express"))
        assert await self.used(world) == {"": 2, "express": 2}

    async def test_nothing_of_a_service_with_no_room_at_all(self, world: AsyncEngine) -> None:
        await self.limit(world, express=0)
        assert not await self.take(world, *self.work("express"))
        assert await self.take(world, *self.work("standard"))
        assert await self.used(world) == {"": 1}

    async def test_another_day_has_room_of_its_own(self, world: AsyncEngine) -> None:
        await self.limit(world, express=1)
        assert await self.take(world, *self.work("express"))
        assert await self.take(world, WorkDay("dc-leeds", MONDAY + timedelta(days=1), "express"))

    async def test_many_at_once_never_exceed_it(self, world: AsyncEngine) -> None:
        await self.limit(world, 12, express=5, economy=4)
        services = ["express", "economy", "standard"] * 10
        won = await asyncio.gather(*(self.take(world, *self.work(service)) for service in services))
        taken = Counter(service for service, has_won in zip(services, won, strict=True) if has_won)
        used = await self.used(world)
        assert used[""] == sum(won) == 12
        assert used["express"] == taken["express"] <= 5
        assert used["economy"] == taken["economy"] <= 4

    async def test_plans_over_both_in_opposite_sequences_do_not_lock_each_other_out(self, world: AsyncEngine) -> None:
        await self.limit(world, express=30, economy=30)
        both = [*self.work("express"), *self.work("economy"), WorkDay("wh-london", MONDAY, "express")]
        async with asyncio.timeout(30):
            won = await asyncio.gather(*(self.take(world, *both[:: 1 if n % 2 else -1]) for n in range(24)))
        assert all(won)
        assert await one(world, "SELECT sum(used) FROM node_days WHERE service = ''") == 72

    async def test_comes_back_with_the_day_but_never_below_nothing(self, world: AsyncEngine) -> None:
        await self.limit(world, express=1)
        assert await self.take(world, *self.work("express"), *self.work("standard"))
        async with world.begin() as connection:
            await stock.give_day_back(connection, *self.work("standard"))
        assert await self.used(world) == {"": 1, "express": 1}
        for _ in range(3):
            async with world.begin() as connection:
                await stock.give_day_back(connection, *self.work("express"))
        assert await self.used(world) == {"": 0, "express": 0}
        assert await self.take(world, *self.work("express"))
