"""What stock is worth: mark-downs as they are set, prices as they are written, and both as the planner sees them."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.shared.errors import UnknownNode, UnknownSku
from dom.sourcing.models import StockValue
from dom.sourcing.valuation.terms import PricingTerms
from store.enums import ItemOutcome
from store.network.reference import ReferenceCache
from store.sourcing import projection, snapshot, stock_values
from store.sourcing.stock_values import MarkDown, Price
from tests.worlds import small
from tests.worlds.books import one, rows
from tests.worlds.sourcing import MONDAY_NOON
from tests.worlds.written import place

HOUR = timedelta(hours=1)


def price(
    opportunity: int = 400, node_id: str = "dc-leeds", sku: str = "A", units: int = 100, **fields: float
) -> Price:
    return Price(node_id, sku, opportunity, units, fields.get("outflow", 0.0), fields.get("daily_demand", 3.0))


async def write(engine: AsyncEngine, *prices: Price, currency: str = "GBP", lifetime: timedelta = HOUR) -> None:
    async with engine.begin() as connection:
        await stock_values.write(connection, sorted({each.sku for each in prices}), prices, currency, lifetime)


async def mark(engine: AsyncEngine, *marks: MarkDown) -> list[stock_values.MarkedDown]:
    async with engine.begin() as connection:
        return await stock_values.mark_down(connection, marks, "planner")


async def age(engine: AsyncEngine, by: timedelta) -> None:
    """Let time pass for every price."""
    async with engine.begin() as connection:
        await connection.execute(
            text(
                "UPDATE stock_values SET priced_at = priced_at - CAST(:by AS interval), "
                "fades_at = fades_at - CAST(:by AS interval)"
            ),
            {"by": by},
        )


async def seen(engine: AsyncEngine, sku: str = "A") -> dict[tuple[str, str], StockValue]:
    """The values in the planner's snapshot."""
    async with engine.begin() as connection:
        world, _, _ = await snapshot.snapshot(
            connection,
            ReferenceCache(),
            channel="web",
            skus=[sku],
            country="GB",
            postal_code="YO1 7EP",
            first_day=MONDAY_NOON.date(),
            last_day=MONDAY_NOON.date(),
            taken_at=MONDAY_NOON,
        )
    return world.values


class TestSnapshot:
    async def test_holds_nothing_where_nothing_is_known(self, world: AsyncEngine) -> None:
        assert await seen(world) == {}

    async def test_holds_what_is_known_of_the_skus_asked_for(self, world: AsyncEngine) -> None:
        await write(world, price(400), price(150, "wh-london", units=50), price(70, sku="B"))
        await mark(world, MarkDown("wh-london", "A", 25))
        assert await seen(world) == {
            ("dc-leeds", "A"): StockValue(opportunity=400, daily_demand=3.0),
            ("wh-london", "A"): StockValue(opportunity=150, markdown=25, daily_demand=3.0),
        }

    async def test_a_price_falls_to_nothing_over_its_lifetime_and_the_mark_down_stays(self, world: AsyncEngine) -> None:
        await mark(world, MarkDown("dc-leeds", "A", 25))
        await write(world, price(400))
        await age(world, HOUR / 2)
        assert 195 <= (await seen(world))["dc-leeds", "A"].opportunity <= 200
        await age(world, HOUR / 2)
        assert await seen(world) == {("dc-leeds", "A"): StockValue(markdown=25)}

    async def test_a_price_is_nothing_once_half_of_the_stock_is_gone_unexpectedly(self, world: AsyncEngine) -> None:
        await write(world, price(400))
        async with world.begin() as connection:
            await connection.execute(text("UPDATE stock SET safety_stock = 25 WHERE node_id = 'dc-leeds'"))
        assert 199 <= (await seen(world))["dc-leeds", "A"].opportunity <= 200
        async with world.begin() as connection:
            await connection.execute(text("UPDATE stock SET safety_stock = 50 WHERE node_id = 'dc-leeds'"))
        assert (await seen(world))["dc-leeds", "A"].opportunity == 0

    async def test_a_price_in_another_currency_counts_for_nothing(self, world: AsyncEngine) -> None:
        await write(world, price(400), currency="EUR")
        assert await seen(world) == {("dc-leeds", "A"): StockValue(daily_demand=3.0)}


class TestWriting:
    async def test_replaces_all_prices_of_the_skus_and_no_mark_down(self, world: AsyncEngine) -> None:
        await mark(world, MarkDown("wh-london", "A", 25))
        await write(world, price(400), price(150, "wh-london", units=50), price(70, sku="B"))
        await write(world, price(300))
        assert await rows(
            world, "SELECT node_id, sku, opportunity, markdown, priced_at IS NULL FROM stock_values ORDER BY 1, 2"
        ) == [("dc-leeds", "A", 300, 0, False), ("dc-leeds", "B", 70, 0, False), ("wh-london", "A", 0, 25, True)]

    async def test_tells_which_prices_are_about_to_fade_out(self, world: AsyncEngine) -> None:
        await write(world, price(400), lifetime=HOUR)
        await write(world, price(70, sku="B"), lifetime=3 * HOUR)
        async with world.connect() as connection:
            assert await stock_values.fading(connection, HOUR / 2, 10) == []
            assert await stock_values.fading(connection, 2 * HOUR, 10) == ["A"]
            assert await stock_values.fading(connection, 4 * HOUR, 1) == ["A"]
            assert await stock_values.fading(connection, 4 * HOUR, 10) == ["A", "B"]


