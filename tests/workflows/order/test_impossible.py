"""What can never be sent is told apart from what is out of stock: to the channel, the customer, and staff."""

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.orders.order import Order
from dom.orders.status import OrderStatus
from store.network import reference
from store.policy import policies
from tests.worlds import small
from tests.worlds.books import one, rows
from tests.worlds.policies import policy, strategy
from tests.worlds.running import House
from tests.worlds.sourcing import sku
from tests.worlds.steps import cancel, ended, stock_comes, until_event, until_released
from tests.worlds.waiting import until

OSLO = {"name": "Ada Young", "lines": ["1 Gate"], "city": "Oslo", "postal_code": "0150", "country": "NO"}
EXCEPTIONS = "SELECT kind, status FROM exceptions ORDER BY id"
REASONS = "SELECT document->'decision'->'reasons' FROM sourcing_decisions WHERE attempt = 1"


async def mail(house: House) -> str:
    async def sent() -> bool:
        return bool(house.mail.sent)

    await until("a mail is sent", sent)
    return house.mail.sent[0].subject + "\n" + house.mail.sent[0].text


async def over(house: House, order: Order) -> None:
    await cancel(house, order)
    await ended(house, order)
    assert not [row for row in await rows(house.engine, EXCEPTIONS) if row[1] == "open"]


async def put(engine: AsyncEngine, *changes: Any) -> None:
    async with engine.begin() as connection:
        for each in changes:
            if hasattr(each, "weight_grams"):
                await reference.put_skus(connection, [each])
            else:
                await reference.put_node(connection, each)


CASES: dict[str, tuple[dict[str, Any], list[Any], str]] = {
    "no carrier serves the country": (
        {"B": 2, "ship_to": OSLO},
        [],
        "No place can send B to NO, whatever it holds: 4 have no carrier for it.",
    ),
    "no carrier for the service": (
        {"B": 2, "shipping_method": "economy"},
        [],
        "No place can send B to GB, whatever it holds: 4 have no carrier for it.",
    ),
    "the node hands nothing out": (
        {"B": 2, "shipping_method": "pickup", "pickup_node": "dc-leeds"},
        [],
        "Dc Leeds can never hand B out: it does not hand goods out.",
    ),
    "the node is switched off": (
        {"A": 2, "shipping_method": "pickup", "pickup_node": "st-york"},
        [small.NODES[2].model_copy(update={"active": False})],
        "St York can never hand A out: it is switched off.",
    ),
    "nobody may handle the goods": (
        {"B": 2},
        [
            sku("B", hazmat=True),
            *[each.model_copy(update={"handles": ()}) for each in small.NODES],
        ],
        "No place can send B to GB, whatever it holds: 4 are not equipped for the goods.",
    ),
    "no carrier takes a thing so heavy": (
        {"B": 2},
        [sku("B", grams=900_000)],
        "No place can send B to GB, whatever it holds: 4 have no carrier that takes a thing so heavy or large.",
    ),
    "no node works on any day": (
        {"B": 2},
        [each.model_copy(update={"daily_capacity": 0}) for each in small.NODES],
        "No place can send B to GB, whatever it holds: 4 have no open day.",
    ),
}


@pytest.mark.parametrize("name", CASES)
class TestWhatCanNeverBeSent:
    async def test_is_told_as_that_to_everybody(self, house: House, name: str) -> None:
        fields, changes, why = CASES[name]
        await put(house.engine, *changes)
        order = small.order(f"never-{list(CASES).index(name)}", **fields)
        answer = await house.send(order)
        assert answer.status is OrderStatus.BACKORDERED
        assert answer.cannot_be_sourced == {"1": 2}
        assert await rows(house.engine, EXCEPTIONS) == [("cannot_be_sourced", "open")]
        assert why in str(await one(house.engine, "SELECT detail FROM exceptions"))
        reasons = await one(house.engine, REASONS)
        assert isinstance(reasons, list)
        assert why in reasons
        assert not [each for each in reasons if "in stock now" in each or "stock comes in" in each]
        story = "SELECT data->'cannot_be_sourced' FROM timeline WHERE kind = 'accepted'"
        assert await one(house.engine, story) == {"1": 2}
        letter = await mail(house)
        assert "has to be looked at" in letter
        assert "in stock" not in letter
        assert await one(house.engine, "SELECT sourced_on_stock FROM orders") is False
        await over(house, order)


