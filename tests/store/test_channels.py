"""Channels' rules in the store, and the news that rules, switches and release dates are to readers of changes."""

import asyncio
from datetime import date

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.channels.channel import Channel, ChannelRule, unknown
from dom.shared.errors import InvalidInput, NotFound
from store import channels
from store.network import reference
from tests.worlds import small
from tests.worlds.books import one, rows
from tests.worlds.sourcing import sku

WEB = Channel(id="web", name="Web")
NEWS = "SELECT sku FROM stock_ledger WHERE kind = 'rule' AND id > :after ORDER BY sku"


@pytest.fixture
async def shop(world: AsyncEngine) -> AsyncEngine:
    """The small world with a channel."""
    async with world.begin() as connection:
        await channels.put(connection, WEB)
    return world


async def replace(engine: AsyncEngine, *rules: ChannelRule) -> list[str]:
    """Replace the rules; answers the SKUs that readers hear of."""
    after = await one(engine, "SELECT max(id) FROM stock_ledger")
    async with engine.begin() as connection:
        await channels.replace_rules(connection, "web", rules)
    return [str(code) for (code,) in await rows(engine, NEWS, after=after)]


class TestNews:
    async def test_each_sku_a_rule_is_for_is_told_once(self, shop: AsyncEngine) -> None:
        assert await replace(shop, ChannelRule(sku="A", buffer=1)) == ["A"]
        of_node = ChannelRule(node_id="wh-london", share=50)
        assert await replace(shop, ChannelRule(sku="A", buffer=1), of_node) == ["A", "RARE"]
        both = ChannelRule(sku="B", node_id="dc-leeds", excluded=True)
        assert await replace(shop, ChannelRule(sku="A", buffer=2), of_node, both) == ["A", "B"]
        assert await replace(shop, ChannelRule()) == ["A", "B", "FAR", "RARE"]
        assert await replace(shop) == ["A", "B", "FAR", "RARE"]

    async def test_nothing_changed_is_no_news(self, shop: AsyncEngine) -> None:
        rule = ChannelRule(sku="A", buffer=1)
        await replace(shop, rule)
        version = await one(shop, "SELECT version FROM reference_state")
        assert await replace(shop, rule) == []
        assert await one(shop, "SELECT version FROM reference_state") == version

    async def test_what_nobody_stocks_is_no_news(self, shop: AsyncEngine) -> None:
        assert await replace(shop, ChannelRule(sku="NEVER", buffer=1), ChannelRule(sku="B", node_id="st-york")) == []

    async def test_a_node_that_is_switched_and_a_release_that_moves(self, shop: AsyncEngine) -> None:
        after = await one(shop, "SELECT max(id) FROM stock_ledger")
        london = small.NODES[1]
        async with shop.begin() as connection:
            await reference.put_node(connection, london)
            await reference.put_skus(connection, [sku("A"), sku("B"), sku("BRAND-NEW", release_on=date(2030, 1, 1))])
        assert await rows(shop, NEWS, after=after) == []
        async with shop.begin() as connection:
            await reference.put_node(connection, london.model_copy(update={"active": False}))
        assert await rows(shop, NEWS, after=after) == [("A",), ("RARE",)]
        async with shop.begin() as connection:
            await reference.put_skus(connection, [sku("A"), sku("B", release_on=date(2030, 1, 1))])
        assert await rows(shop, NEWS, after=after) == [("A",), ("B",), ("RARE",)]

    async def test_no_unit_moves(self, shop: AsyncEngine) -> None:
        before = await rows(shop, "SELECT * FROM stock ORDER BY node_id, sku")
        await replace(shop, ChannelRule(buffer=3))
        assert await rows(shop, "SELECT * FROM stock ORDER BY node_id, sku") == before
        moved = """
        SELECT count(*) FROM stock_ledger WHERE kind = 'rule' AND (on_hand_delta, damaged_delta, quarantine_delta,
            reserved_delta, soft_delta, safety_delta, promise_safety_delta) <> (0, 0, 0, 0, 0, 0, 0)
        """
        assert await one(shop, moved) == 0


class TestRules:
    async def test_those_who_replace_them_at_once_do_so_one_after_the_other(self, shop: AsyncEngine) -> None:
        lists = [[ChannelRule(sku=code, buffer=n) for code in ("A", "B", "FAR")[: 1 + n % 3]] for n in range(1, 13)]
        async with asyncio.timeout(30):
            await asyncio.gather(*(replace(shop, *wanted) for wanted in lists))
        async with shop.connect() as connection:
            left = await channels.rules(connection, "web")
        assert left in lists

    async def test_an_unknown_channel_has_none(self, shop: AsyncEngine) -> None:
        async with shop.begin() as connection:
            with pytest.raises(NotFound):
                await channels.replace_rules(connection, "nobody", [])
            assert await channels.known(connection, "nobody") == unknown("nobody")

    async def test_one_wrong_rule_leaves_the_old_ones(self, shop: AsyncEngine) -> None:
        await replace(shop, ChannelRule(buffer=1))
        with pytest.raises(InvalidInput) as refused:
            await replace(shop, ChannelRule(buffer=2), ChannelRule(sku="NO", node_id="no"))
        assert [error["field"] for error in refused.value.data["errors"]] == ["rules[1].node_id", "rules[1].sku"]
        async with shop.connect() as connection:
            assert await channels.rules(connection, "web") == [ChannelRule(buffer=1)]


class TestChannel:
    async def test_a_webhook_keeps_its_secret_until_it_gets_another(self, shop: AsyncEngine) -> None:
        hooked = WEB.model_copy(update={"webhook_url": "https://shop.example/"})

        async def put(secret: str | None) -> str:
            async with shop.begin() as connection:
                await channels.put(connection, hooked, secret)
                found = await channels.webhook(connection, "web")
            assert found is not None
            return found.secret

        with pytest.raises(InvalidInput):
            await put(None)
        assert await one(shop, "SELECT document->>'webhook_url' FROM channels") is None
        assert [await put("whsec_one"), await put(None), await put("whsec_two")] == ["whsec_one"] * 2 + ["whsec_two"]
        stored = await one(shop, "SELECT document::text FROM channels")
        assert "whsec" not in str(stored)

    async def test_those_served_first_come_first(self, shop: AsyncEngine) -> None:
        async with shop.begin() as connection:
            for name, priority in (("b", 100), ("z", 1)):
                await channels.put(connection, Channel(id=f"{name}_channel", name=name, priority=priority))
            assert [each.id for each in await channels.everyone(connection)] == ["z_channel", "b_channel", "web"]
            assert await connection.scalar(text("SELECT priority FROM channels WHERE id = 'z_channel'")) == 1
