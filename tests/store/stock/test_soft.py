"""Soft reservations: whole or not at all, expiry without a sweep, and what happens when everything happens at once."""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from store import stock
from store.stock import OutOfReach, soft
from store.stock.grouped import ReservationQueue
from store.stock.soft import ReservationVerdict, SoftRequest, SoftUnits
from tests.worlds import small
from tests.worlds.books import check_books, one, rows
from tests.worlds.carts import cart, free, held, lapse, rule, statuses, take
from tests.worlds.sourcing import MONDAY_NOON
from tests.worlds.written import place

TAKEN, REFUSED, CROWDED = ReservationVerdict.TAKEN, ReservationVerdict.REFUSED, ReservationVerdict.CROWDED
REPEATED, OWNER_BUSY = ReservationVerdict.REPEATED, ReservationVerdict.OWNER_BUSY
WAITS = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
SOFT = "SELECT reserved_soft FROM stock WHERE node_id = 'dc-leeds' AND sku = :sku"


async def release(engine: AsyncEngine, soft_id: str) -> bool:
    async with engine.begin() as connection:
        return await soft.release(connection, soft_id, reason="test", actor="test")


async def extend(engine: AsyncEngine, soft_id: str, seconds: int = 600) -> object:
    async with engine.begin() as connection:
        return await soft.extend(connection, soft_id, seconds)


async def convert(engine: AsyncEngine, soft_id: str, *also: tuple[str, str]) -> dict[tuple[str, str], int]:
    async with engine.begin() as connection:
        return dict(await soft.convert(connection, soft_id, "web-1", also))


async def replace(engine: AsyncEngine, soft_id: str, request: SoftRequest) -> ReservationVerdict:
    async with engine.connect() as connection:
        verdict = await soft.replace(connection, soft_id, request)
        if verdict is TAKEN:
            await connection.commit()
        return verdict


async def sweep(engine: AsyncEngine) -> int:
    async with engine.begin() as connection:
        return await soft.sweep(connection)


class TestTake:
    async def test_takes_units_out_of_what_others_find(self, world: AsyncEngine) -> None:
        await held(world, cart("c1", 2))
        assert await free(world, "RARE") == {"wh-london": 3}
        assert await free(world, "RARE", promised=True) == {"wh-london": 3}
        await check_books(world)

    async def test_takes_a_basket_whole_or_not_at_all(self, world: AsyncEngine) -> None:
        basket = cart("c1", 5, "A", more=(SoftUnits("dc-leeds", "RARE", 3),))
        assert await take(world, basket) == [REFUSED]
        assert await free(world, "A") == {"dc-leeds": 100, "wh-london": 50, "st-york": 5}
        assert await one(world, "SELECT count(*) FROM soft_reservations") == 0
        await check_books(world)

    async def test_counts_lines_of_one_sku_together(self, world: AsyncEngine) -> None:
        assert await take(world, cart("c1", 1, more=(SoftUnits("dc-leeds", "RARE", 2),))) == [REFUSED]
        await held(world, cart("c2", 1, more=(SoftUnits("dc-leeds", "RARE", 1),)))
        assert await one(world, SOFT, sku="RARE") == 2
        await check_books(world)

    async def test_leaves_what_is_never_promised_unless_it_is_for_an_order(self, world: AsyncEngine) -> None:
        async with world.begin() as connection:
            await connection.exec_driver_sql("UPDATE stock SET safety_stock = 10, promise_safety = 40 WHERE sku = 'B'")
        assert await take(world, cart("c1", 61, "B")) == [REFUSED]
        assert await take(world, cart("c2", 90, "B", brokering=True)) == [TAKEN]
        assert await take(world, cart("c3", 1, "B", brokering=True)) == [REFUSED]

    async def test_leaves_what_is_kept_from_the_channel(self, world: AsyncEngine) -> None:
        await rule(world, "market", buffer=20, share=50)
        assert await take(world, cart("c1", 41, "B", channel="market")) == [REFUSED]
        await held(world, cart("c2", 40, "B", channel="market"))
        await held(world, cart("c3", 60, "B"))

    async def test_an_unknown_balance_has_nothing(self, world: AsyncEngine) -> None:
        assert await take(world, cart("c1", sku="NEVER"), cart("c2", node="nowhere")) == [REFUSED] * 2


