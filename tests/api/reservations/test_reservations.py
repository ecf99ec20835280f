"""Carts over the API: hold, look, extend, give back, and hand the order over that takes what was held."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.api.driving import NODE, Channel, new_number, order, problem
from tests.worlds.carts import lapse

PLACE = {"country": "GB", "postal_code": "LS1 4AP"}
FAR, SHOP = "wh-london", "store-manchester"


def cart(sku: str, quantity: int = 1, **changes: Any) -> dict[str, Any]:
    """A cart of one line that goes to Leeds."""
    return {
        "channel": "web",
        "owner": f"cart-{new_number()}",
        "ship_to": PLACE,
        "lines": [{"sku": sku, "quantity": quantity}],
    } | changes


async def hold(http: httpx.AsyncClient, document: dict[str, Any], key: str | None = None) -> httpx.Response:
    return await http.post("/v1/reservations", json=document, headers={"Idempotency-Key": key} if key else {})


async def held(http: httpx.AsyncClient, document: dict[str, Any]) -> dict[str, Any]:
    answer = await hold(http, document)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def available(http: httpx.AsyncClient, sku: str) -> int:
    answer = await http.get("/v1/availability", params={"sku": sku})
    return int(answer.json()["items"][0]["available"])


class TestHold:
    async def test_units_are_held_and_promised(self, http: httpx.AsyncClient, channel: Channel) -> None:
        sku = await channel.stocked_sku(5)
        document = cart(sku, 3, seconds=60)
        answer = await hold(http, document)
        assert answer.status_code == 201, answer.text
        made = answer.json()
        assert made["units"] == [{"node_id": NODE, "sku": sku, "quantity": 3}]
        assert (made["status"], made["owner"], made["reason"]) == ("active", document["owner"], "")
        assert made["promise"]["earliest"] < made["promise"]["latest"]
        left = datetime.fromisoformat(made["expires_at"]) - datetime.now(UTC)
        assert timedelta(seconds=30) < left <= timedelta(seconds=60)
        assert answer.headers["location"] == made["links"]["self"]
        assert (await http.get(made["links"]["self"])).json() == made
        assert await available(http, sku) == 2

    async def test_the_promise_is_the_one_that_was_asked_for(self, http: httpx.AsyncClient, channel: Channel) -> None:
        sku = await channel.stocked_sku(1)
        basket = {
            "channel": "web",
            "ship_to": PLACE,
            "shipping_methods": ["express"],
            "lines": [{"sku": sku, "quantity": 1}],
        }
        promised = (await http.post("/v1/availability/promise", json=basket)).json()["items"][0]["promise"]
        assert (await held(http, cart(sku, shipping_method="express")))["promise"] == promised

    async def test_what_cannot_be_had_is_said_by_line(self, http: httpx.AsyncClient, channel: Channel) -> None:
        plenty, scarce = await channel.stocked_sku(5), await channel.stocked_sku(2)
        lines = [{"sku": plenty, "quantity": 5}, {"sku": scarce, "quantity": 3}]
        refused = problem(await hold(http, cart(plenty, lines=lines)), 409, "stock-conflict", "lines[1].quantity")
        assert refused["data"]["lines"] == [
            {"index": 0, "sku": plenty, "quantity": 5, "available": 5},
            {"index": 1, "sku": scarce, "quantity": 3, "available": 2},
        ]
        assert await available(http, plenty) == 5

    async def test_a_till_holds_at_its_own_node_without_a_place(
        self, http: httpx.AsyncClient, channel: Channel
    ) -> None:
        sku = await channel.stocked_sku(2)
        document = cart(sku, lines=[{"sku": sku, "quantity": 2, "node_id": NODE}])
        del document["ship_to"]
        assert (await held(http, document))["promise"] is None
        assert await available(http, sku) == 0

    async def test_two_shoppers_and_one_unit(self, http: httpx.AsyncClient, channel: Channel) -> None:
        sku = await channel.stocked_sku(1)
        answers = await asyncio.gather(*(hold(http, cart(sku)) for _ in range(12)))
        assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 11}

    async def test_the_same_key_is_answered_again(self, http: httpx.AsyncClient, channel: Channel) -> None:
        sku = await channel.stocked_sku(2)
        document, key = cart(sku, 2), new_number()
        answers = await asyncio.gather(*(hold(http, document, key) for _ in range(5)))
        assert Counter(answer.status_code for answer in answers) == {201: 1, 200: 4}
        assert len({answer.json()["reservation_id"] for answer in answers}) == 1
        problem(await hold(http, {**document, "seconds": 5}, key), 409, "conflict")

    async def test_an_owner_who_changes_his_cart_is_not_in_his_own_way(
        self, http: httpx.AsyncClient, channel: Channel
    ) -> None:
        sku = await channel.stocked_sku(3)
        first = await held(http, cart(sku, 2, owner="changer"))
        second = await held(http, cart(sku, 3, owner="changer"))
        assert (await http.get(first["links"]["self"])).json()["status"] == "released"
        problem(await hold(http, cart(sku, 4, owner="changer")), 409, "stock-conflict", "lines[0].quantity")
        assert (await http.get(second["links"]["self"])).json()["status"] == "active"

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"seconds": 0}, "seconds"),
            ({"seconds": 86401}, "seconds"),
            ({"owner": "order/web-1"}, "owner"),
            ({"owner": ""}, "owner"),
            ({"lines": []}, "lines"),
            ({"lines": [{"sku": "A", "quantity": 0}]}, "lines[0].quantity"),
            ({"lines": [{"sku": "A", "quantity": 1, "node_id": NODE}, {"sku": "A", "quantity": 1}]}, "body"),
            ({"ship_to": None}, "body"),
            ({"pickup_node": NODE}, "body"),
            ({"shipping_method": "pickup"}, "body"),
            ({"colour": "red"}, "colour"),
        ],
    )
    async def test_what_makes_no_sense_is_refused(
        self, http: httpx.AsyncClient, changes: dict[str, Any], field: str
    ) -> None:
        problem(await hold(http, cart("A", **changes)), 422, "invalid-input", field)

    async def test_what_is_not_known_is_named(self, http: httpx.AsyncClient, channel: Channel) -> None:
        problem(await hold(http, cart("NO SUCH SKU")), 422, "unknown-sku", "lines[0].sku")
        sku = await channel.stocked_sku(1)
        problem(await hold(http, cart(sku, ship_to=None, pickup_node="nowhere")), 422, "unknown-node", "pickup_node")
        nowhere = cart(sku, lines=[{"sku": sku, "quantity": 1, "node_id": "nowhere"}])
        problem(await hold(http, nowhere), 422, "unknown-node", "lines[0].node_id")


class TestLater:
    async def test_is_extended_until_it_ends(
        self, http: httpx.AsyncClient, channel: Channel, engine: AsyncEngine
    ) -> None:
        made = await held(http, cart(await channel.stocked_sku(1), seconds=60))
        longer = await http.post(f"{made['links']['self']}/extend", json={"seconds": 3600})
        assert longer.status_code == 200, longer.text
        assert longer.json()["expires_at"] > made["expires_at"]
        await lapse(engine, made["reservation_id"])
        assert (await http.get(made["links"]["self"])).json()["status"] == "expired"
        ended = problem(await http.post(f"{made['links']['self']}/extend", json={}), 409, "reservation-ended")
        assert ended["data"] == {"status": "expired"}

    async def test_lapsed_units_are_available_and_can_be_held_at_once(
        self, http: httpx.AsyncClient, channel: Channel, engine: AsyncEngine
    ) -> None:
        sku = await channel.stocked_sku(1)
        made = await held(http, cart(sku))
        assert await available(http, sku) == 0
        await lapse(engine, made["reservation_id"])
        assert await available(http, sku) == 1
        await held(http, cart(sku))

    async def test_is_given_back_once(self, http: httpx.AsyncClient, channel: Channel) -> None:
        sku = await channel.stocked_sku(1)
        made = await held(http, cart(sku))
        for _ in range(2):
            answer = await http.delete(made["links"]["self"])
            assert (answer.status_code, answer.json()["status"]) == (200, "released")
        assert await available(http, sku) == 1

    @pytest.mark.parametrize("soft_id", ["web-SNONE", "waiting%2Fweb-1", "%00", "é"])
    async def test_an_unknown_one_is_not_found(self, http: httpx.AsyncClient, soft_id: str) -> None:
        for answer in (
            await http.get(f"/v1/reservations/{soft_id}"),
            await http.delete(f"/v1/reservations/{soft_id}"),
            await http.post(f"/v1/reservations/{soft_id}/extend", json={}),
        ):
            assert answer.status_code in {404, 422}, answer.text


class TestOrder:
    async def test_the_last_unit_held_by_the_cart_is_ordered_by_the_cart(
        self, http: httpx.AsyncClient, channel: Channel
    ) -> None:
        sku = await channel.stocked_sku(2)
        made = await held(http, cart(sku, 2))
        placed = order(sku, 2, reservation_id=made["reservation_id"])
        order_id = await channel.place(placed)
        assert (await channel.get(order_id))["lines"][0]["allocated"] == 2
        after = (await http.get(made["links"]["self"])).json()
        assert (after["status"], after["links"]["order"]) == ("converted", f"/v1/orders/{order_id}")
        events = (await http.get(f"/v1/orders/{order_id}/timeline")).json()["events"]
        assert next(e for e in events if e["kind"] == "accepted")["data"]["reservation"] == "converted"
        assert (await http.delete(made["links"]["self"])).json()["status"] == "converted"
        ended = problem(await http.post(f"{made['links']['self']}/extend", json={}), 409, "reservation-ended")
        assert ended["data"] == {"status": "converted"}
        assert (await http.post("/v1/orders", json=placed)).status_code == 200

    async def test_another_order_waits_for_what_the_cart_holds(self, http: httpx.AsyncClient, channel: Channel) -> None:
        sku = await channel.stocked_sku(1)
        await held(http, cart(sku))
        order_id = await channel.place(order(sku, 1))
        assert (await channel.get(order_id))["status"] == "backordered"

    async def test_a_lapsed_reservation_does_not_stop_the_order(
        self, http: httpx.AsyncClient, channel: Channel, engine: AsyncEngine
    ) -> None:
        sku = await channel.stocked_sku(1)
        made = await held(http, cart(sku))
        await lapse(engine, made["reservation_id"])
        order_id = await channel.place(order(sku, 1, reservation_id=made["reservation_id"]))
        assert (await channel.get(order_id))["lines"][0]["allocated"] == 1


class TestANodeThatChanges:
    """A reservation tells what an order of it would be promised now, not what its node could do when it was made."""

    @pytest.mark.parametrize("changes", [{"active": False}, {"ships_to": ["FR"]}, {"services": []}])
    async def test_the_promise_is_what_the_other_nodes_give(
        self, http: httpx.AsyncClient, channel: Channel, changes: dict[str, Any]
    ) -> None:
        sku = await channel.stocked_sku(3)
        await channel.receive(sku, 2, FAR)
        made = await held(http, cart(sku, 3))
        assert made["units"] == [{"node_id": NODE, "sku": sku, "quantity": 3}]
        assert made["unfilled"] == []
        async with changed(http, NODE, **changes):
            found = (await http.get(made["links"]["self"])).json()
            assert found["unfilled"] == [{"index": 0, "sku": sku, "quantity": 1}]
            assert found["units"] == made["units"]
            longer = await http.post(f"{made['links']['self']}/extend", json={"seconds": 3600})
            assert longer.json()["unfilled"] == found["unfilled"]
            await channel.receive(sku, 1, FAR)
            found = (await http.get(made["links"]["self"])).json()
            assert (found["unfilled"], bool(found["promise"])) == ([], True)
        assert (await http.get(made["links"]["self"])).json()["promise"] == made["promise"]
        released = (await http.delete(made["links"]["self"])).json()
        assert (released["promise"], released["unfilled"]) == (made["promise"], [])

    async def test_nothing_is_promised_that_nobody_else_has(self, http: httpx.AsyncClient, channel: Channel) -> None:
        sku = await channel.stocked_sku(3)
        document, key = cart(sku, 2), new_number()
        made = await hold(http, document, key)
        async with changed(http, NODE, active=False):
            found = (await http.get(made.json()["links"]["self"])).json()
            assert (found["promise"], found["unfilled"]) == (None, [{"index": 0, "sku": sku, "quantity": 2}])
            again = await hold(http, document, key)
            assert (again.status_code, again.json()) == (200, found)

    async def test_the_promise_follows_the_calendar(self, http: httpx.AsyncClient, channel: Channel) -> None:
        sku = await channel.stocked_sku(1)
        made = await held(http, cart(sku))
        first = datetime.fromisoformat(made["promise"]["latest"])
        days = [(datetime.now(UTC) + timedelta(days=ahead)).strftime("%Y %b %d off") for ahead in range(-1, 8)]
        async with changed(http, NODE, opening_hours="; ".join(["Mo-Su 00:00-24:00", *days])):
            found = (await http.get(made["links"]["self"])).json()
        assert datetime.fromisoformat(found["promise"]["latest"]) > first + timedelta(days=3)
        assert found["unfilled"] == []

    async def test_a_shop_that_hands_nothing_out_any_more(self, http: httpx.AsyncClient, channel: Channel) -> None:
        sku = await channel.stocked_sku(2, SHOP)
        made = await held(http, cart(sku, ship_to=None, pickup_node=SHOP))
        async with changed(http, SHOP, pickup=False):
            found = (await http.get(made["links"]["self"])).json()
        line = {"index": 0, "sku": sku, "quantity": 1, "cannot_be_sourced": True}
        assert (found["promise"], found["unfilled"]) == (None, [line])

    async def test_a_till_whose_own_node_is_switched_off(self, http: httpx.AsyncClient, channel: Channel) -> None:
        sku = await channel.stocked_sku(2)
        made = await held(http, cart(sku, ship_to=None, lines=[{"sku": sku, "quantity": 2, "node_id": NODE}]))
        assert made["unfilled"] == []
        async with changed(http, NODE, active=False):
            found = (await http.get(made["links"]["self"])).json()
        assert (found["promise"], found["unfilled"]) == (None, [{"index": 0, "sku": sku, "quantity": 2}])


@asynccontextmanager
async def changed(http: httpx.AsyncClient, node: str, **changes: Any) -> AsyncIterator[None]:
    """A node is another one while the block runs."""
    address = f"/v1/nodes/{node}"
    document = (await http.get(address)).json()
    assert (await http.put(address, json={**document, **changes})).status_code == 200
    try:
        yield
    finally:
        assert (await http.put(address, json=document)).status_code == 200
