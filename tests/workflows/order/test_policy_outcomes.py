"""What the policy says of units that find no node, and of nodes that failed an order, in the order's life."""

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.orders.status import OrderStatus
from dom.sourcing.policy.document import Policy
from services import backorder_allocation
from store import backorders
from store.policy import policies
from tests.worlds import small
from tests.worlds.books import balance, one, rows
from tests.worlds.policies import policy, strategy
from tests.worlds.reoptimising import comes
from tests.worlds.running import House
from tests.worlds.steps import cancel, deliver, ended, status_of, stock_comes, until_event, until_released

QUEUE, CANCEL = {"then": "queue"}, {"then": "cancel"}


async def publish(engine: AsyncEngine, published: Policy) -> None:
    async with engine.begin() as connection:
        await policies.publish_policy(connection, published, "test")


class TestQueued:
    async def test_units_wait_and_a_person_looks_at_them_once(self, house: House) -> None:
        await publish(house.engine, policy(strategy("careful", on_none=QUEUE)))
        order = small.order("policy-queued", NEVER=2)
        assert (await house.send(order)).status is OrderStatus.BACKORDERED
        await stock_comes(house, order, "NEVER")
        await until_event(house, order, "sourced")
        opened = await rows(house.engine, "SELECT kind, business_key, status FROM exceptions")
        assert opened == [("sourcing", "web-policy-queued:sourcing:careful", "open")]
        await comes(house.engine, "dc-leeds", "NEVER", 2)
        await until_released(house, order, 1)
        await deliver(house, order)
        await ended(house, order)

    async def test_once_for_each_strategy(self, house: House) -> None:
        await publish(house.engine, policy(strategy("first", on_none=QUEUE)))
        order = small.order("policy-queued-twice", NEVER=1)
        await house.send(order)
        await publish(house.engine, policy(strategy("second", on_none=QUEUE)))
        await stock_comes(house, order, "NEVER")
        await until_event(house, order, "sourced")
        keys = await rows(house.engine, "SELECT business_key FROM exceptions ORDER BY id")
        assert keys == [("web-policy-queued-twice:sourcing:first",), ("web-policy-queued-twice:sourcing:second",)]
        await cancel(house, order)
        await ended(house, order)


class TestCancelled:
    async def test_what_is_not_sourced_is_cancelled_right_after_capture(self, house: House) -> None:
        await publish(house.engine, policy(strategy("now-or-never", on_partial=CANCEL, on_none=CANCEL)))
        order = small.order("policy-now", A=1, NEVER=2)
        await house.send(order)
        await until_event(house, order, "cancelled")
        reasons = await rows(house.engine, "SELECT reason, actor FROM timeline WHERE kind = 'cancelled'")
        assert reasons == [("the policy cancels what cannot be sourced", "system:ofl")]
        await deliver(house, order)
        assert (await ended(house, order)).status is OrderStatus.DELIVERED
        assert await rows(house.engine, "SELECT cancelled, backordered FROM order_lines ORDER BY position") == [
            (0, 0),
            (2, 0),
        ]
        kinds = await rows(house.engine, "SELECT kind FROM outbox ORDER BY id")
        assert kinds == [("order_confirmed",), ("cancelled",), ("shipped",), ("delivered",)]

    async def test_the_whole_order_ends_and_the_customer_hears_it_once(self, house: House) -> None:
        await publish(house.engine, policy(strategy("now-or-never", on_none=CANCEL)))
        order = small.order("policy-never", NEVER=1)
        await house.send(order)
        assert (await ended(house, order)).status is OrderStatus.CANCELLED
        assert await rows(house.engine, "SELECT kind FROM outbox") == [("cancelled",)]
        assert not await rows(house.engine, "SELECT 1 FROM exceptions")

    async def test_units_a_node_rejects_are_cancelled_if_nobody_else_has_them(self, house: House) -> None:
        await publish(house.engine, policy(strategy("now-or-never", on_none=CANCEL)))
        order = small.order("policy-rejected", B=1)
        await house.send(order)
        await house.node(order, "reject")
        assert (await ended(house, order)).status is OrderStatus.CANCELLED
        assert await one(house.engine, "SELECT count(*) FROM outbox WHERE kind = 'order_backordered'") == 0


class TestOnStock:
    @pytest.mark.parametrize("heeds", [True, False])
    async def test_an_order_gets_what_comes_in_or_keeps_out_of_the_queue(self, house: House, heeds: bool) -> None:
        await publish(house.engine, policy(strategy("plain", on_stock=heeds)))
        order = small.order(f"policy-on-stock-{heeds}".lower(), NEVER=1)
        await house.send(order)
        await comes(house.engine, "dc-leeds", "NEVER", 1)
        async with house.engine.begin() as connection:
            await backorder_allocation.allocate(connection, ["NEVER"])
            assert await backorders.waited_for(connection) == (["NEVER"] if heeds else [])
        if heeds:
            await until_released(house, order, 1)
        else:
            assert await status_of(house, order) == "backordered"
            assert await one(house.engine, "SELECT count(*) FROM soft_reservations") == 0
            assert await balance(house.engine, "dc-leeds", "NEVER") == (1, 0)
        await cancel(house, order)
        await ended(house, order)

    async def test_the_next_sourcing_says_anew_what_holds(self, house: House) -> None:
        await publish(house.engine, policy(strategy("plain", on_stock=False)))
        order = small.order("policy-anew", NEVER=1)
        await house.send(order)
        assert await one(house.engine, "SELECT sourced_on_stock FROM orders") is False
        await publish(house.engine, policy(strategy("plain")))
        await stock_comes(house, order, "NEVER")
        await until_event(house, order, "sourced")
        assert await one(house.engine, "SELECT sourced_on_stock FROM orders") is True
        await cancel(house, order)
        await ended(house, order)


class TestFailedNodes:
    @pytest.mark.parametrize(
        ("rule", "fresh", "later"),
        [("after_other_news", ["dc-leeds"], []), ("never", ["dc-leeds"], ["dc-leeds"]), ("at_once", [], [])],
    )
    async def test_are_left_out_as_the_policy_says(
        self, house: House, rule: str, fresh: list[str], later: list[str]
    ) -> None:
        await publish(house.engine, policy(strategy("plain", failed_nodes=rule, on_stock=False)))
        order = small.order(f"policy-failed-{rule}", B=100)
        await house.send(order)
        await house.node(order, "reject")
        await until_event(house, order, "sourced")
        asked = "SELECT document->'demand'->'excluded_nodes' FROM sourcing_decisions WHERE attempt = :attempt"
        assert await one(house.engine, asked, attempt=2) == fresh
        if rule != "at_once":
            await stock_comes(house, order, "B")
            await until_event(house, order, "sourced", 2)
            assert await one(house.engine, asked, attempt=3) == later
        await cancel(house, order)
        await ended(house, order)