class TestGroup:
    async def test_each_request_of_a_statement_hears_its_own_verdict(self, world: AsyncEngine) -> None:
        await held(world, cart("old", 1, "A", owner="ada"))
        verdicts = await take(
            world,
            cart("old", 1, "A", owner="ada"),
            cart("new", 1, "A", owner="ada"),
            cart("bad", 1, "NO SUCH"),
            cart("big", 3),
            cart("fits", 2, "RARE", node="wh-london"),
            cart("behind", 2, "RARE", node="wh-london"),
            cart("one", 1, "A", owner="bea"),
            cart("two", 1, "A", owner="bea"),
        )
        assert verdicts == [REPEATED, OWNER_BUSY, REFUSED, REFUSED, TAKEN, CROWDED, TAKEN, CROWDED]
        assert {row[0] for row in await rows(world, "SELECT id FROM soft_reservations")} == {"old", "fits", "one"}
        await check_books(world)

    async def test_one_refused_basket_takes_nothing_from_those_behind_it(self, world: AsyncEngine) -> None:
        greedy = cart("greedy", 2, more=(SoftUnits("dc-leeds", "NEVER", 1),))
        queue = ReservationQueue(world)
        answers = await asyncio.gather(*map(queue.take, [greedy, cart("c1"), cart("c2"), cart("c3")]))
        assert Counter(answers) == {TAKEN: 2, REFUSED: 2}
        assert answers[0] is REFUSED
        await check_books(world)

    async def test_one_that_the_database_refuses_spoils_nobody_else(self, world: AsyncEngine) -> None:
        bad = cart("bad", 1, "A", owner="nul\x00")
        queue = ReservationQueue(world)
        answers = await asyncio.gather(
            *(queue.take(each) for each in (cart("c1"), bad, cart("c2"))), return_exceptions=True
        )
        assert answers[0] is answers[2] is TAKEN
        assert isinstance(answers[1], Exception)
        await check_books(world)

    async def test_a_flash_sale_sells_every_unit_once(self, world: AsyncEngine) -> None:
        queue = ReservationQueue(world)
        answers = await asyncio.gather(*(queue.take(cart(f"c{n}", 1 + n % 3, "B")) for n in range(200)))
        sold = sum(1 + n % 3 for n, verdict in enumerate(answers) if verdict is TAKEN)
        assert 98 <= sold <= 100
        assert await one(world, SOFT, sku="B") == sold
        await check_books(world)

    async def test_a_caller_who_goes_away_leaves_the_others_their_answers(self, world: AsyncEngine) -> None:
        queue = ReservationQueue(world)
        asking = [asyncio.create_task(queue.take(cart(f"c{n}", 1, "A"))) for n in range(20)]
        await asyncio.sleep(0)
        for task in asking[::2]:
            task.cancel()
        answers = await asyncio.gather(*asking, return_exceptions=True)
        assert all(answer is TAKEN for answer in answers[1::2])
        await check_books(world)


class TestExpiry:
    async def test_lapsed_units_are_free_at_once_for_readers_and_takers(self, world: AsyncEngine) -> None:
        await held(world, cart("c1", 2))
        await lapse(world, "c1")
        assert await free(world, "RARE") == {"dc-leeds": 2, "wh-london": 3}
        assert await free(world, "RARE", promised=True) == {"dc-leeds": 2, "wh-london": 3}
        assert await one(world, SOFT, sku="RARE") == 2
        await held(world, cart("c2", 2))
        assert await statuses(world, "c1") == ("active", ["expired"])
        await check_books(world)

    async def test_an_order_takes_lapsed_units(self, world: AsyncEngine) -> None:
        await held(world, cart("c1", 2))
        await lapse(world, "c1")
        order = small.order(RARE=2)
        units = await place(world, order)
        async with world.begin() as connection:
            await stock.reserve(connection, order.order_id, order.channel, units, [], MONDAY_NOON)
        assert await one(world, SOFT, sku="RARE") == 0
        await check_books(world, reserved=2)

    async def test_an_order_that_finds_too_little_reclaims_nothing(self, world: AsyncEngine) -> None:
        await held(world, cart("c1", 1))
        await lapse(world, "c1")
        order = small.order(RARE=3)
        units = await place(world, order)
        with pytest.raises(OutOfReach):
            async with world.begin() as connection:
                await stock.reserve(connection, order.order_id, order.channel, units, [], MONDAY_NOON)
        assert await one(world, SOFT, sku="RARE") == 1
        await check_books(world)

    async def test_lapsed_units_are_reclaimed_once_by_many_takers(self, world: AsyncEngine) -> None:
        for number in range(10):
            both = (SoftUnits("dc-leeds", "B", 10),)
            await held(world, cart(f"old{number}", 10, "A", more=both))
            await lapse(world, f"old{number}")
        wanted = [
            cart(f"new{n}", 5, "A" if n % 2 else "B", more=(SoftUnits("dc-leeds", "B" if n % 2 else "A", 5),))
            for n in range(40)
        ]
        answers = await asyncio.gather(*(take(world, each) for each in wanted), sweep(world), sweep(world))
        assert Counter(verdict for answer in answers if isinstance(answer, list) for verdict in answer) == {
            TAKEN: 20,
            REFUSED: 20,
        }
        assert await one(world, "SELECT count(*) FROM stock_ledger WHERE kind = 'soft_expire'") == 20
        assert await rows(world, "SELECT sku, reserved_soft FROM stock WHERE reserved_soft > 0 ORDER BY sku") == [
            ("A", 100),
            ("B", 100),
        ]
        await check_books(world)

    async def test_a_sweep_writes_down_what_lapsed_and_nothing_else(self, world: AsyncEngine) -> None:
        await held(world, cart("c1"), cart("c2"))
        await lapse(world, "c1")
        assert await sweep(world) == 1
        assert await sweep(world) == 0
        assert await statuses(world, "c1") == ("expired", ["expired"])
        assert await statuses(world, "c2") == ("active", ["active"])
        await check_books(world)


