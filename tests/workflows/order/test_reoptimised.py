"""Work that no node has begun is given to other nodes; whatever the order's process hears first, nothing is lost."""

import asyncio

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from dom.notifications.messages import Notice
from dom.orders.calls import StepLine
from dom.orders.order import Order
from dom.orders.status import OrderStatus
from tests.worlds import small
from tests.worlds.books import balance, check_books, one, rows
from tests.worlds.reoptimising import comes, policy, reoptimisation_job
from tests.worlds.running import House
from tests.worlds.steps import cancel, deliver, ended, status_of, stock_comes, until_event, until_released
from tests.worlds.waiting import until, until_status
from workflows.messages import Reoptimised
from workflows.order.process import OrderWorkflow

APPLIED = "SELECT count(*) FROM reoptimisations WHERE applied_at IS NOT NULL"


async def split(house: House, name: str, *, told: bool = False) -> Order:
    """An order of five from two nodes; then all of it is given to Leeds, and the process knows of it or not."""
    order = small.order(name, RARE=5)
    await house.send(order)
    await comes(house.engine, "dc-leeds", "RARE", 3)
    await look(house, told=told)
    assert await until_released(house, order, 3) == "dc-leeds"
    return order


async def look(house: House, *, told: bool) -> None:
    """A look, of which the order's process hears, or by a signal that gets lost does not."""
    (house.lost.discard if told else house.lost.add)(Notice.REOPTIMISED)
    await reoptimisation_job(house.engine).run()
    await house.told()


async def until_applied(house: House, looks: int = 1) -> None:
    async def there() -> bool:
        return bool(await one(house.engine, APPLIED) == looks)

    await until("re-optimisation is applied", there)


async def until_followed(house: House) -> None:
    """Every order that goes on knows of its changes; one that was cancelled meanwhile may end without."""

    async def there() -> bool:
        left = """SELECT count(*) FROM reoptimisations s JOIN orders o ON o.id = s.order_id
                  WHERE s.applied_at IS NULL AND o.status <> 'cancelled'"""
        return await one(house.engine, left) == 0

    await until("the re-optimisations are applied", there)


async def strays(house: House) -> list[tuple[object, ...]]:
    query = """SELECT data->>'fulfilment_id', data->>'report', data->>'status' FROM timeline
               WHERE kind = 'report_out_of_turn' ORDER BY id"""
    return await rows(house.engine, query)


class TestTold:
    async def test_the_process_follows_the_new_work(self, house: House) -> None:
        order = await split(house, "look-told", told=True)
        await until_applied(house)
        await deliver(house, order, 3)
        result = await ended(house, order)
        assert (result.status, result.fulfilments) == (OrderStatus.DELIVERED, 3)
        assert await balance(house.engine, "dc-leeds", "RARE") == (0, 0)
        assert await balance(house.engine, "wh-london", "RARE") == (3, 0)
        assert not await rows(house.engine, "SELECT 1 FROM exceptions")

    async def test_the_customer_hears_of_a_shipment_and_not_of_the_change(self, house: House) -> None:
        order = await split(house, "look-mails", told=True)
        await deliver(house, order, 3)
        await ended(house, order)
        kinds = await rows(
            house.engine, "SELECT kind, count(*) FROM outbox WHERE medium = 'mail' GROUP BY 1 ORDER BY 1"
        )
        assert kinds == [("delivered", 1), ("order_confirmed", 1), ("shipped", 1)]

    async def test_again_changes_nothing(self, house: House) -> None:
        order = await split(house, "look-twice", told=True)
        for number in (1, 1, 0):
            await house.handle(order).signal(OrderWorkflow.reoptimised, Reoptimised(number=number))
        await deliver(house, order, 3)
        assert (await ended(house, order)).fulfilments == 3

    async def test_again_and_again_until_the_process_is_there(
        self, temporal_client: Client, world: AsyncEngine
    ) -> None:
        job = reoptimisation_job(world)
        async with House(temporal_client, world).working() as house:
            order = small.order("look-away", RARE=5)
            await house.send(order)
        await comes(world, "dc-leeds", "RARE", 3)
        for _ in range(3):
            await job.run()
        assert await one(world, APPLIED) == 0
        async with House(temporal_client, world, task_queue=house.task_queue).working() as house:
            await until_applied(house)
            await job.run()
            await deliver(house, order, 3)
            assert (await ended(house, order)).status is OrderStatus.DELIVERED

    async def test_two_changes_one_after_the_other(self, house: House) -> None:
        order = await split(house, "look-changes", told=True)
        await until_applied(house)
        await policy(house.engine, save_at_least=1)
        await comes(house.engine, "wh-london", "RARE", 9)
        await comes(house.engine, "st-york", "RARE", 9)
        await look(house, told=True)
        number = int(str(await one(house.engine, "SELECT count(*) FROM fulfilments")))
        await until_applied(house, number - 2)
        await deliver(house, order, number)
        assert (await ended(house, order)).status is OrderStatus.DELIVERED


