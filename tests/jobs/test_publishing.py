"""Channels are told of changes by webhook: signed, in sequence, at least once, whatever fails on the way."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from connectors.notifications.port import OutboundMessage
from dom.channels.channel import Channel, ChannelRule, Publish
from dom.notifications.messages import Medium
from jobs.publishing import Publishing
from services.channel_webhooks import ChannelWebhooks
from services.database import Database
from services.relay import Relay, RelayPace
from store import channels
from store.ledger import cursors
from store.ledger.cursors import Cursor
from tests.worlds.failing import Killed
from tests.worlds.listener import FAST, Listener, describe, listening, publish, receive, write
from tests.worlds.running import repeat

EVERY = 0.02
WITHIN = 15.0


@pytest.fixture
def listener() -> Iterator[Listener]:
    yield from listening()


@pytest.fixture
def other_listener() -> Iterator[Listener]:
    yield from listening()


@asynccontextmanager
async def publishing(engine: AsyncEngine, pace: RelayPace = FAST) -> AsyncIterator[None]:
    """The background job and the relay; at the end of the block both are cut off wherever they stand."""
    webhooks = ChannelWebhooks(engine)
    relay = Relay(Database(engine=engine), {Medium.AVAILABILITY: webhooks}, pace=pace)
    tasks = [
        asyncio.create_task(repeat(Publishing(engine, every=EVERY))),
        asyncio.create_task(relay.run(asyncio.Event())),
    ]
    try:
        yield
        assert not [task for task in tasks if task.done()], "both run on"
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await webhooks.close()


async def until(true: Any) -> None:
    async with asyncio.timeout(WITHIN):
        while not true():
            await asyncio.sleep(0.01)


async def test_every_change_is_told_with_what_is_available_now(world: AsyncEngine, listener: Listener) -> None:
    await describe(world, listener, low_at=5)
    async with publishing(world):
        await receive(world, "A", 7)
        await until(lambda: listener.last("A") == {"sku": "A", "level": "in_stock", "quantity": 162})
        await receive(world, "NEVER", 2)
        await until(lambda: listener.last("NEVER") == {"sku": "NEVER", "level": "low", "quantity": 2})
        await receive(world, "NEVER", -2)
        await until(lambda: listener.last("NEVER") == {"sku": "NEVER", "level": "out", "quantity": 0})


async def test_many_changes_of_a_sku_are_told_once(world: AsyncEngine, listener: Listener) -> None:
    await describe(world, listener)
    for turn in range(30):
        await receive(world, ("A", "B")[turn % 2])
    async with publishing(world):
        await until(lambda: listener.last("B"))
        await asyncio.sleep(0.2)
    assert listener.items == [
        {"sku": "A", "level": "in_stock", "quantity": 170},
        {"sku": "B", "level": "in_stock", "quantity": 115},
    ]


async def test_a_receiver_that_fails_hears_of_it_later_and_in_sequence(world: AsyncEngine, listener: Listener) -> None:
    await describe(world, listener)
    listener.status = 500
    async with publishing(world):
        await receive(world, "A")
        await until(lambda: len(listener.refused) >= 2)
        await receive(world, "B")
        listener.status = 404
        refused = len(listener.refused)
        await until(lambda: len(listener.refused) > refused + 1)
        await receive(world, "A")
        assert listener.taken == []
        listener.status = 204
        await until(lambda: (last := listener.last("A")) is not None and last["quantity"] == 157)
    assert listener.last("B") == {"sku": "B", "level": "in_stock", "quantity": 101}
    assert [item["quantity"] for item in listener.items if item["sku"] == "A"] == sorted(
        item["quantity"] for item in listener.items if item["sku"] == "A"
    )


async def test_a_broken_receiver_does_not_hold_up_the_others(
    world: AsyncEngine, listener: Listener, other_listener: Listener
) -> None:
    await describe(world, listener, "broken")
    await describe(world, other_listener, "works")
    listener.status = 503
    async with publishing(world, RelayPace(first_pause=60)):
        await receive(world, "A")
        await until(lambda: listener.refused and other_listener.last("A"))
        await receive(world, "B")
        await until(lambda: other_listener.last("B"))
    assert listener.taken == []
    assert len(listener.refused) == 1, "it is left alone for a while"


async def test_what_was_taken_but_not_written_down_is_told_again(world: AsyncEngine, listener: Listener) -> None:
    """The relay dies between the receiver's 200 and its own commit."""

    class Dying(ChannelWebhooks):
        async def send(self, message: OutboundMessage) -> None:
            await super().send(message)
            raise Killed

    await describe(world, listener)
    await receive(world, "A")
    await write(world)
    dying = Dying(world)
    with pytest.raises(Killed):
        await Relay(Database(engine=world), {Medium.AVAILABILITY: dying}, pace=FAST).run(asyncio.Event())
    await dying.close()
    await publish(world)
    assert len(listener.taken) == 2
    assert listener.taken[0] == listener.taken[1], "the same message has the same id, so that the receiver can tell"
    await publish(world)
    assert len(listener.taken) == 2


