"""Returns through HTTP: asked for, received, inspected, refunded."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.shared.access import Limits, Role
from tests.api.driving import NODE, Channel, new_number, order, problem
from tests.worlds.access import key_of


async def delivered(channel: Channel, quantity: int = 3) -> tuple[str, str]:
    """A delivered order and its SKU."""
    sku = await channel.stocked_sku(quantity)
    order_id = await channel.place(order(sku, quantity))
    await channel.deliver(order_id)
    return order_id, sku


def asking(order_id: str, quantity: int = 2, **more: Any) -> dict[str, Any]:
    return {"order_id": order_id, "lines": [{"line_id": "1", "quantity": quantity}], **more}


def key() -> dict[str, str]:
    return {"Idempotency-Key": new_number()}


class TestReturn:
    async def test_from_permission_to_refund(self, channel: Channel) -> None:
        order_id, sku = await delivered(channel)
        opened = await channel.http.post("/v1/returns", json=asking(order_id, reason="arrived broken"))
        assert opened.status_code == 201
        body = opened.json()
        assert (body["status"], body["node_id"]) == ("requested", "dc-daventry")
        url = opened.headers["location"]
        assert url == body["links"]["self"]
        received = await channel.http.post(f"{url}/receive")
        assert received.json()["status"] == "received"
        found = [
            {"line_id": "1", "quantity": 1, "disposition": "restock"},
            {"line_id": "1", "quantity": 1, "disposition": "scrap"},
        ]
        inspected = await channel.http.post(f"{url}/inspect", json={"lines": found})
        assert (inspected.json()["status"], inspected.json()["refund"]) == ("refunded", 510)
        shown = (await channel.http.get(url)).json()
        assert shown["lines"] == [
            {
                "line_id": "1",
                "sku": sku,
                "quantity": 2,
                "received": 2,
                "released": 0,
                "dispositions": {"restock": 1, "scrap": 1},
            }
        ]
        assert (shown["refund"]["amount"], shown["refund"]["currency"]) == (510, "GBP")
        stock = (await channel.http.get("/v1/availability", params={"sku": sku})).json()["items"][0]
        assert stock["available"] == 1
        told = await channel.get(order_id)
        assert (told["returns"][0]["id"], told["refunds"][0]["amount"]) == (body["return_id"], 510)
        assert told["lines"][0]["returned"] == 2

    async def test_the_same_key_is_the_same_return(self, channel: Channel) -> None:
        order_id, _ = await delivered(channel)
        header = key()
        answers = await asyncio.gather(
            *(channel.http.post("/v1/returns", json=asking(order_id), headers=header) for _ in range(5))
        )
        assert sorted(answer.status_code for answer in answers) == [200] * 4 + [201]
        assert len({answer.text for answer in answers}) == 1

    async def test_no_unit_comes_back_twice(self, channel: Channel) -> None:
        order_id, _ = await delivered(channel, 3)
        answers = await asyncio.gather(*(channel.http.post("/v1/returns", json=asking(order_id)) for _ in range(3)))
        assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
        refused = next(answer for answer in answers if answer.status_code == 409)
        assert refused.json()["type"] == "/problems/nothing-to-return"

    async def test_what_was_not_delivered_cannot_come_back(self, channel: Channel) -> None:
        order_id = await channel.place(order(await channel.stocked_sku(5)))
        answer = await channel.http.post("/v1/returns", json=asking(order_id))
        assert (answer.status_code, answer.json()["type"]) == (409, "/problems/nothing-to-return")

    async def test_of_an_order_that_is_not_there(self, channel: Channel) -> None:
        answer = await channel.http.post("/v1/returns", json=asking("web-none"))
        assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")

    async def test_goes_to_no_node_that_is_not_there_or_not_the_callers(
        self, channel: Channel, engine: AsyncEngine
    ) -> None:
        http = channel.http
        order_id, _ = await delivered(channel)
        mine = await key_of(engine, Role.SUPPORT, Limits.of(nodes=[NODE]))
        asked = {"order_id": order_id, "lines": [{"line_id": "1", "quantity": 1}]}
        for node, status, kind in (("nowhere", 422, "unknown-node"), ("dc-doncaster", 403, "forbidden")):
            answer = await http.post(
                "/v1/returns", json={**asked, "node_id": node}, headers=mine if status == 403 else {}
            )
            problem(answer, status, kind, "node_id")
        own = await http.post("/v1/returns", json={**asked, "node_id": NODE}, headers=mine)
        assert (own.status_code, own.json()["node_id"]) == (201, NODE)

    async def test_goes_without_a_word_to_no_node_that_is_not_the_callers(
        self, channel: Channel, engine: AsyncEngine
    ) -> None:
        skus = [await channel.stocked_sku(1), await channel.stocked_sku(1, "dc-doncaster")]
        lines = [{"line_id": str(n), "sku": code, "quantity": 1, "unit_price": 255} for n, code in enumerate(skus, 1)]
        order_id = await channel.place(order(skus[0], lines=lines))
        for work in (await channel.get(order_id))["fulfilments"]:
            assert (await channel.step(work["id"], "pack")).status_code == 200
            item = await channel.until_work(work["id"], "booked")
            assert (await channel.step(work["id"], "hand-over")).status_code == 200
            await channel.scan(item, "delivered")
        await channel.until_order(order_id, "delivered")
        mine = await key_of(engine, Role.SUPPORT, Limits.of(nodes=[NODE]))
        own, foreign = [
            await channel.http.post(
                "/v1/returns",
                json={"order_id": order_id, "lines": [{"line_id": line_id, "quantity": 1}]},
                headers=mine,
            )
            for line_id in "12"
        ]
        assert (own.status_code, own.json()["node_id"]) == (201, NODE)
        problem(foreign, 403, "forbidden", "node_id")

    async def test_under_one_key_of_two_orders_are_two(self, channel: Channel) -> None:
        header, opened = key(), []
        for _ in range(2):
            order_id, _ = await delivered(channel)
            answer = await channel.http.post("/v1/returns", json=asking(order_id), headers=header)
            assert (answer.status_code, answer.json()["order_id"]) == (201, order_id)
            opened.append(answer.json()["return_id"])
        assert len(set(opened)) == 2

    async def test_takes_one_key_at_each_of_its_addresses(self, channel: Channel) -> None:
        order_id, _ = await delivered(channel)
        header = key()
        opened = await channel.http.post("/v1/returns", json=asking(order_id), headers=header)
        url = opened.headers["location"]
        found = {"lines": [{"line_id": "1", "quantity": 2, "disposition": "restock"}]}
        for step, body, status in (("receive", None, "received"), ("inspect", found, "refunded")):
            for _ in range(2):
                answer = await channel.http.post(f"{url}/{step}", json=body, headers=header)
                assert (answer.status_code, answer.json()["status"]) == (200, status)

    async def test_not_before_it_arrived(self, channel: Channel) -> None:
        order_id, _ = await delivered(channel)
        opened = (await channel.http.post("/v1/returns", json=asking(order_id))).json()
        found = {"lines": [{"line_id": "1", "quantity": 2, "disposition": "restock"}]}
        answer = await channel.http.post(f"{opened['links']['self']}/inspect", json=found)
        assert (answer.status_code, answer.json()["type"]) == (409, "/problems/step-not-possible")

    async def test_a_refund_is_recorded_once_however_often_it_is_asked(self, channel: Channel) -> None:
        order_id, _ = await delivered(channel)
        url = (await channel.http.post("/v1/returns", json=asking(order_id))).json()["links"]["self"]
        await channel.http.post(f"{url}/receive")
        found = {"lines": [{"line_id": "1", "quantity": 2, "disposition": "restock"}]}
        header = key()
        answers = [await channel.http.post(f"{url}/inspect", json=found, headers=header) for _ in range(3)]
        assert [answer.json()["refund"] for answer in answers] == [510] * 3
        assert len((await channel.get(order_id))["refunds"]) == 1


class TestCancelled:
    async def test_the_rest_is_free_and_what_came_is_refunded(self, channel: Channel) -> None:
        order_id, _ = await delivered(channel)
        opened = (await channel.http.post("/v1/returns", json=asking(order_id, 3))).json()
        url, header = opened["links"]["self"], key()
        shown = (await channel.http.get(url)).json()
        asked, expires = (datetime.fromisoformat(shown[name]) for name in ("requested_at", "expires_at"))
        assert timedelta(days=29) < expires - asked < timedelta(days=31)
        receipt = {"lines": [{"line_id": "1", "quantity": 1}]}
        for _ in range(2):
            await channel.http.post(f"{url}/receive", json=receipt, headers=header)
        for _ in range(2):
            answer = await channel.http.post(f"{url}/cancel", json={"reason": "keeps two"})
            assert (answer.status_code, answer.json()["status"]) == (200, "received")
        another = await channel.http.post("/v1/returns", json=asking(order_id, 2))
        assert another.status_code == 201
        problem(await channel.http.post(f"{url}/receive", json=receipt), 409, "step-not-possible")
        found = {"lines": [{"line_id": "1", "quantity": 1, "disposition": "scrap"}]}
        assert (await channel.http.post(f"{url}/inspect", json=found)).json()["status"] == "refunded"
        line = (await channel.http.get(url)).json()["lines"][0]
        assert (line["quantity"], line["received"], line["released"]) == (3, 1, 2)
        assert (await channel.get(order_id))["exceptions"][0]["kind"] == "return_arrived_late"

    async def test_what_was_answered_stays_answered_after_the_end(self, channel: Channel) -> None:
        order_id, _ = await delivered(channel)
        url = (await channel.http.post("/v1/returns", json=asking(order_id))).json()["links"]["self"]
        header = key()
        first = await channel.http.post(f"{url}/cancel", headers=header)
        assert first.json()["status"] == "cancelled"
        assert (await channel.http.post(f"{url}/cancel", headers=header)).json() == first.json()
        assert (await channel.http.post(f"{url}/cancel")).json()["status"] == "cancelled"
        other = await channel.http.post(f"{url}/cancel", headers=header, json={"reason": "another"})
        problem(other, 409, "conflict", "Idempotency-Key")
        problem(await channel.http.post(f"{url}/close"), 409, "step-not-possible")


class TestFinding:
    async def test_by_order_and_status_in_pages(self, channel: Channel) -> None:
        order_id, _ = await delivered(channel, 3)
        opened = [
            (await channel.http.post("/v1/returns", json=asking(order_id, 1))).json()["return_id"] for _ in range(3)
        ]
        await channel.http.post(f"/v1/returns/{opened[0]}/receive")
        assert await ids(channel, order_id=order_id, status="received") == [opened[0]]
        assert await ids(channel, order_id=order_id) == opened[::-1]
        first = (await channel.http.get("/v1/returns", params={"order_id": order_id, "limit": 2})).json()
        cursor = first["next_cursor"]
        second = await channel.http.get("/v1/returns", params={"order_id": order_id, "limit": 2, "cursor": cursor})
        assert [r["id"] for r in first["items"] + second.json()["items"]] == opened[::-1]
        assert second.json()["next_cursor"] is None

    @pytest.mark.parametrize(
        ("method", "path"), [("GET", ""), ("POST", "/receive"), ("POST", "/cancel"), ("POST", "/close")]
    )
    async def test_a_return_that_is_not_there(self, channel: Channel, method: str, path: str) -> None:
        problem(await channel.http.request(method, f"/v1/returns/web-1-RNONE{path}"), 404, "not-found")


async def ids(asking_: Channel, /, **filters: str) -> list[str]:
    answer: httpx.Response = await asking_.http.get("/v1/returns", params=filters)
    return [item["id"] for item in answer.json()["items"]]
