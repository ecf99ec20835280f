"""What a channel tells of its orders becomes orders here: once, whatever the sequence in which its messages come."""

import asyncio
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services import channel_inbox
from tests.worlds.books import check_books, one, rows
from tests.worlds.channel_messages import SHOP, open_shop, send, told
from tests.worlds.running import House
from tests.worlds.waiting import until

OUTCOMES = "SELECT outcome FROM channel_messages ORDER BY id"


async def settled(engine: AsyncEngine) -> list[str]:
    """Wait until every message has an outcome; those of all, in the sequence in which they came."""

    async def none_waits() -> bool:
        return bool(await one(engine, "SELECT count(*) FROM channel_messages WHERE outcome = 'received'") == 0)

    await until("no message waits", none_waits)
    return [str(outcome) for (outcome,) in await rows(engine, OUTCOMES)]


async def test_a_message_becomes_an_order(house: House) -> None:
    await open_shop(house.engine)
    await send(house.engine, told("shop-1", A=2, B=1), "d1")
    assert await settled(house.engine) == ["captured"]
    lines = "SELECT sku, quantity FROM order_lines WHERE order_id = 'web-shop-1' ORDER BY sku"
    assert await rows(house.engine, lines) == [("A", 2), ("B", 1)]
    assert await rows(house.engine, "SELECT order_id, mapping_version FROM channel_messages") == [("web-shop-1", 1)]
    await check_books(house.engine, reserved=3)


async def test_the_same_delivery_and_the_same_content_count_once(house: House) -> None:
    await open_shop(house.engine)
    message = told("shop-2", A=1)
    first = await send(house.engine, message, "d1")
    again = await asyncio.gather(*(send(house.engine, message, f"d{number % 3}") for number in range(9)))
    assert {each.id for each in again} == {first.id}
    assert not any(each.is_new for each in again)
    assert await settled(house.engine) == ["captured"]
    assert await one(house.engine, "SELECT count(*) FROM channel_message_repeats") == 9
    assert await one(house.engine, "SELECT count(*) FROM orders") == 1


STATES: dict[str, dict[str, Any]] = {
    "two": told("shop-3", "2026-03-02T12:00:01+00:00", A=2),
    "one": told("shop-3", "2026-03-02T12:00:02+00:00", A=1),
    "none": told("shop-3", "2026-03-02T12:00:03+00:00", A=1, cancelled=True),
}


@pytest.mark.parametrize("sequence", list(permutations(STATES)), ids="-".join)
async def test_in_whatever_sequence_the_last_state_counts(house: House, sequence: tuple[str, ...]) -> None:
    await open_shop(house.engine)
    number = f"shop-{'-'.join(sequence)}"
    for name in sequence:
        await send(house.engine, {**STATES[name], "name": f"#{number}"}, name)
        await settled(house.engine)
    found = await rows(house.engine, "SELECT status FROM orders")
    assert found == ([] if sequence[0] == "none" else [("cancelled",)])
    assert await one(house.engine, "SELECT state FROM channel_orders") == "cancelled"
    await check_books(house.engine, reserved=0)


async def test_fewer_units_in_the_channel_are_cancelled_here(house: House) -> None:
    await open_shop(house.engine)
    await send(house.engine, told("shop-4", A=3, B=1), "d1")
    await send(house.engine, told("shop-4", "2026-03-02T12:05:00+00:00", A=1), "d2")
    assert await settled(house.engine) == ["captured", "changed"]
    await check_books(house.engine, reserved=1)


async def test_what_cannot_be_taken_is_repaired_and_replayed(house: House) -> None:
    await open_shop(house.engine)
    kept = await send(house.engine, told("shop-5", NOBODY=1), "d1")
    assert await settled(house.engine) == ["quarantined"]
    ((faults,),) = await rows(house.engine, "SELECT faults FROM channel_messages")
    assert [(each["field"], each["code"]) for each in faults] == [("lines[0].sku", "unknown-sku")]
    await channel_inbox.replay(house.database, kept.id, {"lines[0].sku": "A"})
    assert await settled(house.engine) == ["captured"]
    assert await rows(house.engine, "SELECT sku FROM order_lines") == [("A",)]


UNREADABLE = [b"", b"no json", b"[1", b"{}", b"null", b'{"name": {}}', b"\xff\xfe", b"[" * 100_000]


@pytest.mark.parametrize("raw", UNREADABLE, ids=range(len(UNREADABLE)))
async def test_what_cannot_be_read_waits_for_a_person(house: House, raw: bytes) -> None:
    await open_shop(house.engine)
    await send(house.engine, None, raw=raw)
    assert await rows(house.engine, "SELECT outcome, body FROM channel_messages") == [("quarantined", raw)]


async def test_a_message_before_its_mapping_is_read_once_there_is_one(house: House) -> None:
    await open_shop(house.engine)
    async with house.engine.begin() as connection:
        await connection.exec_driver_sql("ALTER TABLE channel_mappings DISABLE TRIGGER never_changes")
        await connection.exec_driver_sql("DELETE FROM channel_mappings")
    kept = await send(house.engine, told("shop-6", A=1), "d1")
    assert await settled(house.engine) == ["quarantined"]
    await open_shop(house.engine)
    await channel_inbox.replay(house.database, kept.id, {})
    assert await settled(house.engine) == ["captured"]


async def test_a_fault_names_the_line_of_the_channel_s_own_order(house: House) -> None:
    await open_shop(house.engine)
    message = told("shop-8", A=1, NOBODY=2)
    message["line_items"][0]["requires_shipping"] = False
    kept = await send(house.engine, message, "d1")
    assert await settled(house.engine) == ["quarantined"]
    ((faults,),) = await rows(house.engine, "SELECT faults FROM channel_messages")
    assert [each["field"] for each in faults] == ["lines[1].sku"]
    await channel_inbox.replay(house.database, kept.id, {"lines[1].sku": "B"})
    assert await settled(house.engine) == ["captured"]
    assert await rows(house.engine, "SELECT sku, quantity FROM order_lines") == [("B", 2)]


async def test_what_is_not_sent_becomes_no_order(house: House) -> None:
    await open_shop(house.engine)
    message = told("shop-9", A=1)
    message["line_items"][0]["requires_shipping"] = False
    await send(house.engine, message, "d1")
    assert await settled(house.engine) == ["ignored"]


async def test_cancelled_before_it_came_it_never_comes_also_where_states_have_no_version(house: House) -> None:
    await open_shop(house.engine, SHOP.read_text().replace("  version: updated_at\n", ""))
    await send(house.engine, told("shop-10", A=1, cancelled=True), "d1")
    await send(house.engine, told("shop-10", A=1), "d2")
    assert await settled(house.engine) == ["changed", "stale"]
    assert await one(house.engine, "SELECT count(*) FROM orders") == 0


async def test_test_orders_become_none(house: House) -> None:
    await open_shop(house.engine)
    await send(house.engine, {**told("shop-7", A=1), "test": True}, "d1")
    assert await settled(house.engine) == ["ignored"]
    assert await one(house.engine, "SELECT detail FROM channel_messages") == "it is a test order of the channel"
