"""Orders are changed on their way: previewed, made once, refused when it is too late, and delivered as they are."""

import asyncio
from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.shared.access import Limits, Role
from tests.api.driving import Channel, order, problem, until
from tests.worlds.access import key_of


async def change(
    channel: Channel, order_id: str, *changes: dict[str, Any], revision: int = 0, preview: bool = False, **more: Any
) -> httpx.Response:
    body = {"revision": revision, "changes": changes, "reason": "asked by phone"}
    return await channel.http.post(
        f"/v1/orders/{order_id}/changes", json=body, params={"preview": preview} if preview else {}, **more
    )


def quantity(units: int) -> dict[str, Any]:
    return {"change": "set_quantity", "line_id": "1", "quantity": units}


def address(street: str = "7 Park Row", **more: str) -> dict[str, Any]:
    to = {"name": "Ada Byrne", "lines": [street], "city": "Leeds", "postal_code": "LS1 4AP", "country": "GB"} | more
    return {"change": "set_ship_to", "ship_to": to}


async def placed(channel: Channel, units: int = 2, stock: int = 10, **fields: Any) -> str:
    return await channel.place(order(await channel.stocked_sku(stock), units, **fields))


async def available(channel: Channel, order_id: str) -> int:
    """What is free of the SKU of the order's first line."""
    sku = (await channel.get(order_id))["lines"][0]["sku"]
    answer = await channel.http.get("/v1/availability", params={"sku": sku})
    return int(answer.json()["items"][0]["available"])


class TestPreview:
    async def test_says_what_it_would_come_to_and_keeps_nothing(self, channel: Channel) -> None:
        order_id = await placed(channel)
        before = await self.kept(channel, order_id)
        found = (await change(channel, order_id, quantity(5), preview=True)).json()
        assert (found["preview"], found["revision"], found["status"]) == (True, 1, "accepted")
        assert [work["lines"] for work in found["fulfilments"]] == [{"1": 5}]
        assert found["goods"] == {"before": 510, "after": 1275, "difference": 765, "currency": "GBP"}
        assert await self.kept(channel, order_id) == before

    @staticmethod
    async def kept(channel: Channel, order_id: str) -> dict[str, Any]:
        """The order without its messages, which are sent meanwhile."""
        return {name: value for name, value in (await channel.get(order_id)).items() if name != "messages"}

    async def test_made_it_is_what_was_said(self, channel: Channel) -> None:
        order_id = await placed(channel)
        said = (await change(channel, order_id, quantity(5), address(), preview=True)).json()
        made = (await change(channel, order_id, quantity(5), address())).json()
        assert {**made, "preview": True} == said

    async def test_who_saw_an_earlier_one_is_told(self, channel: Channel) -> None:
        order_id = await placed(channel)
        await change(channel, order_id, quantity(3))
        found = problem(await change(channel, order_id, quantity(4)), 409, "stale", "revision")
        assert found["data"] == {"revision": 1}


class TestMade:
    async def test_more_of_a_line_goes_in_one_parcel(self, channel: Channel) -> None:
        order_id = await placed(channel)
        await change(channel, order_id, quantity(5))
        found = await channel.get(order_id)
        assert (found["lines"][0]["ordered"], found["lines"][0]["allocated"], found["goods_total"]) == (5, 5, 1275)
        assert [work["status"] for work in found["fulfilments"]] == ["recalled", "released"]
        assert await available(channel, order_id) == 5
        await self.deliver_last(channel, order_id, 2)

    async def test_fewer_give_their_stock_back(self, channel: Channel) -> None:
        order_id = await placed(channel, 4)
        await change(channel, order_id, quantity(1))
        assert await available(channel, order_id) == 9
        await channel.deliver(order_id)

    async def test_another_sku(self, channel: Channel) -> None:
        order_id, other = await placed(channel), await channel.stocked_sku(5)
        swap = {"change": "swap_sku", "line_id": "1", "new_line_id": "1a", "sku": other}
        assert (await change(channel, order_id, swap)).json()["goods"]["difference"] == 0
        assert await available(channel, order_id) == 10
        await self.deliver_last(channel, order_id, 2)
        found = await channel.get(order_id)
        assert [(line["sku"], line["delivered"]) for line in found["lines"]][1] == (other, 2)

    async def test_more_than_there_is_waits_and_is_sent_when_it_comes(self, channel: Channel) -> None:
        order_id = await placed(channel, 2, stock=3)
        found = (await change(channel, order_id, quantity(5))).json()
        assert sum(found["waiting"].values()) == 2
        sku = (await channel.get(order_id))["lines"][0]["sku"]
        await channel.receive(sku, 5)

        async def none_waits() -> bool:
            return bool((await channel.get(order_id))["units_waiting"] == 0)

        assert await until(none_waits)

    async def test_a_packed_parcel_gets_its_new_address(self, channel: Channel) -> None:
        order_id = await placed(channel)
        await channel.step(f"{order_id}-F1", "pack")
        await channel.until_work(f"{order_id}-F1", "booked")
        assert (await change(channel, order_id, address("9 Park Row"))).status_code == 200
        assert (await channel.get(order_id))["fulfilments"][0]["status"] == "picked"
        await channel.step(f"{order_id}-F1", "pack")
        item = await channel.until_work(f"{order_id}-F1", "booked")
        assert item["ship_to"]["lines"] == ["9 Park Row"]
        statuses = [each["status"] for each in (await channel.get(order_id))["fulfilments"][0]["shipments"]]
        assert sorted(statuses) == ["booked", "voided"]

    async def test_the_channel_sends_its_order_again(self, channel: Channel) -> None:
        """It is the same order still."""
        document = order(await channel.stocked_sku(10))
        order_id = await channel.place(document)
        await change(channel, order_id, quantity(3), {"change": "set_tags", "tags": ["gift"]})
        again = await channel.http.post("/v1/orders", json=document)
        assert (again.status_code, again.json()["order_id"]) == (200, order_id)

    @staticmethod
    async def deliver_last(channel: Channel, order_id: str, number: int) -> None:
        fulfilment_id = f"{order_id}-F{number}"
        await channel.step(fulfilment_id, "pack")
        item = await channel.until_work(fulfilment_id, "booked")
        await channel.step(fulfilment_id, "hand-over")
        await channel.scan(item, "delivered")
        await channel.until_order(order_id, "delivered")