async def test_a_leader_that_is_killed_again_and_again_loses_nothing(world: AsyncEngine, listener: Listener) -> None:
    await describe(world, listener)
    written = {"A": 155, "B": 100, "RARE": 5, "FAR": 20}

    async def sell() -> None:
        for turn in range(80):
            sku = sorted(written)[turn % 4]
            await receive(world, sku, 1, node="st-york")
            written[sku] += 1
            if turn % 20 == 10:
                listener.status = 500
            elif turn % 20 == 13:
                listener.status = 200
            await asyncio.sleep(0.005)

    selling = asyncio.create_task(sell())
    while not selling.done():
        async with publishing(world):
            await asyncio.sleep(0.07)
    await selling
    listener.status = 200
    async with publishing(world):
        await until(lambda: {sku: (listener.last(sku) or {}).get("quantity") for sku in written} == written)
    for sku in written:
        told = [item["quantity"] for item in listener.items if item["sku"] == sku]
        assert told == sorted(told), "a channel was told of an older state after a newer one"


async def test_two_publishers_at_once_leave_the_receiver_with_the_last_state(
    world: AsyncEngine, listener: Listener
) -> None:
    """It takes a leader that did not notice in time that it lost its lock; at least once must still hold."""
    await describe(world, listener)
    other = asyncio.create_task(repeat(Publishing(world, every=EVERY)))
    async with publishing(world):
        for _ in range(20):
            await receive(world, "A")
        await until(lambda: (listener.last("A") or {}).get("quantity") == 175)
        assert not other.done()
    other.cancel()
    await asyncio.wait({other})  # else it connects once more, to a database that the test is done with
    assert len({key for key, _ in listener.taken}) == len(listener.taken), "nothing was told twice"


async def test_a_channel_of_levels_hears_of_their_changes_alone(world: AsyncEngine, listener: Listener) -> None:
    await describe(world, listener, publish=Publish.LEVEL, low_at=5)
    for quantity in (3, 1, 1, 10, 10, -20, -5):
        await receive(world, "NEVER", quantity)
        await receive(world, "B", 1)
        await publish(world)
    assert [item["level"] for item in listener.items if item["sku"] == "NEVER"] == ["low", "in_stock", "low", "out"]
    assert [item for item in listener.items if item["sku"] == "B"] == [{"sku": "B", "level": "in_stock"}]


async def test_what_a_channel_was_told_in_units_counts_when_it_asks_for_levels(
    world: AsyncEngine, listener: Listener
) -> None:
    await describe(world, listener, publish=Publish.LEVEL)
    await receive(world, "NEVER", 3)
    await publish(world)  # low
    await describe(world, listener, publish=Publish.QUANTITY)
    await receive(world, "NEVER", -3)
    await publish(world)  # out
    await describe(world, listener, publish=Publish.LEVEL)
    await receive(world, "NEVER", 3)
    await publish(world)
    assert [item["level"] for item in listener.items] == ["low", "out", "low"]


