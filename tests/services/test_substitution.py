"""What is short goes as an approved substitute, where policy and customer allow it; money and units are conserved."""

from typing import Any, Final

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.network import Substitute, SubstitutePrice
from dom.orders.commands import PlaceHold
from dom.orders.holds import BlockedStep
from dom.orders.order import Order
from dom.orders.status import SourcingCause
from dom.sourcing.policy.document import FailedNodes
from dom.sourcing.sourced import SourceAgain
from services.capture import capture
from services.database import Database
from services.sourcing_again import source_again
from store import stock
from store.enums import LedgerKind
from store.network import reference
from store.policy import policies
from tests.worlds import small
from tests.worlds.advancing import do
from tests.worlds.books import check_books, one, rows
from tests.worlds.policies import policy
from tests.worlds.sourcing import MONDAY_NOON

LINES: Final = "SELECT line_id, sku, quantity, cancelled, backordered, unit_price FROM order_lines ORDER BY position"
WORK: Final = """
SELECT l.sku, sum(l.quantity)::int FROM fulfilment_lines l JOIN fulfilments f ON f.id = l.fulfilment_id
WHERE f.status = 'released' GROUP BY l.sku ORDER BY l.sku
"""


async def approve(world: AsyncEngine, sku: str, *substitutes: Substitute, **fields: Any) -> None:
    found = next(each for each in small.SKUS if each.id == sku)
    async with world.begin() as connection:
        await reference.put_skus(connection, [found.model_copy(update={"substitutes": substitutes, **fields})])


async def price(world: AsyncEngine, sku: str, list_price: int) -> None:
    await approve(world, sku, list_price=list_price)


def database(world: AsyncEngine) -> Database:
    return Database(world, replaying=True)


async def ordered(world: AsyncEngine, **fields: Any) -> Order:
    order = small.order("substitutes", allow_substitutes=fields.pop("allow", True), **fields)
    await capture(database(world), order)
    return order


class TestCapture:
    async def test_what_is_short_goes_as_the_substitute(self, world: AsyncEngine) -> None:
        await approve(world, "RARE", Substitute(sku="B"))
        order = await ordered(world, RARE=8)
        assert await rows(world, LINES) == [("1", "RARE", 8, 3, 0, 1000), ("1-S1", "B", 3, 0, 0, 1000)]
        assert await rows(world, WORK) == [("B", 3), ("RARE", 5)]
        assert await one(world, "SELECT goods_total FROM orders") == order.total + 3000
        await check_books(world, reserved=8)

    async def test_the_revision_says_what_stands_for_what_and_the_customer_hears_once(self, world: AsyncEngine) -> None:
        await approve(world, "RARE", Substitute(sku="B"))
        await ordered(world, RARE=8)
        assert await rows(world, "SELECT actor, reason FROM timeline WHERE kind = 'edited'") == [
            ("system:ofl", "3 RARE short: 3 B (keep)")
        ]
        assert await rows(world, "SELECT kind FROM outbox WHERE medium = 'mail' ORDER BY id") == [
            ("order_confirmed",),
            ("order_edited",),
        ]
        assert await one(world, "SELECT revision FROM orders") == 1

    @pytest.mark.parametrize("why", ["customer", "policy", "nothing approved", "not there", "nothing short"])
    async def test_nothing_is_replaced_without(self, world: AsyncEngine, why: str) -> None:
        if why == "policy":
            strict = policy(name="strict", strategies=[{"name": "everything", "substitutes": False}])
            async with world.begin() as connection:
                await policies.publish_policy(connection, strict, "test")
        if why != "nothing approved":
            await approve(world, "RARE", Substitute(sku="NEVER" if why == "not there" else "B"))
        await ordered(world, allow=why != "customer", RARE=5 if why == "nothing short" else 8)
        assert await one(world, "SELECT count(*) FROM order_lines") == 1
        assert await one(world, "SELECT count(*) FROM timeline WHERE kind = 'edited'") == 0

    async def test_a_preorder_is_not_short(self, world: AsyncEngine) -> None:
        await approve(world, "RARE", Substitute(sku="B"), release_on=MONDAY_NOON.date().replace(month=9))
        await ordered(world, RARE=1)
        assert await rows(world, LINES) == [("1", "RARE", 1, 0, 1, 1000)]

    async def test_a_substitute_that_the_catalogue_does_not_hold_is_none(self, world: AsyncEngine) -> None:
        await approve(world, "RARE", Substitute(sku="GONE"), Substitute(sku="B"))
        await ordered(world, RARE=6)
        assert await rows(world, WORK) == [("B", 1), ("RARE", 5)]

    async def test_all_of_it_or_none_of_it(self, world: AsyncEngine) -> None:
        """105 B are short of nothing, but there are 100."""
        await approve(world, "RARE", Substitute(sku="B"))
        await ordered(world, RARE=110)
        assert await rows(world, LINES) == [("1", "RARE", 110, 0, 105, 1000)]

    async def test_the_same_order_again_changes_nothing(self, world: AsyncEngine) -> None:
        await approve(world, "RARE", Substitute(sku="B"))
        order = await ordered(world, RARE=8)
        assert (await capture(database(world), order)).sourced is None
        assert await one(world, "SELECT count(*) FROM timeline WHERE kind = 'edited'") == 1

    async def test_whatever_else_waits_waits(self, world: AsyncEngine) -> None:
        await approve(world, "RARE", Substitute(sku="B"))
        await ordered(world, RARE=8, NEVER=2)
        assert await rows(world, LINES) == [
            ("1", "RARE", 8, 3, 0, 1000),
            ("2", "NEVER", 2, 0, 2, 1000),
            ("1-S1", "B", 3, 0, 0, 1000),
        ]


