"""Waiting orders get what comes in, in their places, once, whoever else wants it at the same moment."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from services import backorder_allocation
from services.backorder_allocation import AllocationOutcome
from store import backorders
from store.network import reference
from store.orders import orders
from store.stock import OutOfReach, soft
from tests.worlds import small
from tests.worlds.backorders import LEEDS, YORK, aside, comes, deal, expires, impatient, place, settle, told, waits
from tests.worlds.books import one, rows
from tests.worlds.sourcing import MONDAY_NOON
from tests.worlds.written import release
from workflows.messages import StockArrived


@pytest.fixture(autouse=True)
async def books(world: AsyncEngine) -> AsyncIterator[None]:
    """After each test balances, ledger and reservations agree."""
    yield
    query = """
        SELECT s.node_id, s.sku, s.reserved, s.reserved_soft, l.*, r.* FROM stock s,
        LATERAL (SELECT sum(on_hand_delta) AS on_hand, sum(reserved_delta) AS firm, sum(soft_delta) AS soft
                 FROM stock_ledger l WHERE l.node_id = s.node_id AND l.sku = s.sku) l,
        LATERAL (SELECT coalesce(sum(quantity) FILTER (WHERE kind = 'firm'), 0) AS firm_now,
                        coalesce(sum(quantity) FILTER (WHERE kind = 'soft'), 0) AS soft_now
                 FROM reservations r WHERE r.node_id = s.node_id AND r.sku = s.sku AND r.status = 'active') r
        WHERE (l.on_hand, l.firm, l.soft) <> (s.on_hand, s.reserved, s.reserved_soft)
           OR (r.firm_now, r.soft_now) <> (s.reserved, s.reserved_soft)
    """
    assert await rows(world, query) == []


class TestInTheirPlaces:
    async def test_the_oldest_first_the_urgent_before_it(self, world: AsyncEngine) -> None:
        young = await waits(world, "young", age=1, NEVER=2)
        old = await waits(world, "old", age=5, NEVER=2)
        urgent = await waits(world, "urgent", NEVER=1, priority=3)
        await comes(world, LEEDS, 4)
        assert (await deal(world)).granted == (urgent, old, young)
        assert await aside(world) == {urgent: {LEEDS: 1}, old: {LEEDS: 2}, young: {LEEDS: 1}}
        assert await deal(world) == AllocationOutcome()
        await comes(world, YORK, 7)
        assert (await deal(world)).granted == (young,)
        assert (await aside(world))[young] == {LEEDS: 1, YORK: 1}

    async def test_a_channels_priority_stands_for_orders_without_one(self, world: AsyncEngine) -> None:
        async with world.begin() as connection:
            query = "INSERT INTO channels (id, priority, document) VALUES ('shop', 7, '{}')"
            await connection.execute(text(query))
        old = await waits(world, "old", age=9, NEVER=1)
        shop = await waits(world, "1", channel="shop", NEVER=1)
        first = await waits(world, "first", priority=6, NEVER=1)
        await comes(world, LEEDS, 2)
        assert (await deal(world)).granted == (first, shop)
        assert old not in await aside(world)

    async def test_a_channel_gets_what_its_rules_allow(self, world: AsyncEngine) -> None:
        async with world.begin() as connection:
            await connection.execute(text("INSERT INTO channels (id, document) VALUES ('web', '{}')"))
            query = "INSERT INTO channel_rules (channel, buffer, share) VALUES ('web', 2, 50)"
            await connection.execute(text(query))
        web = await waits(world, "old", age=9, NEVER=9)
        shop = await waits(world, "1", channel="shop", NEVER=9)
        await comes(world, LEEDS, 10)
        await deal(world)
        assert await aside(world) == {web: {LEEDS: 4}, shop: {LEEDS: 6}}

    async def test_what_is_held_or_kept_back_is_not_dealt_out(self, world: AsyncEngine) -> None:
        order_id = await waits(world, "1", NEVER=9)
        await comes(world, LEEDS, 6)
        async with world.begin() as connection:
            cart = soft.SoftRequest("cart", "web", "cart", "test", 60, (soft.SoftUnits(*LEEDS, 3),))
            assert await soft.take(connection, [cart]) == [soft.ReservationVerdict.TAKEN]
            query = "UPDATE stock SET safety_stock = 1 WHERE sku = 'NEVER'"
            await connection.execute(text(query))
        await deal(world)
        assert await aside(world) == {order_id: {LEEDS: 2}}
        async with world.begin() as connection:
            query = "UPDATE reservations SET expires_at = now() - interval '1 s' WHERE soft_id = 'cart'"
            await connection.execute(text(query))
        await deal(world)
        assert await aside(world) == {order_id: {LEEDS: 5}}

    async def test_a_preorder_is_not_served_before_its_day(self, world: AsyncEngine) -> None:
        order_id = await waits(world, "1", NEVER=1)
        await comes(world, LEEDS, 1)
        day = "UPDATE skus SET document = document || jsonb_build_object('release_on', now()::date + :days)"
        for days, served in ((2, ()), (-2, (order_id,))):
            async with world.begin() as connection:
                await connection.execute(text(day), {"days": days})
            assert (await deal(world)).granted == served


class TestWhere:
    async def test_only_where_the_order_can_be_served(self, world: AsyncEngine) -> None:
        pickup = await waits(world, "p", age=9, NEVER=1, shipping_method="pickup", pickup_node="st-york")
        await comes(world, LEEDS, 1)
        assert (await deal(world)).granted == ()
        async with world.begin() as connection:
            query = """UPDATE nodes SET document = document || '{"ships_to": ["FR"]}' WHERE id = 'dc-leeds'"""
            await connection.execute(text(query))
        here = await waits(world, "h", NEVER=1)
        assert (await deal(world)).granted == ()
        await comes(world, YORK, 2)
        assert (await deal(world)).granted == (pickup, here)

    async def test_a_node_that_rejected_it_is_left_out_until_goods_come_in(self, world: AsyncEngine) -> None:
        order_id = await waits(world, "1", age=9, NEVER=1)
        await comes(world, LEEDS, 2)
        async with world.begin() as connection:
            order = await orders.document(connection, order_id)
            await release(connection, order, status="rejected")
        other = await waits(world, "2", NEVER=1)
        assert (await deal(world)).granted == (other,)
        await comes(world, LEEDS, 1)
        assert (await deal(world)).granted == (order_id,)


class TestShipComplete:
    async def test_is_passed_over_and_then_served(self, world: AsyncEngine) -> None:
        whole = await waits(world, "whole", age=9, NEVER=2, B=200, ship_complete=True)
        young = await waits(world, "young", NEVER=2)
        await comes(world, LEEDS, 2)
        assert (await deal(world)).granted == (young,)
        await comes(world, LEEDS, 2)
        assert (await deal(world)).granted == ()
        await comes(world, ("dc-leeds", "B"), 100)
        assert (await deal(world, "B")).granted == (whole,)
        assert (await aside(world))[whole] == {LEEDS: 2, ("dc-leeds", "B"): 200}
        assert await told(world) == [young, whole]

    async def test_out_of_patience_it_gathers_without_being_told(self, world: AsyncEngine) -> None:
        whole = await waits(world, "whole", age=9, NEVER=3, ship_complete=True)
        young = await waits(world, "young", NEVER=2)
        await impatient(world, whole)
        for units in (1, 2):
            await comes(world, LEEDS, 1)
            await deal(world)
            assert await aside(world) == {whole: {LEEDS: units}}
            assert await told(world) == []
        await comes(world, LEEDS, 2)
        await deal(world)
        assert await aside(world) == {whole: {LEEDS: 3}, young: {LEEDS: 1}}
        assert await told(world) == [whole, young]

    async def test_what_it_gathered_goes_to_one_that_comes_before_it(self, world: AsyncEngine) -> None:
        whole = await waits(world, "whole", age=9, NEVER=3, ship_complete=True)
        await impatient(world, whole)
        await comes(world, LEEDS, 2)
        await deal(world)
        urgent = await waits(world, "urgent", priority=0, NEVER=1)
        await deal(world)
        assert await aside(world) == {whole: {LEEDS: 1}, urgent: {LEEDS: 1}}

    async def test_sourcing_that_takes_nothing_leaves_what_it_gathered(self, world: AsyncEngine) -> None:
        whole = await waits(world, "whole", NEVER=3, ship_complete=True)
        await impatient(world, whole)
        await comes(world, LEEDS, 2)
        await deal(world)
        await settle(world, whole)
        assert await aside(world) == {whole: {LEEDS: 2}}

    async def test_is_kept_as_long_as_it_lacks_something(self, world: AsyncEngine) -> None:
        whole = await waits(world, "whole", NEVER=3, ship_complete=True)
        await impatient(world, whole)
        await comes(world, LEEDS, 2)
        await deal(world)
        async with world.begin() as connection:
            assert await backorders.lacking(connection) == []
            await expires(connection, "1 hour")
            assert await backorders.lacking(connection) == [whole]
            await backorders.extend_allocation(connection, whole)
            assert await backorders.lacking(connection) == []
            assert not await rows(world, "SELECT id FROM orders FOR NO KEY UPDATE SKIP LOCKED"), "no run adds to it"


class TestTelling:
    async def test_with_each_share_of_what_it_has(self, world: AsyncEngine) -> None:
        order_id = await waits(world, "1", NEVER=2)
        await comes(world, LEEDS, 1)
        await deal(world)
        ((kind, workflow, argument),) = await rows(world, "SELECT kind, recipient, payload FROM outbox")
        assert (kind, workflow) == ("stock_arrived", f"order-{order_id}")
        assert StockArrived.model_validate(argument) == StockArrived(skus=("NEVER",), occurred_at=MONDAY_NOON)
        await deal(world)
        assert await told(world) == [order_id], "nothing new"
        await comes(world, LEEDS, 1)
        await deal(world)
        assert await told(world) == [order_id] * 2, "it has more than it was told of"

    async def test_one_whose_process_is_gone_makes_room_and_is_put_before_a_person(self, world: AsyncEngine) -> None:
        gone = await waits(world, "gone", age=9, NEVER=1)
        young = await waits(world, "young", NEVER=1)
        await comes(world, LEEDS, 1)
        await deal(world)
        async with world.begin() as connection:
            await backorders.without_process(connection, gone)
        assert (await deal(world)).granted == (young,)
        assert await rows(world, "SELECT order_id, kind, status FROM exceptions") == [
            (gone, "backorder_no_process", "open")
        ]
        async with world.begin() as connection:
            await connection.execute(text("UPDATE exceptions SET status = 'closed'"))
        await comes(world, LEEDS, 1)
        assert (await deal(world)).granted == (gone,)

    async def test_one_that_was_cancelled_meanwhile_makes_room_and_needs_nobody(self, world: AsyncEngine) -> None:
        order_id = await waits(world, "cancelled", NEVER=1)
        await comes(world, LEEDS, 1)
        await deal(world)
        async with world.begin() as connection:
            await connection.execute(text("UPDATE orders SET status = 'cancelled'"))
            await backorders.without_process(connection, order_id)
        assert (await aside(world), await rows(world, "SELECT kind FROM exceptions")) == ({}, [])

    async def test_units_nobody_took_in_time_are_dealt_out_anew(self, world: AsyncEngine) -> None:
        first = await waits(world, "1", age=9, NEVER=1)
        await comes(world, LEEDS, 1)
        await deal(world)
        async with world.begin() as connection:
            await expires(connection, "-1 s")
        urgent = await waits(world, "2", priority=1, NEVER=1)
        assert (await deal(world)).granted == (urgent,)
        await comes(world, LEEDS, 1)
        assert (await deal(world)).granted == (first,)
        assert await told(world) == [first, urgent, first]


class TestSettling:
    async def test_what_it_takes_is_its_own_and_the_rest_goes_to_the_next(self, world: AsyncEngine) -> None:
        first = await waits(world, "1", age=9, NEVER=2)
        second = await waits(world, "2", NEVER=9)
        await comes(world, LEEDS, 2)
        await comes(world, YORK, 1)
        await deal(world)
        assert await aside(world) == {first: {LEEDS: 2}, second: {YORK: 1}}
        await settle(world, first, l1=2)
        assert await aside(world) == {second: {YORK: 1}}
        assert await rows(world, "SELECT on_hand, reserved, reserved_soft FROM stock WHERE sku = 'NEVER'") == [
            (2, 2, 0),
            (1, 0, 1),
        ]

    async def test_what_it_cannot_use_is_not_offered_to_it_without_end(self, world: AsyncEngine) -> None:
        first = await waits(world, "1", age=9, NEVER=2)
        await comes(world, YORK, 2)
        assert (await deal(world)).granted == (first,)
        await settle(world, first)
        assert await aside(world) == {}
        assert (await deal(world)).granted == ()
        second = await waits(world, "2", NEVER=1)
        assert (await deal(world)).granted == (second,)
        await comes(world, LEEDS, 1)
        assert (await deal(world)).granted == (first,)
        async with world.begin() as connection:
            old = "UPDATE soft_reservations SET declined = replace(declined::text, :now, '2020')::jsonb"
            await connection.execute(text(old), {"now": str(datetime.now(UTC).year)})
        assert (await deal(world)).granted == (first,)
        assert (await aside(world))[first] == {LEEDS: 1, YORK: 1}

    async def test_what_a_node_that_was_off_could_not_give_is_offered_once_it_is_on(self, world: AsyncEngine) -> None:
        """Set aside, then the node was switched off before the order took it."""
        order_id = await waits(world, "flapping", NEVER=2)
        await comes(world, LEEDS, 2)
        await deal(world)
        for active in (False, True):
            async with world.begin() as connection:
                await reference.put_node(connection, small.NODES[0].model_copy(update={"active": active}))
            if not active:
                await settle(world, order_id)
                await deal(world)
                assert await aside(world) == {}
        await deal(world)
        assert await aside(world) == {order_id: {LEEDS: 2}}

    async def test_an_order_that_waits_for_nothing_gives_back_what_it_has(self, world: AsyncEngine) -> None:
        first = await waits(world, "1", NEVER=1)
        await comes(world, LEEDS, 1)
        await deal(world)
        async with world.begin() as connection:
            assert await backorders.idle(connection) == []
            await backorders.release_idle(connection, first)
            assert await backorders.idle(connection) == []
        assert await aside(world) != {}
        async with world.begin() as connection:
            await connection.execute(text("UPDATE order_lines SET backordered = 0, cancelled = 1"))
            assert await backorders.idle(connection) == [first]
            await backorders.release_idle(connection, first)
        assert await aside(world) == {}


class TestAtTheSameMoment:
    async def test_runs_at_once_never_grant_a_unit_twice(self, world: AsyncEngine) -> None:
        for number in range(12):
            await waits(world, f"{number:02}", age=20 - number, NEVER=2, **({"RARE": 9} if number % 3 else {}))
        places = [LEEDS, YORK, ("wh-london", "NEVER"), ("dc-leeds", "RARE")]
        goods = [comes(world, places[n % 4], 1, at_once=bool(n % 2)) for n in range(24)]
        runs = [deal(world, *(("NEVER", "RARE") if n % 2 else ("NEVER",))) for n in range(8)]
        await asyncio.gather(*goods, *runs)
        await deal(world, "NEVER", "RARE")
        found = await aside(world)
        assert sum(sum(units.values()) for units in found.values()) == 24 + 5
        never = [sum(n for (_, sku), n in found.get(f"web-{i:02}", {}).items() if sku == "NEVER") for i in range(12)]
        assert never == [2] * 9 + [0] * 3

    async def test_goods_that_come_in_go_to_those_who_wait_and_not_to_who_comes_by(self, world: AsyncEngine) -> None:
        waiters = [await waits(world, f"{number:02}", age=9, NEVER=1) for number in range(10)]
        grabbed: list[str] = []
        done = asyncio.Event()

        async def grab(number: int) -> None:
            """A shopper who takes a unit the moment there is one."""
            while not done.is_set():
                async with world.begin() as connection:
                    cart = f"cart-{number}-{len(grabbed)}"
                    request = soft.SoftRequest(cart, "web", cart, "test", 60, (soft.SoftUnits(*LEEDS, 1),))
                    if (await soft.take(connection, [request]))[0] is soft.ReservationVerdict.TAKEN:
                        grabbed.append(cart)

        shoppers = [asyncio.create_task(grab(number)) for number in range(3)]
        for _ in range(10):
            await comes(world, LEEDS, 1, at_once=True)
        assert grabbed == []
        assert sorted(await aside(world)) == waiters
        await comes(world, LEEDS, 2, at_once=True)
        async with asyncio.timeout(20):
            while len(grabbed) < 2:  # now they do get some: it is the queue that kept them away
                await asyncio.sleep(0.02)
        done.set()
        await asyncio.gather(*shoppers)

    async def test_an_order_whose_units_are_on_the_move_is_left_out_and_looked_at_again(
        self, world: AsyncEngine
    ) -> None:
        busy = await waits(world, "busy", age=9, NEVER=1)
        await comes(world, LEEDS, 1)
        async with world.begin() as moving:
            await backorders.lock_order(moving, busy)
            async with asyncio.timeout(5):
                outcome = await deal(world)
            assert (outcome.granted, outcome.again) == ((), frozenset({"NEVER"}))
            moves = [orders.UnitMove("1", backordered=-1, cancelled=1)]
            await orders.move_units(moving, busy, moves)
        assert await deal(world) == AllocationOutcome()
        assert await aside(world) == {}

    async def test_sourcing_and_dealing_out_at_once_lose_nothing(self, world: AsyncEngine) -> None:
        """Orders source while goods come in and runs go on: nobody deadlocks, and every unit has one owner."""
        order_ids = [await waits(world, f"{number:02}", age=9, NEVER=1) for number in range(8)]

        async def source(order_id: str) -> None:
            async with asyncio.timeout(20):
                while True:
                    if LEEDS in (await aside(world)).get(order_id, {}):
                        return await settle(world, order_id, l1=1)
                    await asyncio.sleep(0.01)

        async def supply() -> None:
            for number in range(8):
                await comes(world, LEEDS, 1, at_once=bool(number % 2))
                await deal(world)

        await asyncio.gather(supply(), *(source(order_id) for order_id in order_ids))
        assert await rows(world, "SELECT on_hand, reserved, reserved_soft FROM stock WHERE sku = 'NEVER'") == [
            (8, 8, 0)
        ]
        assert await one(world, "SELECT sum(backordered) FROM order_lines") == 0

    async def test_refuses_what_others_hold(self, world: AsyncEngine) -> None:
        """A new order plans on what it saw before the goods were dealt out: it has to plan again."""
        waiter = await waits(world, "old", age=9, NEVER=2)
        await comes(world, LEEDS, 2, at_once=True)
        new = small.order("new", NEVER=1)
        with pytest.raises(OutOfReach):
            await place(world, new)
        assert await aside(world) == {waiter: {LEEDS: 2}}

    async def test_a_run_that_dies_leaves_nothing(self, world: AsyncEngine) -> None:
        order_id = await waits(world, "1", NEVER=1)
        await comes(world, LEEDS, 1)

        async def die() -> None:
            async with world.begin() as connection:
                assert (await backorder_allocation.allocate(connection, ["NEVER"])).granted == (order_id,)
                await connection.execute(text("SELECT 1 / 0"))

        with pytest.raises(DBAPIError):
            await die()
        assert await aside(world) == {}
        assert (await deal(world)).granted == (order_id,)
