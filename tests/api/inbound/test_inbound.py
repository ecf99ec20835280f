"""Inbound goods through HTTP: announced, shipped, received in parts, called off, found."""

import asyncio
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.shared.access import Limits, Role
from tests.api.driving import NODE, Channel, new_number, order, problem, until
from tests.worlds.access import key_of
from tests.worlds.books import balance, rows

STORE = "wh-london"


def announcing(sku: str, quantity: int = 10, **changes: Any) -> dict[str, Any]:
    """A purchase order of one SKU."""
    lines = [{"sku": sku, "quantity": quantity}]
    return {"kind": "purchase_order", "node_id": NODE, "due_on": "2026-03-09", "lines": lines} | changes


def transfer(sku: str, quantity: int = 10, **changes: Any) -> dict[str, Any]:
    return announcing(sku, quantity, kind="transfer", origin_node=NODE, node_id=STORE) | changes


async def announce(http: httpx.AsyncClient, document: dict[str, Any]) -> str:
    """Announce it under a number of its own; answers where it stands."""
    url = f"/v1/inbound/I-{new_number()}"
    answer = await http.put(url, json=document)
    assert answer.status_code == 201, answer.text
    return url


def receipt(sku: str, quantity: int, key: str = "1", **more: Any) -> dict[str, Any]:
    return {"idempotency_key": key, "lines": [{"sku": sku, "quantity": quantity}]} | more


class TestPurchaseOrder:
    async def test_from_announcement_to_the_shelf(self, channel: Channel) -> None:
        http, sku = channel.http, await channel.stocked_sku(0)
        url = await announce(http, announcing(sku, confidence=80))
        part = {"idempotency_key": "1", "lines": [{"sku": sku, "quantity": 5, "damaged": 1, "quarantine": 2}]}
        first = (await http.post(f"{url}/receive", json=part)).json()
        assert (first["status"], first["repeated"]) == ("announced", False)
        assert first["lines"] == [
            {"sku": sku, "quantity": 10, "received": 8, "expected": 2, "missing": 0, "surplus": 0}
        ]
        again = (await http.post(f"{url}/receive", json=part)).json()
        assert again == {**first, "repeated": True}
        ended = (await http.post(f"{url}/receive", json={"idempotency_key": "2", "closed": True})).json()
        assert (ended["status"], ended["lines"][0]["missing"]) == ("received", 2)
        shown = (await http.get(url)).json()
        assert [each["idempotency_key"] for each in shown["receipts"]] == ["1", "2"]
        assert shown["receipts"][0]["lines"] == part["lines"]
        here = (await http.get("/v1/availability", params={"sku": sku})).json()["items"][0]["nodes"][0]
        assert (here["on_hand"], here["available"]) == (5, 5)

    async def test_the_same_again_and_another_content(self, channel: Channel) -> None:
        http, sku = channel.http, await channel.stocked_sku(0)
        url = await announce(http, announcing(sku))
        assert (await http.put(url, json=announcing(sku))).status_code == 200
        changed = await http.put(url, json=announcing(sku, 12, due_on="2026-03-16"))
        assert (changed.status_code, changed.json()["due_on"]) == (200, "2026-03-16")
        await http.post(f"{url}/receive", json=receipt(sku, 3))
        problem(await http.put(url, json=announcing(sku)), 409, "conflict")
        assert (await http.put(url, json=announcing(sku, 12, due_on="2026-03-16"))).json()["lines"][0]["received"] == 3

    async def test_two_receivers_with_one_key(self, channel: Channel) -> None:
        http, sku = channel.http, await channel.stocked_sku(0)
        url = await announce(http, announcing(sku))
        answers = await asyncio.gather(*(http.post(f"{url}/receive", json=receipt(sku, 4)) for _ in range(6)))
        assert sorted(answer.json()["repeated"] for answer in answers) == [False] + [True] * 5
        assert {answer.json()["lines"][0]["received"] for answer in answers} == {4}
        other = await http.post(f"{url}/receive", json=receipt(sku, 5))
        problem(other, 409, "conflict", "idempotency_key")

    async def test_called_off(self, channel: Channel) -> None:
        http, sku = channel.http, await channel.stocked_sku(0)
        url = await announce(http, announcing(sku))
        for _ in range(2):
            assert (await http.post(f"{url}/cancel")).json()["status"] == "cancelled"
        problem(await http.post(f"{url}/receive", json=receipt(sku, 4)), 409, "step-not-possible")
        problem(await http.post(f"{url}/ship"), 409, "step-not-possible")