class TestExtend:
    async def test_what_lapsed_is_not_revived(self, world: AsyncEngine) -> None:
        await held(world, cart("c1", 2))
        await lapse(world, "c1")
        assert await extend(world, "c1") is None
        await held(world, cart("c2", 2))
        await check_books(world)

    async def test_in_the_moment_of_expiry_either_the_owner_or_a_taker_has_the_units(self, world: AsyncEngine) -> None:
        """Whoever hears yes has them; the clock runs out while both ask again and again."""
        for number in range(12):
            name = f"c{number}"
            more = (SoftUnits("dc-leeds", "B", 100),)
            await held(world, cart(name, 100, "A", more=more))
            await lapse(world, name, timedelta(milliseconds=40))
            extending = [self._later(number * 2 + n, extend(world, name)) for n in range(8)]
            taking = [self._later(n * 8, take(world, cart(f"t{number}-{n}", 100, "B"))) for n in range(10)]
            answers = await asyncio.gather(*extending, *taking)
            kept = any(answer is not None for answer in answers[:8])
            won = [n for n, verdicts in enumerate(answers[8:]) if verdicts == [TAKEN]]
            assert kept != bool(won)
            assert len(won) < 2
            if kept:
                assert (await statuses(world, name))[1] == ["active"]
            await release(world, name)
            for n in won:
                assert await release(world, f"t{number}-{n}")
            await check_books(world)

    async def test_rows_are_locked_in_one_sequence_by_who_extends_and_who_reclaims(self, world: AsyncEngine) -> None:
        """A taker who waits for the first of the units' rows has locked none of those the extender goes on to."""
        rest = (("st-york", "A"), ("dc-leeds", "A"), ("dc-leeds", "B"), ("dc-leeds", "RARE"), ("wh-london", "RARE"))
        more = tuple(SoftUnits(node, sku, 1) for node, sku in rest)
        await held(world, cart("c1", 1, "A", node="wh-london", more=more))
        await lapse(world, "c1")
        async with world.connect() as extending, world.connect() as other:
            await extending.execute(text("SELECT FROM reservations ORDER BY id LIMIT 1 FOR UPDATE"))
            taking = asyncio.create_task(take(world, cart("c2", 1, "A", node="wh-london", more=more)))
            while not await one(world, WAITS):
                await asyncio.sleep(0.01)
            unlocked = (await other.execute(text("SELECT id FROM reservations FOR UPDATE SKIP LOCKED"))).all()
            assert len(unlocked) == len(rest)
            await other.rollback()
            await extending.rollback()
        assert await taking == [TAKEN]
        await check_books(world)

    async def _later(self, milliseconds: int, what: object) -> object:
        await asyncio.sleep(0.025 + milliseconds / 1000)
        return await what  # type: ignore[misc]