class TestChoice:
    async def test_the_preferred_one_though_another_is_nearer(self, world: AsyncEngine) -> None:
        await approve(world, "NEVER", Substitute(sku="A"), Substitute(sku="B"))
        await ordered(world, NEVER=2)
        assert await rows(world, WORK) == [("A", 2)]

    async def test_the_next_one_where_there_is_not_enough_of_the_preferred(self, world: AsyncEngine) -> None:
        await approve(world, "NEVER", Substitute(sku="RARE"), Substitute(sku="B"))
        await ordered(world, NEVER=6)
        assert await rows(world, WORK) == [("B", 6)]

    async def test_two_lines_do_not_take_the_same_units(self, world: AsyncEngine) -> None:
        """Both prefer RARE, of which five are there: one has it, the other its second choice."""
        await approve(world, "NEVER", Substitute(sku="RARE"), Substitute(sku="A"))
        await approve(world, "FAR", Substitute(sku="RARE"), Substitute(sku="B"))
        await ordered(world, NEVER=4, FAR=24)
        assert dict(await rows(world, WORK)) in ({"RARE": 4, "FAR": 20, "B": 4}, {"RARE": 4, "FAR": 20, "A": 4})
        await check_books(world, reserved=28)


class TestMoney:
    @pytest.mark.parametrize(
        ("rule", "units", "list_price", "unit_price"),
        [
            (SubstitutePrice.KEEP, 1, 1500, 1000),
            (SubstitutePrice.KEEP, 3, 1500, 333),
            (SubstitutePrice.LOWER, 1, 1500, 1000),
            (SubstitutePrice.LOWER, 1, 700, 700),
            (SubstitutePrice.DIFFERENCE, 1, 1500, 1500),
            (SubstitutePrice.DIFFERENCE, 2, 700, 700),
        ],
    )
    async def test_by_the_rule(
        self, world: AsyncEngine, rule: SubstitutePrice, units: int, list_price: int, unit_price: int
    ) -> None:
        await price(world, "B", list_price)
        await approve(world, "NEVER", Substitute(sku="B", units=units, price=rule))
        await ordered(world, NEVER=2)
        assert (await rows(world, LINES))[1] == ("1-S1", "B", 2 * units, 0, 0, unit_price)
        await check_books(world, reserved=2 * units)

    async def test_a_price_in_another_currency_counts_for_nothing(self, world: AsyncEngine) -> None:
        await approve(world, "B", list_price=1, currency="EUR")
        await approve(world, "NEVER", Substitute(sku="B", price=SubstitutePrice.DIFFERENCE))
        await ordered(world, NEVER=2)
        assert (await rows(world, LINES))[1] == ("1-S1", "B", 2, 0, 0, 1000)


class TestLater:
    async def test_what_waited_goes_when_the_substitute_is_there(self, world: AsyncEngine) -> None:
        await approve(world, "NEVER", Substitute(sku="RARE"))
        order = await ordered(world, NEVER=6)
        assert await rows(world, WORK) == []
        async with world.begin() as connection:
            comes = stock.Movement("dc-leeds", "RARE", 1, LedgerKind.ADJUSTMENT, "test", "comes")
            await stock.move(connection, comes, actor="test", at=MONDAY_NOON)
        asked = SourceAgain(
            order_id=order.order_id,
            attempt=2,
            cause=SourcingCause.RETRIED,
            as_of=MONDAY_NOON,
            failed_nodes=FailedNodes.AFTER_OTHER_NEWS,
        )
        answer = await source_again(database(world), asked)
        assert answer.view.waiting == {}
        assert await rows(world, WORK) == [("RARE", 6)]
        again = await source_again(database(world), asked)
        assert again.sourced is not None
        assert again.sourced.known
        await check_books(world, reserved=6)

    async def test_not_while_a_hold_blocks_sourcing(self, world: AsyncEngine) -> None:
        order = await ordered(world, NEVER=2)
        await approve(world, "NEVER", Substitute(sku="B"))
        blocks = frozenset({BlockedStep.SOURCING})
        async with world.begin() as connection:
            await do(connection, order.order_id, PlaceHold(type="fraud", blocks=blocks, actor="sue", at=MONDAY_NOON))
        asked = SourceAgain(
            order_id=order.order_id,
            attempt=2,
            cause=SourcingCause.RETRIED,
            as_of=MONDAY_NOON,
            failed_nodes=FailedNodes.AFTER_OTHER_NEWS,
        )
        assert (await source_again(database(world), asked)).sourced is None
        assert await one(world, "SELECT revision FROM orders") == 0