class TestTransfer:
    async def test_from_node_to_node(self, channel: Channel, engine: AsyncEngine) -> None:
        http, sku = channel.http, await channel.stocked_sku(10)
        url = await announce(http, transfer(sku, 6))
        problem(await http.post(f"{url}/receive", json=receipt(sku, 6)), 409, "step-not-possible")
        for _ in range(2):
            assert (await http.post(f"{url}/ship", json={})).json()["status"] == "in_transit"
        assert await balance(engine, NODE, sku) == (4, 0)
        problem(await http.post(f"{url}/cancel"), 409, "step-not-possible")
        ended = (await http.post(f"{url}/receive", json=receipt(sku, 5, closed=True))).json()
        assert (ended["status"], ended["lines"][0]["missing"]) == ("received", 1)
        assert await balance(engine, STORE, sku) == (5, 0)
        reference = url.rpartition("/")[2]
        found = "SELECT kind FROM exceptions WHERE business_key = :key"
        assert await rows(engine, found, key=f"inbound/{reference}/transfer_short") == [("transfer_short",)]

    async def test_what_is_reserved_stays(self, channel: Channel, engine: AsyncEngine) -> None:
        http, sku = channel.http, await channel.stocked_sku(10)
        await channel.place(order(sku, 4))
        url = await announce(http, transfer(sku, 7))
        refused = problem(await http.post(f"{url}/ship"), 409, "stock-conflict")
        assert refused["data"] == {"short": [{"sku": sku, "quantity": 7, "free": 6}]}
        assert await balance(engine, NODE, sku) == (10, 4)

    async def test_received_back(self, channel: Channel, engine: AsyncEngine) -> None:
        http, sku = channel.http, await channel.stocked_sku(10)
        url = await announce(http, transfer(sku))
        await http.post(f"{url}/ship")
        back = await http.post(f"{url}/receive", json=receipt(sku, 10, node_id=NODE))
        assert (back.status_code, back.json()["status"]) == (200, "received")
        assert await balance(engine, NODE, sku) == (10, 0)


class TestWaitingOrders:
    async def test_what_arrives_wakes_them_and_what_cannot_be_sold_does_not(self, channel: Channel) -> None:
        http, sku = channel.http, await channel.stocked_sku(0)
        order_id = await channel.place(order(sku, 2))
        url = await announce(http, announcing(sku))
        damaged = {"idempotency_key": "1", "lines": [{"sku": sku, "damaged": 5}]}
        assert (await http.post(f"{url}/receive", json=damaged)).status_code == 200
        assert (await channel.get(order_id))["status"] == "backordered"
        await http.post(f"{url}/receive", json=receipt(sku, 2, "2"))
        await channel.until_order(order_id, "accepted")

    async def test_a_smaller_safety_stock_wakes_them(self, channel: Channel) -> None:
        http, sku = channel.http, await channel.stocked_sku(2)
        kept = {"node_id": NODE, "sku": sku, "reason": "season"}
        for units, key in ((2, "more"), (0, "less")):
            items = [{**kept, "safety_stock": units, "idempotency_key": key}]
            await http.put("/v1/inventory/safety-stocks", json={"safety_stocks": items})
            if units:
                order_id = await channel.place(order(sku, 2))
                assert (await channel.get(order_id))["status"] == "backordered"
        await channel.until_order(order_id, "accepted")


