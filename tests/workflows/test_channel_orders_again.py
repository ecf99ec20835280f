"""What a channel tells once more, too late, or so that it cannot be carried out: nothing is lost, doubled or stuck."""

import asyncio
from typing import Any, Never

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.channels.mapping import applying
from dom.channels.outcomes import MessageSource
from dom.shared.errors import NoProcess
from services import channel_inbox, channel_intake
from services.channel_intake import OrderCalls
from services.database import Database
from store.inbox import messages
from tests.workflows.test_channel_orders import settled
from tests.worlds.books import check_books, one, rows
from tests.worlds.channel_messages import SHOP, open_shop, send, told
from tests.worlds.running import House
from tests.worlds.shops import not_connected

AT = "2026-03-02T12:0{}:00+00:00"


async def _refuses(*_: Any) -> Never:
    raise NoProcess("nobody works on it")


async def test_an_address_that_was_refused_is_repaired_and_captured(house: House) -> None:
    await open_shop(house.engine)
    message = told("again-1", A=1)
    message["shipping_address"]["zip"] = "nowhere"
    kept = await send(house.engine, message, "d1")
    assert await settled(house.engine) == ["quarantined"]
    await channel_inbox.replay(house.database, kept.id, {"ship_to.postal_code": "LS1 4AP"})
    assert await settled(house.engine) == ["captured"]


async def test_a_change_that_was_held_is_not_taken_for_the_order_s_state(house: House) -> None:
    await open_shop(house.engine)
    await send(house.engine, told("again-2", AT.format(0), A=2), "d1")
    await send(house.engine, told("again-2", AT.format(1), A=3), "d2")
    await send(house.engine, told("again-2", AT.format(2), A=2), "d3")
    assert await settled(house.engine) == ["captured", "quarantined", "unchanged"]
    await check_books(house.engine, reserved=2)


async def test_what_came_after_it_was_cancelled_stays_cancelled_however_often_it_comes(house: House) -> None:
    await open_shop(house.engine, SHOP.read_text().replace("  version: updated_at\n", ""))
    await send(house.engine, told("again-3", A=1, cancelled=True), "d1")
    await send(house.engine, told("again-3", A=1), "d2")
    await send(house.engine, {**told("again-3", A=1), "note": "once more"}, "d3")
    assert await settled(house.engine) == ["changed", "stale", "stale"]
    assert await one(house.engine, "SELECT count(*) FROM orders") == 0


async def test_cancelled_twice_and_open_again(house: House) -> None:
    await open_shop(house.engine)
    await send(house.engine, told("again-4", AT.format(0), A=1), "d1")
    await send(house.engine, told("again-4", AT.format(1), A=1, cancelled=True), "d2")
    await send(house.engine, told("again-4", AT.format(2), A=1, cancelled=True), "d3")
    await send(house.engine, told("again-4", AT.format(3), A=1), "d4")
    assert await settled(house.engine) == ["captured", "changed", "unchanged", "quarantined"]
    assert await rows(house.engine, "SELECT DISTINCT order_id FROM channel_messages WHERE order_id IS NOT NULL") == [
        ("web-again-4",)
    ]


async def test_what_is_not_sent_is_captured_once_the_mapping_says_it_is(house: House) -> None:
    await open_shop(house.engine)
    message = told("again-5", A=1)
    message["line_items"][0]["requires_shipping"] = False
    kept = await send(house.engine, message, "d1")
    assert await settled(house.engine) == ["ignored"]
    await open_shop(house.engine, SHOP.read_text().replace("    ships: requires_shipping\n", ""))
    await channel_inbox.replay(house.database, kept.id, {})
    assert await settled(house.engine) == ["captured"]


async def _captured_only(house: House, monkeypatch: pytest.MonkeyPatch, number: str) -> None:
    """Its first turn is cut short when it is to be written down what became of the message."""
    settle, cut = messages.settle, [True]

    async def once(*given: Any, **named: Any) -> None:
        if cut.pop() if cut else False:
            raise ConnectionError("cut short")
        await settle(*given, **named)

    monkeypatch.setattr(messages, "settle", once)
    await send(house.engine, told(number, A=1), "d1")