class TestBeforeItIsTold:
    @pytest.mark.parametrize("step", ["accept", "pick", "pack", "reject"])
    async def test_a_report_of_recalled_work_is_kept_and_the_order_goes_on(self, house: House, step: str) -> None:
        order = await split(house, f"look-early-{step}")
        await house.node(order, step)
        await until_event(house, order, "report_out_of_turn")
        assert await strays(house) == [(f"web-look-early-{step}-F1", step, "recalled")]
        assert await rows(house.engine, "SELECT kind FROM exceptions") == [("report_out_of_turn",)]
        assert await status_of(house, order) == "accepted"
        await deliver(house, order, 3)
        result = await ended(house, order)
        assert (result.status, result.fulfilments) == (OrderStatus.DELIVERED, 3)

    async def test_a_short_pick_of_recalled_work_corrects_no_balance(self, house: House) -> None:
        order = await split(house, "look-short")
        await house.node(order, "pick", number=2, lines=(StepLine(line_id="1", quantity=1),))
        await until_event(house, order, "report_out_of_turn")
        assert await balance(house.engine, "wh-london", "RARE") == (3, 0)
        assert await rows(house.engine, "SELECT backordered, cancelled FROM order_lines") == [(0, 0)]
        await deliver(house, order, 3)
        assert (await ended(house, order)).fulfilments == 3

    async def test_what_is_reported_after_it_is_kept_too(self, house: House) -> None:
        order = await split(house, "look-after", told=True)
        await until_applied(house)
        await house.node(order, "accept", number=2)
        await until_event(house, order, "report_out_of_turn")
        await deliver(house, order, 3)
        await ended(house, order)
        assert await strays(house) == [("web-look-after-F2", "accept", "recalled")]

    async def test_a_report_of_the_new_work_waits_for_it(self, house: House) -> None:
        order = await split(house, "look-new-first")
        await house.node(order, "accept", "pick", "pack", number=3)
        await house.handle(order).signal(OrderWorkflow.reoptimised, Reoptimised(number=1))
        await until_status(house.engine, "web-look-new-first-F3", "booked")
        await house.node(order, "hand-over", number=3)
        await house.carrier_says(order, "delivered", 3)
        assert (await ended(house, order)).status is OrderStatus.DELIVERED

    async def test_the_order_is_cancelled(self, house: House) -> None:
        order = await split(house, "look-cancelled")
        assert (await cancel(house, order)).cancelled == {"1": 5}
        assert (await ended(house, order)).status is OrderStatus.CANCELLED
        done = "SELECT id, status FROM fulfilments ORDER BY id"
        assert await rows(house.engine, done) == [
            ("web-look-cancelled-F1", "recalled"),
            ("web-look-cancelled-F2", "recalled"),
            ("web-look-cancelled-F3", "cancelled"),
        ]
        assert await one(house.engine, "SELECT sum(used) FROM node_days") == 0
        assert await one(house.engine, "SELECT count(*) FROM outbox WHERE kind = 'cancelled'") == 1

    async def test_some_units_are_cancelled(self, house: House) -> None:
        order = await split(house, "look-part-cancelled")
        assert (await cancel(house, order, l1=3)).cancelled == {"1": 3}
        assert await balance(house.engine, "dc-leeds", "RARE") == (5, 2)
        await deliver(house, order, 3)
        assert (await ended(house, order)).status is OrderStatus.DELIVERED

    async def test_other_work_is_cancelled_with_it(self, house: House) -> None:
        """London has packed its part and the carrier is booked; only the rest was given to another node."""
        await policy(house.engine, save_at_least=1)
        order = small.order("look-packed-part", RARE=5)
        await house.send(order)
        await house.node(order, "accept", "pick", "pack", number=1)
        await until_status(house.engine, "web-look-packed-part-F1", "booked")
        await comes(house.engine, "dc-leeds", "RARE", 3)
        await look(house, told=False)
        assert await until_released(house, order, 3) == "dc-leeds"
        assert (await cancel(house, order)).cancelled == {"1": 5}
        assert (await ended(house, order)).status is OrderStatus.CANCELLED
        assert sum(house.carrier.booked.values()) == len(house.carrier.voided) == 1

    async def test_waiting_units_are_sourced_and_numbered_after_it(self, house: House) -> None:
        order = small.order("look-numbered", RARE=5, NEVER=1)
        await house.send(order)
        await comes(house.engine, "dc-leeds", "RARE", 3)
        await look(house, told=False)
        assert await until_released(house, order, 3) == "dc-leeds"
        await comes(house.engine, "wh-london", "NEVER", 1)
        await stock_comes(house, order, "NEVER")
        assert await until_released(house, order, 4) == "wh-london"
        decided = "SELECT attempt, business_key FROM sourcing_decisions ORDER BY attempt"
        assert (await rows(house.engine, decided))[:3] == [(1, "sourced:1"), (2, "reoptimised:1"), (3, "sourced:2")]
        await house.handle(order).signal(OrderWorkflow.reoptimised, Reoptimised(number=1))
        for number in (3, 4):
            await deliver(house, order, number)
        result = await ended(house, order)
        assert (result.status, result.fulfilments) == (OrderStatus.DELIVERED, 4)