class TestRefusals:
    @pytest.mark.parametrize(
        ("changes", "kind", "field"),
        [
            ({"node_id": "nowhere"}, "unknown-node", "node_id"),
            ({"kind": "transfer"}, "invalid-input", "origin_node"),
            ({"origin_node": STORE}, "invalid-input", "origin_node"),
            ({"kind": "transfer", "origin_node": NODE}, "invalid-input", "node_id"),
            ({"confidence": 101}, "invalid-input", "confidence"),
            ({"due_on": "soon"}, "invalid-input", "due_on"),
            ({"lines": []}, "invalid-input", "lines"),
            ({"lines": [{"sku": "no such sku", "quantity": 1}]}, "unknown-sku", "lines[0].sku"),
            ({"lines": [{"sku": "A", "quantity": 0}]}, "invalid-input", "lines[0].quantity"),
            ({"lines": [{"sku": "A", "quantity": 1}] * 2}, "invalid-input", "lines[1].sku"),
        ],
    )
    async def test_of_announcements(self, channel: Channel, changes: dict[str, Any], kind: str, field: str) -> None:
        document = announcing(await channel.stocked_sku(0), **changes)
        url = f"/v1/inbound/I-{new_number()}"
        problem(await channel.http.put(url, json=document), 422, kind, field)
        problem(await channel.http.get(url), 404, "not-found")

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"lines": []}, "lines"),
            ({"lines": [{"sku": "other", "quantity": 1}]}, "lines[0].sku"),
            ({"lines": [{"sku": "other"}]}, "lines[0].sku"),
            ({"lines": [{"sku": "other", "quantity": -1}]}, "lines[0].quantity"),
            ({"closed": True, "node_id": STORE}, "node_id"),
            ({"closed": True, "occurred_at": "2999-01-01T00:00:00Z"}, "occurred_at"),
            ({"closed": True, "idempotency_key": ""}, "idempotency_key"),
        ],
    )
    async def test_of_receipts(self, channel: Channel, body: dict[str, Any], field: str) -> None:
        url = await announce(channel.http, announcing(await channel.stocked_sku(0)))
        answer = await channel.http.post(f"{url}/receive", json={"idempotency_key": "1", **body})
        problem(answer, 422, "invalid-input", field)
        assert (await channel.http.get(url)).json()["receipts"] == []

    @pytest.mark.parametrize("reference", ["%20", "caf%C3%A9", "x" * 201])
    async def test_of_references(self, channel: Channel, reference: str) -> None:
        document = announcing(await channel.stocked_sku(0))
        answer = await channel.http.put(f"/v1/inbound/{reference}", json=document)
        problem(answer, 422, "invalid-input", "reference")

    @pytest.mark.parametrize(("method", "path"), [("GET", ""), ("POST", "/ship"), ("POST", "/cancel")])
    async def test_of_what_is_not_there(self, http: httpx.AsyncClient, method: str, path: str) -> None:
        problem(await http.request(method, f"/v1/inbound/none{path}"), 404, "not-found")
        closing = {"idempotency_key": "1", "closed": True}
        problem(await http.post("/v1/inbound/none/receive", json=closing), 404, "not-found")


class TestFinding:
    async def test_in_pages(self, channel: Channel) -> None:
        http, sku = channel.http, await channel.stocked_sku(0)
        urls = [await announce(http, announcing(sku, due_on=f"2026-03-{day:02}")) for day in (11, 9, 10)]
        wanted = [urls[at].rpartition("/")[2] for at in (1, 2, 0)]
        first = (await http.get("/v1/inbound", params={"sku": sku, "limit": 2})).json()
        after = {"sku": sku, "limit": 2, "cursor": first["next_cursor"]}
        second = (await http.get("/v1/inbound", params=after)).json()
        assert [item["reference"] for item in first["items"] + second["items"]] == wanted
        assert second["next_cursor"] is None
        assert (first["items"][0]["quantity"], first["items"][0]["received"]) == (10, 0)

    async def test_filters_combine(self, channel: Channel) -> None:
        http, sku = channel.http, await channel.stocked_sku(10)
        bought, moved = await announce(http, announcing(sku)), await announce(http, transfer(sku))
        await http.post(f"{moved}/ship")

        async def found(**filters: str) -> list[str]:
            answer = await http.get("/v1/inbound", params={"sku": sku, **filters})
            return [f"/v1/inbound/{item['reference']}" for item in answer.json()["items"]]

        assert await found(node=NODE) == await found(kind="purchase_order") == await found(status="announced")
        assert await found(node=NODE) == [bought]
        assert await found(status="in_transit", kind="transfer", node=STORE) == [moved]

    @pytest.mark.parametrize("cursor", ["nonsense", "WyJ4IiwieSJd"])
    async def test_a_cursor_of_somebody_else(self, http: httpx.AsyncClient, cursor: str) -> None:
        problem(await http.get("/v1/inbound", params={"cursor": cursor}), 422, "invalid-input", "cursor")