async def test_a_turn_that_was_cut_short_ends_as_it_would_have(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await open_shop(house.engine)
    await _captured_only(house, monkeypatch, "again-6")
    assert await settled(house.engine) == ["captured"]
    assert await rows(house.engine, "SELECT order_id FROM channel_messages") == [("web-again-6",)]
    await check_books(house.engine, reserved=1)


async def test_an_order_that_did_not_come_through_the_inbox_is_cancelled_too(house: House) -> None:
    await open_shop(house.engine)
    await send(house.engine, told("again-7", A=1), "d1")
    assert await settled(house.engine) == ["captured"]
    async with house.engine.begin() as connection:
        await connection.exec_driver_sql("DELETE FROM channel_orders")  # as if by POST /v1/orders
    await send(house.engine, told("again-7", AT.format(1), A=1, cancelled=True), "d2")
    assert await settled(house.engine) == ["captured", "changed"]
    await asyncio.sleep(0)
    await check_books(house.engine, reserved=0)


async def test_what_no_process_answers_for_waits_for_a_person(world: AsyncEngine) -> None:
    await open_shop(world)
    await send(world, told("again-8", A=1), "d1")
    await channel_intake.take_in(
        Database(engine=world), not_connected(world), OrderCalls(_refuses, _refuses), "web", "again-8"
    )
    assert await rows(world, "SELECT outcome, detail FROM channel_messages") == [("quarantined", "nobody works on it")]


async def test_a_mistake_of_ours_holds_up_no_later_message(world: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    await open_shop(world)
    await send(world, told("again-9", A=1), "d1")

    def broken(*_: Any, **__: Any) -> Never:
        raise ZeroDivisionError

    monkeypatch.setattr(applying, "_missing", broken)
    await channel_intake.take_in(
        Database(engine=world), not_connected(world), OrderCalls(_refuses, _refuses), "web", "again-9"
    )
    assert await rows(world, "SELECT outcome FROM channel_messages") == [("quarantined",)]


@pytest.mark.parametrize("number", ["#a\0b", "#a\ud800b", "#" + "9" * 65])
async def test_a_number_that_cannot_be_kept_is_kept_as_it_came(world: AsyncEngine, number: str) -> None:
    await open_shop(world)
    await send(world, {**told("again-10", A=1), "name": number}, "d1")
    assert await rows(world, "SELECT outcome, order_number FROM channel_messages") == [("quarantined", None)]


async def test_deliveries_with_long_ids_are_told_apart(world: AsyncEngine) -> None:
    await open_shop(world)
    first = await send(world, told("again-11", A=1), "d" * 200 + "1")
    second = await send(world, told("again-11", A=2), "d" * 200 + "2")
    assert (first.is_new, second.is_new, second.id == first.id) == (True, True, False)


async def test_the_same_content_twice_before_its_number_was_known_counts_once(house: House) -> None:
    await open_shop(house.engine, SHOP.read_text().replace("number: {path: name", "number: {path: nowhere"))
    kept = [await send(house.engine, told("again-12", A=1), delivery) for delivery in ("d1", "d2")]
    await open_shop(house.engine)
    outcomes = [(await channel_inbox.replay(house.database, each.id, {})).outcome for each in kept]
    assert outcomes == ["received", "duplicate"]
    assert await settled(house.engine) == ["captured", "duplicate"]


async def test_a_number_that_was_missing_is_repaired(house: House) -> None:
    await open_shop(house.engine)
    kept = await send(house.engine, {**told("again-13", A=1), "name": None}, "d1")
    await channel_inbox.replay(house.database, kept.id, {"number": "again-13"})
    assert await settled(house.engine) == ["captured"]
    assert await rows(house.engine, "SELECT number, order_id FROM channel_orders") == [("again-13", "web-again-13")]


async def test_a_mapping_that_finds_another_number_has_it_wait_for_its_turn_there(house: House) -> None:
    await open_shop(house.engine, SHOP.read_text().replace(', strip: "#"', ""))
    kept = await send(house.engine, told("again-14", NOBODY=1), "d1")
    assert await settled(house.engine) == ["quarantined"]
    await open_shop(house.engine)
    await channel_inbox.replay(house.database, kept.id, {"lines[0].sku": "A"})
    assert await settled(house.engine) == ["captured"]
    assert await rows(house.engine, "SELECT number, order_id FROM channel_orders") == [("again-14", "web-again-14")]


async def test_no_secret_of_the_sender_is_kept(world: AsyncEngine) -> None:
    await open_shop(world)
    secret = ("proxy-authorization", "x-shop-access-token", "x-auth-key", "apikey", "set-cookie", "x-shared-secret")
    headers = {**dict.fromkeys(secret, "s"), "webhook-id": "d1", "content-type": "application/json"}
    await channel_inbox.receive(Database(engine=world), "web", MessageSource.WEBHOOK, headers, b"{}")
    assert await rows(world, "SELECT headers FROM channel_messages") == [
        ({"webhook-id": "d1", "content-type": "application/json"},)
    ]


async def test_two_states_of_one_moment_count_in_the_sequence_in_which_they_come(house: House) -> None:
    """Many channels tell the time of a change in whole seconds."""
    await open_shop(house.engine)
    await send(house.engine, told("again-30", AT.format(0), A=3), "d1")
    await send(house.engine, told("again-30", AT.format(0), A=1), "d2")
    assert await settled(house.engine) == ["captured", "changed"]
    await check_books(house.engine, reserved=1)


async def test_cancelled_in_the_moment_in_which_it_was_placed(house: House) -> None:
    await open_shop(house.engine)
    await send(house.engine, told("again-31", AT.format(0), A=1, cancelled=True), "d1")
    await send(house.engine, told("again-31", AT.format(0), A=1), "d2")
    assert await settled(house.engine) == ["changed", "stale"]
    assert await one(house.engine, "SELECT count(*) FROM orders") == 0


async def test_a_repair_counts_for_later_states_with_the_same_mistake(house: House) -> None:
    await open_shop(house.engine)
    kept = await send(house.engine, told("again-40", AT.format(0), NOBODY=3), "d1")
    assert await settled(house.engine) == ["quarantined"]
    await channel_inbox.replay(house.database, kept.id, {"lines[0].sku": "A"})
    await settled(house.engine)
    await send(house.engine, told("again-40", AT.format(1), NOBODY=1), "d2")
    await send(house.engine, told("again-40", AT.format(2), B=1), "d3")
    assert await settled(house.engine) == ["captured", "changed", "quarantined"]  # B is no NOBODY: another article
    await check_books(house.engine, reserved=1)


async def test_what_somebody_changed_here_by_hand_is_held_no_more(house: House) -> None:
    await open_shop(house.engine)
    await send(house.engine, told("again-41", AT.format(0), A=3), "d1")
    moved = told("again-41", AT.format(1), A=3)
    moved["shipping_address"]["address1"] = "13 Mill Lane"
    kept = await send(house.engine, moved, "d2")
    assert await settled(house.engine) == ["captured", "quarantined"]
    ((faults,),) = await rows(house.engine, "SELECT faults FROM channel_messages WHERE outcome = 'quarantined'")
    assert [each["field"] for each in faults] == ["ship_to"]
    async with house.engine.begin() as connection:
        here = "jsonb_set(document, '{ship_to,lines}', '[\"13 Mill Lane\"]')"
        await connection.exec_driver_sql(f"UPDATE orders SET document = {here}")  # noqa: S608 - as an edit would
    await channel_inbox.replay(house.database, kept.id, {})
    fewer = {**moved, "updated_at": AT.format(2), "line_items": [{**moved["line_items"][0], "current_quantity": 1}]}
    await settled(house.engine)
    await send(house.engine, fewer, "d3")
    assert await settled(house.engine) == ["captured", "unchanged", "changed"]
    await check_books(house.engine, reserved=1)


async def test_what_an_earlier_version_kept_otherwise_holds_up_no_later_message(house: House) -> None:
    await open_shop(house.engine)
    await send(house.engine, told("again-42", AT.format(0), A=2), "d1")
    assert await settled(house.engine) == ["captured"]
    async with house.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE channel_orders SET document = '{\"number\": 7}'")
    await send(house.engine, told("again-42", AT.format(1), A=1), "d2")
    assert await settled(house.engine) == ["captured", "quarantined"]
    await send(house.engine, told("again-42", AT.format(2), cancelled=True, A=1), "d3")
    assert (await settled(house.engine))[-1] == "changed"
    await check_books(house.engine, reserved=0)
