"""A channel that is in trouble does not hold up the others; a webhook that is removed loses nothing."""

from collections.abc import Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.channels.channel import Publish
from jobs import apart
from jobs.publishing import Publishing
from tests.worlds.books import rows
from tests.worlds.listener import Listener, describe, listening, publish, receive, remove, write

REFUSED = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not for this one'; END $$;
CREATE TRIGGER refused BEFORE INSERT ON outbox FOR EACH ROW WHEN (NEW.recipient = 'broken') EXECUTE FUNCTION refuse();
"""
RECEIVERS = "SELECT recipient, count(*) FROM outbox GROUP BY recipient ORDER BY recipient"


@pytest.fixture
def listener() -> Iterator[Listener]:
    yield from listening()


class TestOneFails:
    async def test_the_others_are_told(
        self, world: AsyncEngine, listener: Listener, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(apart, "FIRST_PAUSE", apart.LONGEST_PAUSE)
        await describe(world, listener, "broken", priority=1)
        await describe(world, listener, "works", priority=2)
        async with world.begin() as connection:
            await connection.execute(text(REFUSED))
        await receive(world, "A")
        job = Publishing(world)
        assert not await write(world, job)
        assert await rows(world, RECEIVERS) == [("works", 1)]

        async with world.begin() as connection:
            await connection.execute(text("DROP TRIGGER refused ON outbox"))
        assert not await write(world, job)
        assert await rows(world, RECEIVERS) == [("works", 1)], "it is left alone for a while"
        await write(world)
        assert await rows(world, RECEIVERS) == [("broken", 1), ("works", 1)], "and is told what it missed"


class TestMoreToTell:
    async def test_it_says_so(self, world: AsyncEngine, listener: Listener) -> None:
        """What is more than one message goes on at once, and not after a pause."""
        await describe(world, listener)
        async with world.begin() as connection:
            await connection.execute(
                text("""
                INSERT INTO skus (id, document)
                SELECT 'X' || n, document || jsonb_build_object('id', 'X' || n) FROM skus, generate_series(1, 700) AS n
                WHERE id = 'A'""")
            )
            await connection.execute(
                text("""
                INSERT INTO stock (node_id, sku, on_hand)
                SELECT 'dc-leeds', 'X' || n, n FROM generate_series(1, 700) AS n""")
            )
            await connection.execute(
                text("""
                INSERT INTO stock_ledger (node_id, sku, kind, on_hand_delta, business_key, actor, occurred_at)
                SELECT 'dc-leeds', 'X' || n, 'opening', n, 'big', 'test', now() FROM generate_series(1, 700) AS n""")
            )
        job = Publishing(world)
        assert [await write(world, job) for _ in range(3)] == [True, False, False]
        assert await rows(world, RECEIVERS) == [("web", 2)]


class TestWebhookRemoved:
    """Set again, it is told all that changed since it took its last message."""

    @pytest.mark.parametrize("publishes", list(Publish))
    async def test_what_waits_for_it_is_told_when_it_is_set_again(
        self, world: AsyncEngine, listener: Listener, publishes: Publish
    ) -> None:
        await describe(world, listener, publish=publishes)
        await receive(world, "NEVER")
        await write(world)
        await remove(world)
        await publish(world)
        assert await rows(world, "SELECT status FROM outbox") == [("failed",)]
        await receive(world, "A")
        await publish(world)
        await describe(world, listener, publish=publishes)
        await receive(world, "B")
        await publish(world)
        await publish(world)
        assert {item["sku"] for item in listener.items} == {"NEVER", "A", "B"}
        assert (listener.last("NEVER") or {})["level"] == "low"

    async def test_what_changed_meanwhile_is_told_as_it_stands_then(
        self, world: AsyncEngine, listener: Listener
    ) -> None:
        await describe(world, listener)
        for _ in range(3):
            await receive(world, "NEVER")
            await write(world)
        await remove(world)
        await publish(world)
        await receive(world, "NEVER", 4)
        await describe(world, listener)
        await publish(world)
        assert listener.items == [{"sku": "NEVER", "level": "in_stock", "quantity": 7}]