class TestReturns:
    async def test_an_allowed_return_is_inbound_under_its_own_id(self, channel: Channel) -> None:
        http, sku = channel.http, await channel.stocked_sku(3)
        order_id = await channel.place(order(sku, 3))
        await channel.deliver(order_id)
        asked = {"order_id": order_id, "lines": [{"line_id": "1", "quantity": 2}]}
        return_id = (await http.post("/v1/returns", json=asked)).json()["return_id"]
        url = f"/v1/inbound/{return_id}"
        announced = (await http.get(url)).json()
        assert (announced["kind"], announced["status"], announced["confidence"]) == ("return", "announced", 60)
        assert [(line["sku"], line["expected"]) for line in announced["lines"]] == [(sku, 2)]
        problem(await http.post(f"{url}/receive", json=receipt(sku, 2)), 409, "step-not-possible")
        problem(await http.post(f"{url}/cancel"), 409, "step-not-possible")
        await http.post(f"/v1/returns/{return_id}/receive", json={"lines": [{"line_id": "1", "quantity": 1}]})
        part = (await http.get(url)).json()
        assert (part["status"], part["lines"][0]["received"], part["lines"][0]["expected"]) == ("announced", 1, 1)
        await http.post(f"/v1/returns/{return_id}/close")
        closed = (await http.get(url)).json()
        assert (closed["status"], closed["lines"][0]["received"], closed["lines"][0]["expected"]) == ("received", 1, 0)


