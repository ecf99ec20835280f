"""A message is sent once more: once for each time that it is asked, to who is to be told now."""

import asyncio
from typing import Any

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.exceptions import ExceptionKind
from dom.shared.access import Limits, Role
from store import exceptions
from tests.api.driving import Channel, order, problem, until
from tests.worlds.access import key_of


async def told(channel: Channel, order_id: str) -> list[dict[str, Any]]:
    """The order's messages, once all have gone out."""

    async def sent() -> Any:
        messages = (await channel.get(order_id))["messages"]
        return messages if all(each["status"] == "sent" for each in messages) else None

    return list(await until(sent))


async def confirmed(channel: Channel) -> tuple[str, int]:
    """An order, and the number of its confirmation, which has gone out."""
    order_id = await channel.place(order(await channel.stocked_sku(10)))
    (only,) = await told(channel, order_id)
    return order_id, only["id"]


async def resend(channel: Channel, message_id: int, **more: Any) -> httpx.Response:
    body = more.pop("json", {"reason": "it went to spam"})
    return await channel.http.post(f"/v1/messages/{message_id}/resend", json=body, **more)


async def test_it_goes_out_again_and_stands_in_the_timeline(channel: Channel) -> None:
    order_id, first = await confirmed(channel)
    answer = (await resend(channel, first)).json()
    assert (answer["resent"], answer["message"]["message_key"]) == (first, "accepted:resent:1")
    before, after = await told(channel, order_id)
    assert (before["id"], after["id"]) == (first, answer["message"]["id"])
    assert (after["kind"], after["recipient"]) == (before["kind"], "ada@customer.example")
    event = (await channel.http.get(f"/v1/orders/{order_id}/timeline")).json()["events"][-1]
    assert (event["kind"], event["actor"], event["reason"]) == ("message_resent", "tests", "it went to spam")
    assert (event["data"]["message_id"], event["data"]["resent_key"]) == (first, "accepted:resent:1")


async def test_it_goes_to_the_present_address(channel: Channel, engine: AsyncEngine) -> None:
    order_id, first = await confirmed(channel)
    async with engine.begin() as connection:
        await connection.execute(
            text("UPDATE orders SET document = jsonb_set(document, '{customer,email}', '\"new@customer.example\"') "
                 "WHERE id = :id"),
            {"id": order_id},
        )  # fmt: skip
    await resend(channel, first)
    assert [each["recipient"] for each in await told(channel, order_id)][-1] == "new@customer.example"


async def test_also_when_the_order_is_over(channel: Channel) -> None:
    order_id, first = await confirmed(channel)
    await channel.deliver(order_id)
    assert (await resend(channel, first)).status_code == 200
    assert len(await told(channel, order_id)) == 4


async def test_what_told_of_the_first_is_closed(channel: Channel, engine: AsyncEngine) -> None:
    order_id, first = await confirmed(channel)
    async with engine.begin() as connection:
        key = f"{order_id}/accepted/mail"
        await exceptions.open_(connection, order_id, ExceptionKind.MESSAGE_UNCERTAIN, key, "did it arrive?")
    await resend(channel, first)
    assert (await channel.get(order_id))["exceptions"] == []


class TestTwice:
    async def test_under_one_key_it_is_sent_once(self, channel: Channel) -> None:
        order_id, first = await confirmed(channel)
        key = {"Idempotency-Key": "k1"}
        answers = await asyncio.gather(*(resend(channel, first, headers=key) for _ in range(4)))
        assert {each.json()["message"]["id"] for each in answers} == {answers[0].json()["message"]["id"]}
        assert len(await told(channel, order_id)) == 2
        other = await resend(channel, first, json={"reason": "another"}, headers=key)
        problem(other, 409, "conflict", "Idempotency-Key")

    async def test_without_a_key_each_call_sends_it(self, channel: Channel) -> None:
        order_id, first = await confirmed(channel)
        await asyncio.gather(*(resend(channel, first) for _ in range(3)))
        keys = [each["message_key"] for each in await told(channel, order_id)]
        assert sorted(keys) == ["accepted", *(f"accepted:resent:{number}" for number in (1, 2, 3))]

    async def test_one_that_was_resent_can_be_resent(self, channel: Channel) -> None:
        order_id, first = await confirmed(channel)
        second = (await resend(channel, first)).json()["message"]["id"]
        await told(channel, order_id)
        assert (await resend(channel, second)).json()["message"]["message_key"] == "accepted:resent:1:resent:1"


class TestRefused:
    async def test_one_that_waits_to_go_out(self, channel: Channel, engine: AsyncEngine) -> None:
        _, first = await confirmed(channel)
        async with engine.begin() as connection:
            await connection.execute(text("UPDATE outbox SET status = 'pending', next_attempt_at = now() + interval "
                                          "'1 hour' WHERE id = :id"), {"id": first})  # fmt: skip
        problem(await resend(channel, first), 409, "step-not-possible")
        async with engine.begin() as connection:
            await connection.execute(text("UPDATE outbox SET status = 'sent' WHERE id = :id"), {"id": first})

    async def test_none_there_is_and_none_of_another(self, channel: Channel, engine: AsyncEngine) -> None:
        order_id, first = await confirmed(channel)
        for number in (0, 2**63):
            problem(await resend(channel, number), 422, "invalid-input", "message_id")
        gone = problem(await resend(channel, 2**62), 404, "not-found")
        assert gone["detail"] == f"there is no message {2**62}"
        support = await key_of(engine, Role.SUPPORT, Limits.of(channels=["b2b"]), name="kim of b2b")
        hidden = problem(await resend(channel, first, headers=support), 404, "not-found")
        assert hidden["detail"] == f"there is no message {first}"
        partner = await key_of(engine, Role.CHANNEL, Limits.of(channels=["web"]))
        problem(await resend(channel, first, headers=partner), 403, "forbidden")
        assert len(await told(channel, order_id)) == 1

    async def test_a_notice_to_a_process_is_no_message(self, channel: Channel, engine: AsyncEngine) -> None:
        order_id, _ = await confirmed(channel)
        await channel.step(f"{order_id}-F1", "pack")
        async with engine.connect() as connection:
            asked = "SELECT min(id) FROM outbox WHERE order_id = :id AND medium = 'workflow'"
            notice = await connection.scalar(text(asked), {"id": order_id})
        problem(await resend(channel, int(notice or 0)), 404, "not-found")