class TestMarkDowns:
    async def test_each_stands_for_itself(self, world: AsyncEngine) -> None:
        found = await mark(
            world, MarkDown("dc-leeds", "A", 25), MarkDown("nowhere", "A", 1), MarkDown("dc-leeds", "NONE", 1)
        )
        assert [each.outcome for each in found] == [ItemOutcome.APPLIED, ItemOutcome.REFUSED, ItemOutcome.REFUSED]
        assert [type(each.error) for each in found] == [type(None), UnknownNode, UnknownSku]
        assert await rows(world, "SELECT markdown, marked_by FROM stock_values") == [(25, "planner")]

    async def test_the_last_of_a_call_stands(self, world: AsyncEngine) -> None:
        found = await mark(world, MarkDown("dc-leeds", "A", 25), MarkDown("dc-leeds", "A", 40))
        assert [each.outcome for each in found] == [ItemOutcome.REPLACED, ItemOutcome.APPLIED]
        assert await one(world, "SELECT markdown FROM stock_values") == 40

    async def test_said_again_it_changes_nothing(self, world: AsyncEngine) -> None:
        await mark(world, MarkDown("dc-leeds", "A", 25))
        before = await rows(world, "SELECT * FROM stock_values")
        assert (await mark(world, MarkDown("dc-leeds", "A", 25)))[0].outcome is ItemOutcome.REPEATED
        assert await rows(world, "SELECT * FROM stock_values") == before

    async def test_zero_takes_it_back(self, world: AsyncEngine) -> None:
        await mark(world, MarkDown("dc-leeds", "A", 25))
        await mark(world, MarkDown("dc-leeds", "A", 0))
        assert await seen(world) == {}


class TestOutlook:
    @pytest.fixture
    async def read(self, world: AsyncEngine) -> projection.Read:
        await place(world, small.order("1", A=2, B=1, RARE=3))
        await place(world, small.order("2", FAR=1))
        async with world.begin() as connection:
            await connection.execute(
                text("UPDATE orders SET captured_at = now() - interval '5 days' WHERE id = 'web-1'")
            )
            await connection.execute(
                text("""
                INSERT INTO sourcing_decisions (order_id, attempt, business_key, policy_version, cause,
                    first_fulfilment, document, decided_at)
                SELECT id, 1, 'sourced:1', 1, 'captured', 1, jsonb_build_object('demand', jsonb_build_object(
                    'country', 'GB', 'place', jsonb_build_object('latitude', 51.4, 'longitude', -0.2))), now()
                FROM orders
                """)
            )
            await connection.execute(
                text(
                    "INSERT INTO inbound (reference, kind, status, node_id, due_on, confidence, actor) "
                    "VALUES ('po', 'purchase_order', 'announced', 'wh-london', current_date + 3, 50, 'test'), "
                    "('late', 'purchase_order', 'announced', 'wh-london', current_date + 30, 100, 'test')"
                )
            )
            await connection.execute(
                text(
                    "INSERT INTO inbound_lines (reference, sku, quantity) "
                    "VALUES ('po', 'RARE', 40), ('late', 'RARE', 9)"
                )
            )
        async with world.connect() as connection:
            return await projection.read(
                connection, ReferenceCache(), ["A", "RARE", "none"], PricingTerms(horizon_days=14, history_days=28)
            )

    async def test_counts_free_units_and_what_is_due_in_time(self, read: projection.Read) -> None:
        assert read.free["wh-london", "RARE"] == 3
        assert read.outlook.supply["wh-london", "RARE"] == 3 + 20
        assert read.outlook.supply["dc-leeds", "A"] == 100
        assert ("dc-leeds", "B") not in read.outlook.supply

    async def test_tells_what_orders_asked_for_of_the_skus_and_where(self, read: projection.Read) -> None:
        assert [sku.id for sku in read.outlook.skus] == ["A", "RARE"]
        assert read.outlook.history_days == 6
        (bought,) = read.outlook.history
        assert (bought.days_ago, bought.lines, bought.lines_in_order) == (5, ((0, 2), (1, 3)), 3)
        assert read.outlook.nodes[bought.region].id == "wh-london"

    async def test_inactive_nodes_have_no_part(self, world: AsyncEngine) -> None:
        async with world.begin() as connection:
            await connection.execute(
                text("UPDATE nodes SET document = jsonb_set(document, '{active}', 'false') WHERE id = 'dc-leeds'")
            )
            found = await projection.read(
                connection, ReferenceCache(), ["A"], PricingTerms(horizon_days=1, history_days=1, margin_percent=0)
            )
        assert {node for node, _ in found.free} == {"wh-london", "st-york"}