class TestWhoseItIs:
    """Callers that are limited to nodes: shipping is for the node that goods leave, receiving for the node where they
    arrive, and announcing for who has both.
    """

    @staticmethod
    async def keys(engine: AsyncEngine, role: Role = Role.NODE) -> dict[str, dict[str, str]]:
        """Callers of the origin, of the destination, of both, and of another node."""
        of = {"origin": [NODE], "goal": [STORE], "both": [NODE, STORE], "other": ["dc-doncaster"]}
        return {name: await key_of(engine, role, Limits.of(nodes=nodes)) for name, nodes in of.items()}

    async def test_of_a_transfer_each_end_does_its_own_part(self, channel: Channel, engine: AsyncEngine) -> None:
        http, sku, keys = channel.http, await channel.stocked_sku(10), await self.keys(engine)
        url = await announce(http, transfer(sku, 6))
        problem(await http.post(f"{url}/ship", headers=keys["other"]), 404, "not-found")
        problem(await http.post(f"{url}/ship", headers=keys["goal"]), 403, "forbidden")
        assert await balance(engine, NODE, sku) == (10, 0)
        assert (await http.post(f"{url}/ship", headers=keys["origin"])).json()["status"] == "in_transit"

        for given in ({}, {"node_id": STORE}):
            body = receipt(sku, 2, **given)
            problem(await http.post(f"{url}/receive", json=body, headers=keys["other"]), 404, "not-found")
            problem(await http.post(f"{url}/receive", json=body, headers=keys["origin"]), 403, "forbidden", "node_id")
        back = receipt(sku, 2, node_id=NODE)
        problem(await http.post(f"{url}/receive", json=back, headers=keys["goal"]), 403, "forbidden", "node_id")
        assert (await http.post(f"{url}/receive", json=back, headers=keys["origin"])).status_code == 200
        rest = await http.post(f"{url}/receive", json=receipt(sku, 4, "2"), headers=keys["goal"])
        assert rest.json()["status"] == "received"

    async def test_a_purchase_order_is_for_the_node_where_it_arrives(
        self, channel: Channel, engine: AsyncEngine
    ) -> None:
        http, sku, keys = channel.http, await channel.stocked_sku(0), await self.keys(engine)
        url = await announce(http, announcing(sku))
        problem(await http.post(f"{url}/ship", headers=keys["goal"]), 404, "not-found")
        assert (await http.post(f"{url}/ship", headers=keys["origin"])).status_code == 200
        assert (await http.post(f"{url}/receive", json=receipt(sku, 1), headers=keys["origin"])).status_code == 200

    async def test_a_transfer_is_announced_and_called_off_by_who_has_both_ends(
        self, channel: Channel, engine: AsyncEngine
    ) -> None:
        http, sku, keys = channel.http, await channel.stocked_sku(10), await self.keys(engine, Role.PLANNER)
        url = f"/v1/inbound/I-{new_number()}"
        for name, field in (("goal", "origin_node"), ("origin", "node_id"), ("other", "node_id")):
            problem(await http.put(url, json=transfer(sku), headers=keys[name]), 403, "forbidden", field)
        assert (await http.put(url, json=transfer(sku), headers=keys["both"])).status_code == 201
        for name in ("goal", "origin"):
            problem(await http.post(f"{url}/cancel", headers=keys[name]), 403, "forbidden")
        problem(await http.post(f"{url}/cancel", headers=keys["other"]), 404, "not-found")
        assert (await http.post(f"{url}/cancel", headers=keys["both"])).json()["status"] == "cancelled"

    async def test_what_others_announced_is_not_replaced(self, channel: Channel, engine: AsyncEngine) -> None:
        http, sku, keys = channel.http, await channel.stocked_sku(10), await self.keys(engine, Role.PLANNER)
        mine = announcing(sku, node_id=STORE)
        for theirs in (announcing(sku), transfer(sku)):
            url = await announce(http, theirs)
            problem(await http.put(url, json=mine, headers=keys["goal"]), 403, "forbidden")
            assert (await http.get(url)).json()["kind"] == theirs["kind"]

    async def test_nor_where_both_announce_at_once(self, channel: Channel, engine: AsyncEngine) -> None:
        """Whose it is, is asked under the lock: the reference was free when the request came in."""
        http, sku, keys = channel.http, await channel.stocked_sku(10), await self.keys(engine, Role.PLANNER)
        reference = f"I-{new_number()}"
        fields = {"reference": reference, "node": NODE}
        async with engine.begin() as connection:
            await connection.execute(
                text(
                    "INSERT INTO inbound (reference, kind, status, node_id, due_on, confidence, actor) "
                    "VALUES (:reference, 'purchase_order', 'announced', :node, '2036-03-09', 50, 'theirs')"
                ),
                fields,
            )
            asking = asyncio.create_task(
                http.put(f"/v1/inbound/{reference}", json=announcing(sku, node_id=STORE), headers=keys["goal"])
            )
            await until(lambda: waits_for_a_lock(engine))
        problem(await asking, 403, "forbidden")
        assert (await http.get(f"/v1/inbound/{reference}")).json()["node_id"] == NODE

    async def test_returns_are_of_the_channels_of_their_orders(self, channel: Channel, engine: AsyncEngine) -> None:
        http, sku = channel.http, await channel.stocked_sku(3)
        order_id = await channel.place(order(sku, 1))
        await channel.deliver(order_id)
        asked = {"order_id": order_id, "lines": [{"line_id": "1", "quantity": 1}]}
        reference = (await http.post("/v1/returns", json=asked)).json()["return_id"]
        bought = (await announce(http, announcing(sku))).rpartition("/")[2]
        for of, seen in (("web", {reference, bought}), ("edi", {bought})):
            headers = await key_of(engine, Role.SUPPORT, Limits.of(channels=[of]))
            listed = (await http.get("/v1/inbound", params={"sku": sku}, headers=headers)).json()["items"]
            assert {each["reference"] for each in listed} == seen
            answer = await http.get(f"/v1/inbound/{reference}", headers=headers)
            assert answer.status_code == (200 if reference in seen else 404)


async def waits_for_a_lock(engine: AsyncEngine) -> bool:
    """Whether somebody waits for a transaction of another."""
    found = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    ((waiting,),) = await rows(engine, found)
    return bool(waiting)
