"""What a node rejected or did not find does not go back to it as stock that arrived; trouble that is over is closed."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from dom.orders.calls import StepLine
from dom.orders.order import Order
from store.policy import policies
from tests.worlds import small
from tests.worlds.books import balance, one, rows
from tests.worlds.policies import changed
from tests.worlds.running import House
from tests.worlds.sourcing import MONDAY_NOON
from tests.worlds.steps import cancel, comes, deliver, ended, stock_comes, until_event, until_order, until_released

SOURCED = "SELECT cause FROM sourcing_decisions WHERE order_id = :id ORDER BY attempt"
EXCEPTIONS = "SELECT kind, status FROM exceptions ORDER BY id"
WAITS = "SELECT count(*) FROM outbox WHERE kind = 'order_backordered'"


async def counted(engine: AsyncEngine, sku: str, node: str) -> None:
    """The node was counted after the pick, and what the books say is there."""
    query = "UPDATE stock SET counted_at = :at WHERE node_id = :node AND sku = :sku"
    async with engine.begin() as connection:
        parameters = {"at": MONDAY_NOON + timedelta(hours=1), "node": node, "sku": sku}
        await connection.execute(text(query), parameters)


async def rests(house: House, order: Order, *causes: str) -> None:
    """Several runs of the leader, and a look at everything, change nothing."""
    await until_event(house, order, "sourced", len(causes) - 1)
    await asyncio.sleep(1.5)
    assert [cause for (cause,) in await rows(house.engine, SOURCED, id=order.order_id)] == list(causes)


class TestAShortPick:
    @pytest.mark.parametrize("fields", [{}, {"ship_complete": True}])
    async def test_does_not_go_back_to_the_node_that_did_not_find_it(
        self, house: House, fields: dict[str, Any]
    ) -> None:
        order = small.order(f"short-{len(fields)}", B=4, **fields)
        await house.send(order)
        await house.node(order, "pick", lines=(StepLine(line_id="1", quantity=1),))
        await rests(house, order, "order captured", "short pick")
        assert await balance(house.engine, "dc-leeds", "B") == (97, 1)
        assert await rows(house.engine, EXCEPTIONS) == [("backorder", "open")]
        assert await one(house.engine, WAITS) == 1
        await comes(house.engine, "B", 3, "wh-london")
        assert await until_released(house, order, 2) == "wh-london"
        assert await rows(house.engine, EXCEPTIONS) == [("backorder", "closed")]
        await deliver(house, order, 1)
        await deliver(house, order, 2)
        await ended(house, order)

    async def test_of_everything(self, house: House) -> None:
        order = small.order("short-everything", B=4)
        await house.send(order)
        await house.node(order, "pick", lines=(StepLine(line_id="1", quantity=0),))
        await rests(house, order, "order captured", "rejected by the node")
        await cancel(house, order)
        await ended(house, order)
        assert await rows(house.engine, EXCEPTIONS) == [("backorder", "closed")]

    async def test_of_a_pick_up(self, house: House) -> None:
        order = small.order("short-pickup", A=3, shipping_method="pickup", pickup_node="st-york")
        await house.send(order)
        await house.node(order, "pick", lines=(StepLine(line_id="1", quantity=1),))
        await rests(house, order, "order captured", "short pick")
        await comes(house.engine, "A", 2, "st-york")
        assert await until_released(house, order, 2) == "st-york"
        await cancel(house, order)
        await ended(house, order)

    async def test_stock_elsewhere_does_not_send_the_rest_back(self, house: House) -> None:
        order = small.order("short-elsewhere", B=4)
        await house.send(order)
        await house.node(order, "pick", lines=(StepLine(line_id="1", quantity=1),))
        await rests(house, order, "order captured", "short pick")
        await comes(house.engine, "B", 1, "wh-london")
        assert await until_released(house, order, 2) == "wh-london"
        await rests(house, order, "order captured", "short pick", "stock arrived")
        assert await one(house.engine, "SELECT backordered FROM order_lines") == 2
        assert await rows(house.engine, EXCEPTIONS) == [("backorder", "open")]
        await cancel(house, order)
        await ended(house, order)

    async def test_looking_again_does_not_either(self, house: House) -> None:
        order = small.order("short-again", B=4)
        await house.send(order)
        await house.node(order, "pick", lines=(StepLine(line_id="1", quantity=1),))
        await rests(house, order, "order captured", "short pick")
        await stock_comes(house, order, "B")  # no more than a look: nothing came
        await rests(house, order, "order captured", "short pick", "stock arrived")
        assert await one(house.engine, "SELECT count(*) FROM fulfilments") == 1
        await cancel(house, order)
        await ended(house, order)

    async def test_a_count_of_the_node_is_news(self, house: House) -> None:
        order = small.order("short-counted", B=4)
        await house.send(order)
        await house.node(order, "pick", lines=(StepLine(line_id="1", quantity=1),))
        await rests(house, order, "order captured", "short pick")
        await counted(house.engine, "B", "dc-leeds")
        assert await until_released(house, order, 2) == "dc-leeds"
        assert await rows(house.engine, EXCEPTIONS) == [("backorder", "closed")]
        await cancel(house, order)
        await ended(house, order)

    async def test_of_one_line_leaves_the_node_to_the_others(self, house: House) -> None:
        """What comes in of another SKU at the node is taken."""
        order = small.order("short-one-line", B=4, NEVER=1)
        await house.send(order)
        await house.node(order, "pick", lines=(StepLine(line_id="1", quantity=1),))
        await rests(house, order, "order captured", "short pick")
        await comes(house.engine, "NEVER", 1, "dc-leeds")
        assert await until_released(house, order, 2) == "dc-leeds"
        lines = "SELECT line_id, backordered FROM order_lines ORDER BY 1"
        assert await rows(house.engine, lines) == [("1", 3), ("2", 0)]
        await cancel(house, order)
        await ended(house, order)

    async def test_again_and_again_is_one_exception(self, house: House) -> None:
        order = small.order("short-thrice", NEVER=3)
        await house.send(order)
        for number in (1, 2, 3):
            await comes(house.engine, "NEVER", 3 if number == 1 else 1, "dc-leeds")
            await until_released(house, order, number)
            await house.node(order, "reject", number=number)
            await until_event(house, order, "fulfilment_rejected", number)
            await until_order(house, order, "backordered")
        await until_event(house, order, "sourced", 6)
        assert await rows(house.engine, EXCEPTIONS) == [("backorder", "open")]
        await cancel(house, order)
        await ended(house, order)
        assert await rows(house.engine, EXCEPTIONS) == [("backorder", "closed")]

    async def test_at_once_again_if_the_policy_says_so(self, temporal_client: Client, world: AsyncEngine) -> None:
        async with House(temporal_client, world).working() as house:
            async with world.begin() as connection:
                await policies.publish_policy(connection, changed(small.POLICY, failed_nodes="at_once"), "test")
            order = small.order("short-at-once", B=4)
            await house.send(order)
            await house.node(order, "pick", lines=(StepLine(line_id="1", quantity=1),))
            assert await until_released(house, order, 2) == "dc-leeds"
            assert await rows(world, EXCEPTIONS) == []
            await cancel(house, order)
            await ended(house, order)
