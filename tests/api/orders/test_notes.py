"""Notes of orders: written once, in every state, and seen by the merchant's own people alone."""

import asyncio
from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.shared.access import Limits, Role
from tests.api.driving import Channel, order, problem, until
from tests.worlds.access import key_of

LINK = {"url": "https://files.example/1.jpg", "title": "the carton"}


@pytest.fixture
async def order_id(channel: Channel) -> str:
    return await channel.place(order(await channel.stocked_sku(10)))


async def note(channel: Channel, order_id: str, text: str = "call first", **more: Any) -> httpx.Response:
    headers = more.pop("headers", {})
    return await channel.http.post(f"/v1/orders/{order_id}/notes", json={"text": text, **more}, headers=headers)


async def texts(channel: Channel, order_id: str) -> list[str]:
    return [each["text"] for each in (await channel.http.get(f"/v1/orders/{order_id}/notes")).json()["notes"]]


async def test_it_stands_in_the_timeline(channel: Channel, order_id: str) -> None:
    answer = await note(channel, order_id, "two\nlines", links=[LINK])
    assert answer.status_code == 201, answer.text
    written = answer.json()
    assert (written["text"], written["links"], written["author"]) == ("two\nlines", [LINK], "tests")
    assert (await channel.http.get(f"/v1/orders/{order_id}/notes")).json()["notes"] == [written]
    (event,) = [each for each in await events(channel, order_id) if each["kind"] == "noted"]
    assert (event["id"], event["actor"], event["data"]["text"]) == (written["id"], "tests", "two\nlines")


async def events(channel: Channel, order_id: str, **more: Any) -> list[dict[str, Any]]:
    found = await channel.http.get(f"/v1/orders/{order_id}/timeline", **more)
    return list(found.json()["events"])


async def test_it_changes_nothing_of_an_order_that_is_over(channel: Channel, order_id: str) -> None:
    await channel.deliver(order_id)

    async def told() -> bool:
        return all(each["status"] == "sent" for each in (await channel.get(order_id))["messages"])

    await until(told)
    before = await channel.get(order_id)
    assert (await note(channel, order_id)).status_code == 201
    assert await channel.get(order_id) == before


class TestTwice:
    async def test_a_repeat_is_answered_as_before(self, channel: Channel, order_id: str) -> None:
        key = {"Idempotency-Key": "n1"}
        answers = await asyncio.gather(*(note(channel, order_id, headers=key) for _ in range(4)))
        assert {(each.status_code, each.text) for each in answers} == {(201, answers[0].text)}
        assert await texts(channel, order_id) == ["call first"]
        other = await note(channel, order_id, "call later", headers=key)
        problem(other, 409, "conflict", "Idempotency-Key")

    async def test_without_a_key_it_is_another_note(self, channel: Channel, order_id: str) -> None:
        await asyncio.gather(*(note(channel, order_id) for _ in range(3)))
        assert await texts(channel, order_id) == ["call first"] * 3

    async def test_another_callers_key_is_not_mine(self, channel: Channel, order_id: str, engine: AsyncEngine) -> None:
        await note(channel, order_id, headers={"Idempotency-Key": "n1"})
        kim = await key_of(engine, Role.SUPPORT, Limits(), name="kim of the notes")
        answer = await note(channel, order_id, headers={"Idempotency-Key": "n1", **kim})
        problem(answer, 409, "conflict", "Idempotency-Key")


class TestWhoSeesIt:
    async def test_no_channel(self, channel: Channel, order_id: str, engine: AsyncEngine) -> None:
        await note(channel, order_id, "the customer is a nuisance")
        own = await key_of(engine, Role.CHANNEL, Limits.of(channels=["web"]))
        problem(await note(channel, order_id, headers=own), 403, "forbidden")
        problem(await channel.http.get(f"/v1/orders/{order_id}/notes", headers=own), 403, "forbidden")
        seen = await events(channel, order_id, headers=own)
        assert {each["kind"] for each in seen} == {"accepted"}
        assert "nuisance" not in (await channel.http.get(f"/v1/orders/{order_id}", headers=own)).text

    async def test_nobody_of_another_channel(self, channel: Channel, order_id: str, engine: AsyncEngine) -> None:
        support = await key_of(engine, Role.SUPPORT, Limits.of(channels=["b2b"]), name="kim of b2b")
        for answer in (
            await note(channel, order_id, headers=support),
            await channel.http.get(f"/v1/orders/{order_id}/notes", headers=support),
        ):
            assert problem(answer, 404, "not-found")["detail"] == f"there is no order {order_id}"
        assert await texts(channel, order_id) == []


@pytest.mark.parametrize(
    ("body", "field"),
    [({"text": " "}, "text"), ({"text": "a\0b"}, None), ({"text": "x", "actor": "ada"}, "actor"),
     ({"text": "x", "links": [{"url": "javascript:alert(1)"}]}, "links[0].url"),
     ({"text": "x", "links": [LINK] * 21}, "links")],
)  # fmt: skip
async def test_what_is_refused(channel: Channel, order_id: str, body: dict[str, Any], field: str | None) -> None:
    answer = await channel.http.post(f"/v1/orders/{order_id}/notes", json=body)
    assert answer.status_code == 422, answer.text
    if field is not None:
        problem(answer, 422, "invalid-input", field)
    assert await texts(channel, order_id) == []


async def test_no_such_order(channel: Channel) -> None:
    problem(await note(channel, "web-nobody"), 404, "not-found")
    problem(await channel.http.get("/v1/orders/web-nobody/notes"), 404, "not-found")