class TestEnd:
    async def test_units_are_given_back_once(self, world: AsyncEngine) -> None:
        await held(world, cart("c1", 2))
        assert sorted(await asyncio.gather(*(release(world, "c1") for _ in range(8)))) == [False] * 7 + [True]
        assert await one(world, "SELECT count(*) FROM stock_ledger WHERE kind = 'soft_release'") == 1
        assert await free(world, "RARE") == {"dc-leeds": 2, "wh-london": 3}
        await check_books(world)

    async def test_what_lapsed_is_converted_to_nothing(self, world: AsyncEngine) -> None:
        await held(world, cart("c1", 2))
        await lapse(world, "c1")
        assert await convert(world, "c1") == {}
        assert await statuses(world, "c1") == ("expired", ["expired"])
        assert await one(world, "SELECT order_id FROM soft_reservations") is None
        assert await one(world, "SELECT kind FROM stock_ledger WHERE soft_delta < 0") == "soft_expire"
        await check_books(world)

    async def test_what_is_unknown_is_converted_to_nothing(self, world: AsyncEngine) -> None:
        assert await convert(world, "nobody", ("dc-leeds", "A"), ("no", "row")) == {}
        assert not await release(world, "nobody")

    async def test_one_of_all_who_end_it_at_once_wins(self, world: AsyncEngine) -> None:
        for number in range(10):
            name = f"c{number}"
            await held(world, cart(name, 2, "A", more=(SoftUnits("dc-leeds", "B", 1),)))
            await lapse(world, name, timedelta(milliseconds=12))
            answers = await asyncio.gather(
                convert(world, name, ("wh-london", "A")),
                release(world, name),
                convert(world, name),
                extend(world, name),
                sweep(world),
                take(world, cart(f"t{number}", 1, "B", seconds=1)),
            )
            assert sum(bool(answer) for answer in (answers[0], answers[2])) <= 1
            header, units = await statuses(world, name)
            if answers[0] or answers[2]:
                assert (header, units) == ("converted", ["converted"])
            if header in {"converted", "released"}:
                assert units == [header]
            await check_books(world)

    async def test_ending_extending_and_taking_in_opposite_sequences_lock_nobody_out(self, world: AsyncEngine) -> None:
        async def live(number: int) -> None:
            name = f"c{number}"
            skus = ("A", "B") if number % 2 else ("B", "A")
            await held(world, cart(name, 1, skus[0], more=(SoftUnits("dc-leeds", skus[1], 1),)))
            await asyncio.gather(extend(world, name), release(world, name), convert(world, name, ("dc-leeds", "RARE")))

        async with asyncio.timeout(60):
            await asyncio.gather(*map(live, range(40)))
        assert await rows(world, "SELECT 1 FROM stock WHERE reserved_soft <> 0") == []
        await check_books(world)


class TestReplace:
    async def test_the_owners_units_are_free_for_him_and_for_nobody_else(self, world: AsyncEngine) -> None:
        await held(world, cart("c1", 2, owner="ada"))
        assert await take(world, cart("c2", 2, owner="ada")) == [OWNER_BUSY]
        answers = await asyncio.gather(
            replace(world, "c1", cart("c2", 2, owner="ada")), *(take(world, cart(f"t{n}")) for n in range(8))
        )
        assert answers == [TAKEN] + [[REFUSED]] * 8
        assert await statuses(world, "c1") == ("released", ["released"])
        assert await statuses(world, "c2") == ("active", ["active"])
        await check_books(world)

    async def test_the_old_one_stands_where_the_new_one_does_not_fit(self, world: AsyncEngine) -> None:
        await held(world, cart("c1", 2, owner="ada"))
        assert await replace(world, "c1", cart("c2", 3, owner="ada")) is REFUSED
        assert await statuses(world, "c1") == ("active", ["active"])
        await check_books(world)

    async def test_an_owner_keeps_what_he_holds_when_a_rule_takes_it_from_others(self, world: AsyncEngine) -> None:
        await held(world, cart("c1", 60, "B", owner="ada"))
        await rule(world, "web", buffer=50)
        assert await replace(world, "c1", cart("c2", 61, "B", owner="ada")) is REFUSED
        assert await replace(world, "c1", cart("c2", 60, "B", owner="ada")) is TAKEN
        await check_books(world)

    async def test_of_many_at_once_the_last_one_stands_alone(self, world: AsyncEngine) -> None:
        await held(world, cart("c0", 2, owner="ada"))
        answers = await asyncio.gather(
            *(replace(world, "c0", cart(f"c{n}", 2, owner="ada")) for n in range(1, 9)), return_exceptions=True
        )
        assert answers.count(TAKEN) == 1
        assert await one(world, "SELECT count(*) FROM soft_reservations WHERE status = 'active'") == 1
        assert await one(world, SOFT, sku="RARE") == 2
        await check_books(world)


class TestOwned:
    async def test_an_order_takes_what_was_held_for_it_whatever_the_rules_say_by_now(self, world: AsyncEngine) -> None:
        await held(world, cart("c1", 60, "B"))
        await rule(world, "web", share=50)
        async with world.begin() as connection:
            await connection.execute(text("UPDATE stock SET safety_stock = 30 WHERE sku = 'B'"))
        assert await free(world, "B", own="c1") == {"dc-leeds": 60}
        order = small.order(B=60)
        units = await place(world, order)
        async with world.connect() as connection:
            await soft.convert(connection, "c1", order.order_id)
            with pytest.raises(OutOfReach):
                await stock.reserve(connection, order.order_id, "web", units, [], MONDAY_NOON)
        async with world.begin() as connection:
            owned = await soft.convert(connection, "c1", order.order_id)
            await stock.reserve(connection, order.order_id, "web", units, [], MONDAY_NOON, owned)
        assert await one(world, "SELECT order_id FROM soft_reservations") == order.order_id
        await check_books(world, reserved=60)