class TestAtTheSameTime:
    @pytest.mark.parametrize("seed", range(4))
    async def test_reports_cancellations_and_looks_lose_and_double_nothing(self, house: House, seed: int) -> None:
        """Eight orders are split, and could all be put together; six of them are disturbed while that is done."""
        await comes(house.engine, "st-york", "NEVER", 8)
        orders = [small.order(f"look-race-{seed}-{n}", B=1, NEVER=1) for n in range(8)]
        for order in orders:
            await house.send(order)
        await comes(house.engine, "dc-leeds", "NEVER", 8)
        job = reoptimisation_job(house.engine)

        async def disturb(number: int) -> None:
            what = (number + seed) % 4
            if what == 0:
                await cancel(house, orders[number])
            else:
                await house.node(orders[number], ("accept", "pick", "reject")[what - 1], number=1 + number % 2)

        await asyncio.gather(job.run(), *(disturb(number) for number in range(6)), job.run())
        await job.run()
        looks = int(str(await one(house.engine, "SELECT count(*) FROM reoptimisations")))
        assert looks >= 2
        await until_followed(house)
        for order in orders:
            if await status_of(house, order) != "cancelled":
                await cancel(house, order)
        async with asyncio.timeout(30):
            await asyncio.gather(*(house.handle(order).result() for order in orders))
        await check_books(house.engine)
        assert await one(house.engine, "SELECT coalesce(sum(used), 0) FROM node_days") == 0