class TestRefused:
    async def test_what_is_too_late_says_what_else_could_be_done(self, channel: Channel) -> None:
        order_id = await placed(channel)
        await channel.step(f"{order_id}-F1", "accept")
        asked = {"change": "set_shipping_method", "shipping_method": "express"}
        found = problem(await change(channel, order_id, quantity(3), asked), 409, "cannot-change", "changes[1]")
        assert found["data"]["instead"] == "cancel what is begun and order it anew"
        assert (await channel.get(order_id))["lines"][0]["ordered"] == 2

    async def test_a_channel_changes_what_no_node_has_begun(self, channel: Channel, engine: AsyncEngine) -> None:
        web = await key_of(engine, Role.CHANNEL, Limits.of(channels=["web"]))
        order_id = await placed(channel)
        assert (await change(channel, order_id, quantity(3), headers=web)).status_code == 200
        await channel.step(f"{order_id}-F2", "accept")
        late = await change(channel, order_id, quantity(2), revision=1, headers=web)
        problem(late, 409, "cannot-change", "changes[0]")
        other = await key_of(engine, Role.CHANNEL, Limits.of(channels=["b2b"]))
        problem(await change(channel, order_id, quantity(2), revision=1, headers=other), 404, "not-found")

    @pytest.mark.parametrize(
        ("asked", "kind", "field"),
        [
            (quantity(0), "invalid-input", "changes[0].quantity"),
            (address(country="US"), "invalid-input", "changes[0].ship_to.postal_code"),
            ({"change": "zebra"}, "invalid-input", "changes[0]"),
            ({"change": "set_shipping_method", "shipping_method": "pickup"}, "invalid-input", "changes"),
        ],
    )
    async def test_bad_input(self, channel: Channel, asked: dict[str, Any], kind: str, field: str) -> None:
        order_id = await placed(channel)
        answer = await change(channel, order_id, asked)
        assert answer.status_code == 422
        assert answer.json()["type"] == f"/problems/{kind}"
        assert answer.json()["field"].startswith(field)

    async def test_unknown_sku(self, channel: Channel) -> None:
        order_id = await placed(channel)
        asked = {"change": "add_line", "line_id": "9", "sku": "NOBODY-HAS-IT", "quantity": 1, "unit_price": 1}
        answer = await change(channel, order_id, asked)
        assert (answer.status_code, answer.json()["type"]) == (422, "/problems/unknown-sku")
        assert (await channel.get(order_id))["lines"][0]["ordered"] == 2


class TestAtOnce:
    async def test_of_two_one_is_made(self, channel: Channel) -> None:
        order_id = await placed(channel)
        answers = await asyncio.gather(*(change(channel, order_id, quantity(n)) for n in (3, 4, 5)))
        assert sorted(answer.status_code for answer in answers) == [200, 409, 409]

    async def test_a_repeat_is_answered_as_before(self, channel: Channel) -> None:
        order_id = await placed(channel)
        key = {"Idempotency-Key": "edit-1"}
        answers = [await change(channel, order_id, quantity(3), headers=key) for _ in range(2)]
        assert [answer.json()["revision"] for answer in answers] == [1, 1]
        problem(await change(channel, order_id, quantity(4), headers=key), 409, "conflict", "Idempotency-Key")


async def test_revisions_and_what_is_possible(channel: Channel) -> None:
    order_id = await placed(channel)
    await change(channel, order_id, quantity(3))
    found = (await channel.http.get(f"/v1/orders/{order_id}/changes")).json()
    assert [(each["number"], each["order"]["lines"][0]["quantity"]) for each in found["revisions"]] == [(0, 2), (1, 3)]
    assert (found["revisions"][1]["actor"], found["revisions"][1]["reason"]) == ("tests", "asked by phone")
    assert all(each["possible"] for each in found["possible"] if each["change"] != "set_pickup_node")
    rules = (await channel.http.get("/v1/change-rules")).json()["items"]
    assert {each["change"] for each in rules} == {each["change"] for each in found["possible"]}
