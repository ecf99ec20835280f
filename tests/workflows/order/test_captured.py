"""A channel's order is captured once, however often and in whatever form it comes."""

import asyncio

import pytest
from temporalio.client import WorkflowExecutionStatus

from dom.network import Sku
from dom.orders.calls import OrderAnswer
from dom.orders.status import OrderStatus
from store.network import reference
from tests.worlds import small
from tests.worlds.books import check_books, one, rows
from tests.worlds.running import House
from tests.worlds.seen import current_details
from tests.worlds.sourcing import sku
from tests.worlds.steps import cancel, deliver, ended, refused
from workflows import attributes


class TestTheSameOrder:
    async def test_again_gets_the_same_answer(self, house: House) -> None:
        order = small.order("again", A=2)
        first = await house.send(order)
        second = await house.send(order)
        assert (first.created, second.created) == (True, False)
        assert second == first.model_copy(update={"created": False})
        assert await one(house.engine, "SELECT count(*) FROM orders") == 1
        await check_books(house.engine, reserved=2)

    async def test_fifty_callers_become_one(self, house: House) -> None:
        """Eight at a time: the engine takes ten updates of a workflow at once, and the API asks once for many."""
        order, at_once = small.order("fifty", A=2), asyncio.Semaphore(8)

        async def caller() -> OrderAnswer:
            async with at_once:
                return await house.send(order)

        answers = await asyncio.gather(*(caller() for _ in range(50)))
        assert sum(answer.created for answer in answers) == 1
        assert {(answer.order_id, answer.status, answer.promise) for answer in answers} == {
            ("web-fifty", OrderStatus.ACCEPTED, answers[0].promise)
        }
        assert await rows(house.engine, "SELECT order_id, attempt FROM sourcing_decisions") == [("web-fifty", 1)]
        await check_books(house.engine, reserved=2)

    async def test_with_other_content_is_a_conflict_and_changes_nothing(self, house: House) -> None:
        await house.send(small.order("other", A=2))
        async with refused("order-conflict") as about:
            await house.send(small.order("other", A=3))
        assert about["field"] == "external_id"
        await check_books(house.engine, reserved=2)

    async def test_number_of_another_channel_is_another_order(self, house: House) -> None:
        first = await house.send(small.order("shared", A=1))
        second = await house.send(small.order("shared", channel="store", A=1))
        assert first.order_id != second.order_id
        assert second.created


class TestARefusedOrder:
    @pytest.mark.parametrize(
        ("fields", "error_type", "field"),
        [
            ({"A": 1, "GHOST": 1}, "unknown-sku", "lines[1].sku"),
            ({"A": 1, "shipping_method": "pickup", "pickup_node": "st-atlantis"}, "unknown-node", "pickup_node"),
        ],
    )
    async def test_leaves_nothing_behind_and_may_come_again(
        self, house: House, fields: dict[str, object], error_type: str, field: str
    ) -> None:
        order = small.order(f"refused-{error_type}", **fields)
        async with refused(error_type) as about:
            await house.send(order)
        assert about["field"] == field
        result = await house.handle(order).result()
        assert result.status == "refused"
        assert result.reason.startswith(f"{error_type}: ")
        described = await house.handle(order).describe()
        assert described.status is WorkflowExecutionStatus.COMPLETED
        assert described.typed_search_attributes.get(attributes.STATUS) == "refused"
        for table in ("orders", "timeline", "outbox", "reservations", "fulfilments"):
            assert await one(house.engine, f"SELECT count(*) FROM {table}") == 0  # noqa: S608
        corrected = small.order(f"refused-{error_type}", A=1)
        answer = await house.send(corrected, refused_before=True)
        assert (answer.status, answer.created) == (OrderStatus.ACCEPTED, True)
        await deliver(house, corrected)
        assert (await ended(house, corrected)).status is OrderStatus.DELIVERED

    async def test_is_accepted_unchanged_once_the_sku_is_known(self, house: House) -> None:
        order = small.order("ghost", GHOST=1)
        async with refused("unknown-sku"):
            await house.send(order)
        known: Sku = sku("GHOST")
        async with house.engine.begin() as connection:
            await reference.put_skus(connection, [known])
        assert (await house.send(order, refused_before=True)).status is OrderStatus.BACKORDERED
        await cancel(house, order)
        assert (await ended(house, order)).status is OrderStatus.CANCELLED


class TestWhatPeopleSee:
    async def test_attributes_and_report_tell_where_the_order_stands(self, house: House) -> None:
        order = small.order("seen", A=2, RARE=4)
        await house.send(order)
        await house.node(order, "accept", "pick", number=1)
        handle = house.handle(order)
        async with asyncio.timeout(20):
            while "picked" not in (report := await current_details(house.handle(order))):
                await asyncio.sleep(0.05)
        assert "- line 1: 2 x A" in report
        assert "placed 2026-03-02 12:00Z" in report
        assert "promised 2026-03-0" in report
        assert "dc-leeds" in report
        assert "wh-london" in report
        assert "the node packs" in report
        assert "the node accepts or rejects" in report
        described = await handle.describe()
        values = {pair.key.name: pair.value for pair in described.typed_search_attributes}
        assert values["DomStatus"] == "in_fulfilment"
        assert values["DomNode"] == ["dc-leeds", "wh-london"]
        await cancel(house, order)
        await ended(house, order)
        described = await handle.describe()
        assert described.status is WorkflowExecutionStatus.COMPLETED
        values = {pair.key.name: pair.value for pair in described.typed_search_attributes}
        assert values["DomStatus"] == "cancelled"