async def test_a_rule_that_takes_units_from_the_channel_is_told(world: AsyncEngine, listener: Listener) -> None:
    await describe(world, listener)
    async with publishing(world):
        async with world.begin() as connection:
            await channels.replace_rules(connection, "web", [ChannelRule(sku="A", excluded=True)])
        await until(lambda: listener.last("A") == {"sku": "A", "level": "out", "quantity": 0})


async def test_a_receiver_that_is_stuck_is_seen_once(world: AsyncEngine, listener: Listener) -> None:
    await describe(world, listener)
    listener.status = 500
    await receive(world, "A")
    async with publishing(world):
        await until(lambda: len(listener.refused) > 3)
    assert await exceptions(world) == [], "it has not been long"
    for _ in range(2):  # the next leader does not tell of it again
        async with publishing(world, RelayPace(first_pause=0.02, longest_pause=0.05, stuck=0)):
            refused = len(listener.refused)
            await until(lambda: len(listener.refused) > refused + 3)  # noqa: B023
    (row,) = await exceptions(world)
    assert row.kind == "webhook_stuck"
    assert row.order_id is None
    assert "availability/web" in row.detail
    assert "500" in row.detail


async def exceptions(engine: AsyncEngine) -> list[Any]:
    async with engine.connect() as connection:
        return list(await connection.execute(text("SELECT kind, order_id, detail FROM exceptions")))


async def test_channels_may_come_change_and_go(
    world: AsyncEngine, listener: Listener, other_listener: Listener
) -> None:
    async with publishing(world):
        await asyncio.sleep(0.1)
        await describe(world, listener)
        await receive(world, "A")
        await until(lambda: listener.last("A"))
        await describe(world, other_listener)
        await receive(world, "B")
        await until(lambda: other_listener.last("B"))
        assert listener.last("B") is None
        async with world.begin() as connection:
            await channels.put(connection, Channel(id="web", name="web"))
        await receive(world, "RARE")
        await asyncio.sleep(0.3)
        assert other_listener.last("RARE") is None
        await describe(world, other_listener)
        await until(lambda: other_listener.last("RARE"))


async def test_a_copy_of_a_database_starts_over_instead_of_falling_silent(
    world: AsyncEngine, listener: Listener
) -> None:
    await describe(world, listener)
    async with world.begin() as connection:
        name = cursors.of_webhook("web")
        stands = await cursors.ensure(connection, name)
        await cursors.advance(connection, name, stands, Cursor(2**60, 7))
    async with publishing(world):
        await until(lambda: {item["sku"] for item in listener.items} == {"A", "B", "RARE", "FAR"})


async def test_large_news_come_in_messages_of_bounded_size(world: AsyncEngine, listener: Listener) -> None:
    await describe(world, listener)
    async with world.begin() as connection:
        await connection.execute(
            text("""
            INSERT INTO skus (id, document)
            SELECT 'X' || n, document || jsonb_build_object('id', 'X' || n) FROM skus, generate_series(1, 1200) AS n
            WHERE id = 'A'""")
        )
        await connection.execute(
            text(
                "INSERT INTO stock (node_id, sku, on_hand) "
                "SELECT 'dc-leeds', 'X' || n, n FROM generate_series(1, 1200) AS n"
            )
        )
        await connection.execute(
            text("""
            INSERT INTO stock_ledger (node_id, sku, kind, on_hand_delta, business_key, actor, occurred_at)
            SELECT 'dc-leeds', 'X' || n, 'opening', n, 'big', 'test', now() FROM generate_series(1, 1200) AS n""")
        )
    async with publishing(world):
        await until(lambda: len(listener.items) >= 1200)
    assert [len(items) for _, items in listener.taken] == [500, 500, 200]
    assert {item["sku"]: item["quantity"] for item in listener.items} == {f"X{n}": n for n in range(1, 1201)}