class TestAPart:
    async def test_the_mail_names_what_goes_what_waits_and_what_cannot(self, house: House) -> None:
        await put(house.engine, sku("FAR", cold=True), *[n.model_copy(update={"handles": ()}) for n in small.NODES])
        order = small.order("part-never", A=1, NEVER=2, FAR=3)
        answer = await house.send(order)
        assert (answer.waiting, answer.cannot_be_sourced) == ({"2": 2, "3": 3}, {"3": 3})
        letter = await mail(house)
        for part in ("Set aside for you:\n  1 x ", "To follow:\n  2 x ", "Looked at by our staff:\n  3 x "):
            assert part in letter
        assert await one(house.engine, "SELECT sourced_on_stock FROM orders") is True
        await over(house, order)

    async def test_of_an_order_that_waits_in_part_the_mail_names_both(self, house: House) -> None:
        order = small.order("part-waits", RARE=9)
        answer = await house.send(order)
        assert answer.waiting == {"1": 4}
        letter = await mail(house)
        assert "has to wait for stock in part" in letter
        assert "Set aside for you:\n  5 x " in letter
        assert "To follow:\n  4 x " in letter
        await over(house, order)


class TestOnceItIsPossible:
    async def test_it_is_sourced_and_the_exception_closes_itself(self, house: House) -> None:
        order = small.order("possible-1", A=1, shipping_method="pickup", pickup_node="wh-london")
        await house.send(order)
        assert await rows(house.engine, EXCEPTIONS) == [("cannot_be_sourced", "open")]
        await put(house.engine, small.NODES[1].model_copy(update={"pickup": True}))
        await stock_comes(house, order, "A")  # or its timer: it looks again
        assert await until_released(house, order, 1) == "wh-london"
        assert await rows(house.engine, EXCEPTIONS) == [("cannot_be_sourced", "closed")]
        await over(house, order)

    async def test_and_not_in_stock_it_waits_as_others_do(self, house: House) -> None:
        order = small.order("possible-2", NEVER=1, shipping_method="pickup", pickup_node="wh-london")
        await house.send(order)
        await put(house.engine, small.NODES[1].model_copy(update={"pickup": True}))
        await stock_comes(house, order, "NEVER")
        await until_event(house, order, "sourced")
        assert await rows(house.engine, EXCEPTIONS) == [("cannot_be_sourced", "closed")]
        assert await one(house.engine, "SELECT sourced_on_stock FROM orders") is True
        await over(house, order)


class TestThePolicy:
    async def test_no_rule_for_the_order_is_no_lack_of_stock(self, house: House) -> None:
        async with house.engine.begin() as connection:
            await policies.publish_policy(connection, policy(strategy("shop", channels=["shop"])), "test")
        order = small.order("no-rule", A=1)
        assert (await house.send(order)).cannot_be_sourced == {"1": 1}
        assert ("cannot_be_sourced", "open") in await rows(house.engine, EXCEPTIONS)
        assert "in stock" not in await mail(house)
        await over(house, order)

    async def test_a_fallback_that_can_is_asked_before(self, house: House) -> None:
        careful = strategy("careful", nodes=["st-york"], kinds=["warehouse"], on_none={"then": "next_strategy"})
        async with house.engine.begin() as connection:
            await policies.publish_policy(connection, policy(careful, strategy("any")), "test")
        order = small.order("fallback", NEVER=1)
        answer = await house.send(order)
        assert (answer.waiting, answer.cannot_be_sourced) == ({"1": 1}, {})
        await over(house, order)

    async def test_a_limit_on_what_may_wait_is_for_what_waits(self, house: House) -> None:
        await put(house.engine, sku("B", backorder_limit=0))
        order = small.order("limit-0", B=1, ship_to=OSLO)
        assert (await house.send(order)).cannot_be_sourced == {"1": 1}
        await over(house, order)


async def test_a_shelf_that_is_empty_is_no_such_case(house: House) -> None:
    order = small.order("empty-shelf", NEVER=1)
    answer = await house.send(order)
    assert (answer.waiting, answer.cannot_be_sourced) == ({"1": 1}, {})
    assert "has to wait for stock" in await mail(house)
    assert await rows(house.engine, EXCEPTIONS) == []
    await over(house, order)


async def test_nodes_are_found_again(house: House) -> None:
    """A node that is full today is no obstacle for good."""
    async with house.engine.begin() as connection:
        await connection.execute(
            text("""INSERT INTO node_days (node_id, day, service, used)
                    SELECT id, d::date, '', 1000000 FROM nodes,
                           generate_series('2026-03-01'::date, '2026-06-01'::date, '1 day') AS d""")
        )
    order = small.order("full-nodes", A=1)
    assert (await house.send(order)).cannot_be_sourced == {}
    await over(house, order)
