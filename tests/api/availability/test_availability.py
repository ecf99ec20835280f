"""What can be promised, through HTTP."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.shared.access import Limits, Role
from tests.api.driving import NODE, Channel, new_number, order, problem
from tests.api.promising import LEEDS, STORE, ask, new_channel, promise, put, put_rules
from tests.worlds.access import key_of


def today() -> date:
    return datetime.now(UTC).date()


async def inbound(engine: AsyncEngine, sku: str, quantity: int, due_on: date, node: str = NODE) -> None:
    async with engine.begin() as connection:
        await connection.execute(
            text("""
            WITH head AS (
                INSERT INTO inbound (reference, kind, status, node_id, due_on, confidence, actor)
                VALUES (:reference, 'purchase_order', 'announced', :node, :due_on, 100, 'test'))
            INSERT INTO inbound_lines (reference, sku, quantity) VALUES (:reference, :sku, :quantity)
            """),
            {"reference": f"in-{new_number()}", "sku": sku, "quantity": quantity, "due_on": due_on, "node": node},
        )


class TestNow:
    async def test_by_sku_and_node(self, channel: Channel) -> None:
        sku = await channel.stocked_sku(10)
        await channel.receive(sku, 5, "wh-london")
        await channel.place(order(sku, quantity=4))
        none = await channel.stocked_sku(0)
        nothing = {"reserved_soft": 0, "damaged": 0, "quarantine": 0, "promise_safety": 0, "safety_stock": 0}
        here = {"node_id": NODE, "on_hand": 10, "reserved": 4, "available": 6, **nothing}
        there = {"node_id": "wh-london", "on_hand": 5, "reserved": 0, "available": 5, **nothing}
        rest: dict[str, Any] = {"later": [], "release_on": None, "waiting": 0, "wait_limit": None, "may_wait": None}
        assert await ask(channel.http, sku, none, sku) == [
            {"sku": sku, "available": 11, "nodes": [here, there], "level": "in_stock", **rest},
            {"sku": none, "available": 0, "nodes": [], "level": "out", **rest},
        ]
        one = await ask(channel.http, sku, node="wh-london")
        assert (one[0]["available"], one[0]["nodes"], one[0]["level"]) == (5, [there], "low")

    async def test_sums_of_many_are_the_sums_of_the_nodes(self, channel: Channel) -> None:
        sku = await channel.stocked_sku(10)
        await channel.receive(sku, 5, "wh-london")
        by_node, summed = [(await ask(channel.http, sku, detail=detail))[0] for detail in ("node", "sku")]
        assert summed == {**by_node, "nodes": []}
        assert sum(node["available"] for node in by_node["nodes"]) == summed["available"] == 15

    async def test_a_thousand_and_not_one_more(self, http: httpx.AsyncClient, channel: Channel) -> None:
        sku = await channel.stocked_sku(3)
        answer = await http.post("/v1/availability/query", json={"skus": [sku] * 1000})
        assert [item["available"] for item in answer.json()["items"]] == [3]
        problem(await http.post("/v1/availability/query", json={"skus": [sku] * 1001}), 422, "invalid-input", "skus")
        problem(await http.get("/v1/availability", params={"sku": [sku] * 1001}), 422, "invalid-input", "sku")

    async def test_a_sku_that_is_not_known(self, http: httpx.AsyncClient, channel: Channel) -> None:
        skus = [await channel.stocked_sku(0), "no such sku"]
        body = problem(await http.get("/v1/availability", params={"sku": skus}), 422, "unknown-sku", "sku[1]")
        assert body["data"] == {"skus": ["no such sku"]}
        problem(await http.post("/v1/availability/query", json={"skus": skus}), 422, "unknown-sku", "skus[1]")

    @pytest.mark.parametrize(
        ("params", "field"),
        [
            ({"country": "England"}, "country"),
            ({"postal_code": "LS1 4AP"}, "country"),
            ({"day": "2001-01-01"}, "day"),
            ({"day": "tomorrow"}, "day"),
            ({"detail": "all"}, "detail"),
        ],
    )
    async def test_what_makes_no_sense(self, channel: Channel, params: dict[str, str], field: str) -> None:
        sku = await channel.stocked_sku(1)
        answer = await channel.http.get("/v1/availability", params={"sku": sku, **params})
        problem(answer, 422, "invalid-input", field)


class TestLater:
    async def test_inbound_counts_from_its_day_less_what_orders_wait_for(
        self, channel: Channel, engine: AsyncEngine
    ) -> None:
        sku = await channel.stocked_sku(2)
        await channel.place(order(sku, quantity=5))
        day = today() + timedelta(days=3)
        await inbound(engine, sku, 10, day)
        item = (await ask(channel.http, sku, day=str(day)))[0]
        assert (item["available"], item["waiting"], item["on_day"]) == (0, 3, 7)
        assert item["later"] == [{"date": str(day), "quantity": 7}]
        assert (await ask(channel.http, sku, day=str(day - timedelta(days=1))))[0]["on_day"] == 0

    async def test_a_preorder_has_nothing_now_and_its_stock_from_the_release_on(self, channel: Channel) -> None:
        sku = await channel.stocked_sku(8)
        day = str(today() + timedelta(days=30))
        document = (await channel.http.get(f"/v1/skus/{sku}")).json()
        await channel.http.put(f"/v1/skus/{sku}", json={**document, "release_on": day, "preorder_limit": 5})
        placed = await channel.http.post("/v1/orders", json=order(sku, quantity=3))
        assert placed.json()["status"] == "backordered"
        item = (await ask(channel.http, sku, **LEEDS))[0]
        assert (item["available"], item["level"], item["earliest"]) == (0, "out", {})
        assert item["later"] == [{"date": day, "quantity": 5}]
        assert (item["release_on"], item["waiting"], item["wait_limit"], item["may_wait"]) == (day, 3, 5, 2)
        body = problem(
            await channel.http.post("/v1/orders", json=order(sku, quantity=3)),
            409,
            "not-available",
            "lines[0].quantity",
        )
        assert body["data"]["lines"][0]["may_wait"] == 2


class TestEarliest:
    async def test_it_is_what_an_order_of_one_unit_would_be_promised(self, channel: Channel) -> None:
        sku = await channel.stocked_sku(8)
        item = (await ask(channel.http, sku, **LEEDS))[0]
        plans = {each["method"]: each["promise"] for each in await promise(channel.http, (sku, 1))}
        assert item["earliest"]
        assert item["earliest"] == {method: window for method, window in plans.items() if window}

    async def test_it_is_so_wherever_the_sku_lies(self, channel: Channel) -> None:
        """The cheapest way counts, as for an order, and not the fastest."""
        sku = await channel.stocked_sku(8)
        for node in (await channel.http.get("/v1/nodes", params={"limit": 200})).json()["items"]:
            await channel.receive(sku, 8, node["id"])
        (item,) = await ask(channel.http, sku, **LEEDS)
        plans = {each["method"]: each["promise"] for each in await promise(channel.http, (sku, 1))}
        assert item["earliest"] == {method: window for method, window in plans.items() if window}

    async def test_for_many_skus_it_is_not_planned(self, channel: Channel) -> None:
        skus = [await channel.stocked_sku(0) for _ in range(51)]
        items = await ask(channel.http, *skus, **LEEDS)
        assert [item for item in items if "earliest" in item] == []

    async def test_a_node_that_does_not_ship_there_promises_nothing(self, channel: Channel) -> None:
        sku = await channel.stocked_sku(8)
        assert (await ask(channel.http, sku, country="AQ"))[0]["earliest"] == {}


class TestPromise:
    async def test_it_is_the_plan_the_order_then_gets_and_reserves_nothing(self, channel: Channel) -> None:
        first, second = await channel.stocked_sku(4), await channel.stocked_sku(4, "wh-london")
        plan = (await promise(channel.http, (first, 2), (second, 1), shipping_methods=["standard"]))[0]
        assert [item["available"] for item in await ask(channel.http, first, second)] == [4, 4]
        line = {"unit_price": 255}
        lines = [
            {"line_id": "1", "sku": first, "quantity": 2, **line},
            {"line_id": "2", "sku": second, "quantity": 1, **line},
        ]
        got = await channel.get(await channel.place(order(first, lines=lines)))
        assert plan["complete"]
        assert plan["exact"]
        assert {s["node_id"] for s in plan["shipments"]} == {f["node_id"] for f in got["fulfilments"]}
        assert plan["promise"] == got["promise"]
        assert {s["node_id"]: s["ship_by"] for s in plan["shipments"]} == {
            f["node_id"]: f["ship_by"] for f in got["fulfilments"]
        }

    async def test_every_method_by_which_goods_travel_unless_some_are_named(self, channel: Channel) -> None:
        sku = await channel.stocked_sku(4)
        assert [p["method"] for p in await promise(channel.http, (sku, 1))] == ["economy", "standard", "express"]
        named = await promise(channel.http, (sku, 1), shipping_methods=["express", "economy", "express"])
        assert [p["method"] for p in named] == ["express", "economy"]

    async def test_lines_of_one_sku_are_checked_together(self, channel: Channel, engine: AsyncEngine) -> None:
        sku = await channel.stocked_sku(5)
        await inbound(engine, sku, 1, today() + timedelta(days=2))
        await inbound(engine, sku, 9, today() + timedelta(days=5))
        plan = (await promise(channel.http, (sku, 4), (sku, 3), shipping_methods=["standard"]))[0]
        assert not plan["complete"]
        assert sum(line["quantity"] for s in plan["shipments"] for line in s["lines"]) == 5
        missing = {"line_id": "2", "sku": sku, "quantity": 2, "available_on": str(today() + timedelta(days=5))}
        assert plan["unfilled"] == [missing]

    async def test_inbound_of_a_node_that_may_not_send_it_gives_no_date(
        self, channel: Channel, engine: AsyncEngine
    ) -> None:
        sku = await channel.stocked_sku(0)
        await inbound(engine, sku, 5, today() + timedelta(days=2))
        collected = {"ship_to": None, "pickup_node": STORE}
        plan = (await promise(channel.http, (sku, 1), **collected))[0]
        assert (plan["promise"], plan["shipments"], plan["unfilled"][0]["available_on"]) == (None, [], None)
        await inbound(engine, sku, 5, today() + timedelta(days=4), STORE)
        plan = (await promise(channel.http, (sku, 1), **collected))[0]
        assert plan["unfilled"][0]["available_on"] == str(today() + timedelta(days=4))

    async def test_the_customer_may_collect(self, channel: Channel) -> None:
        sku = await channel.stocked_sku(3, STORE)
        plan = (await promise(channel.http, (sku, 2), ship_to=None, pickup_node=STORE))[0]
        assert (plan["method"], plan["complete"], plan["shipments"][0]["node_id"]) == ("pickup", True, STORE)

    async def test_the_channel_gets_no_more_than_it_may_have(self, channel: Channel) -> None:
        document = new_channel()
        await put(channel.http, document)
        sku = await channel.stocked_sku(10)
        await put_rules(channel.http, document["id"], {"sku": sku, "buffer": 8})
        plan = (await promise(channel.http, (sku, 5), channel=document["id"], shipping_methods=["standard"]))[0]
        assert plan["unfilled"][0]["quantity"] == 3

    async def test_what_makes_no_sense(self, channel: Channel) -> None:
        sku = await channel.stocked_sku(1)
        line = {"sku": sku, "quantity": 1}

        async def refused(kind: str, field: str, **changes: Any) -> None:
            basket = {"channel": "web", "ship_to": LEEDS, "lines": [line], **changes}
            problem(await channel.http.post("/v1/availability/promise", json=basket), 422, kind, field)

        await refused("invalid-input", "body", ship_to=None)
        await refused("invalid-input", "body", pickup_node=STORE)
        await refused("invalid-input", "body", shipping_methods=["pickup"])
        await refused("invalid-input", "body", ship_to=None, pickup_node=STORE, shipping_methods=["express"])
        await refused("invalid-input", "body", lines=[{**line, "line_id": "2"}, line])
        await refused("invalid-input", "lines", lines=[])
        await refused("invalid-input", "reservation_id", reservation_id="nobody's")
        await refused("unknown-sku", "lines[1].sku", lines=[line, {**line, "sku": "no such"}])
        await refused("unknown-node", "pickup_node", ship_to=None, pickup_node="nowhere")

    async def test_the_asker_s_own_reservation_does_not_stand_in_the_way(self, channel: Channel) -> None:
        sku = await channel.stocked_sku(3)
        cart = {"channel": "web", "owner": "cart", "ship_to": LEEDS, "lines": [{"sku": sku, "quantity": 3}]}
        name = (await channel.http.post("/v1/reservations", json=cart)).json()["reservation_id"]
        complete = {}
        for own in (None, name):
            plans = await promise(channel.http, (sku, 3), shipping_methods=["standard"], reservation_id=own)
            complete[own] = plans[0]["complete"]
        assert complete == {None: False, name: True}
        assert (await ask(channel.http, sku))[0]["available"] == 0
        basket = {"channel": "till", "ship_to": LEEDS, "lines": [{"sku": sku, "quantity": 1}], "reservation_id": name}
        answer = await channel.http.post("/v1/availability/promise", json=basket)
        problem(answer, 422, "invalid-input", "reservation_id")


class TestCallersOfNodes:
    """Who is limited to nodes is told of his nodes alone."""

    async def test_no_other_node_counts(self, channel: Channel, engine: AsyncEngine) -> None:
        http, mine = channel.http, await key_of(engine, Role.PLANNER, Limits.of(nodes=["wh-london"]))
        sku = await channel.stocked_sku(10)
        await channel.receive(sku, 5, "wh-london")
        await inbound(engine, sku, 7, today() + timedelta(days=3))
        for detail, nodes in (("node", ["wh-london"]), ("sku", [])):
            given = {"sku": sku, "detail": detail, **LEEDS}
            (item,) = (await http.get("/v1/availability", params=given, headers=mine)).json()["items"]
            assert [balance["node_id"] for balance in item["nodes"]] == nodes
            assert (item["available"], item["later"]) == (5, [])
            body = {"skus": [sku], "detail": detail, "ship_to": LEEDS}
            asked = await http.post("/v1/availability/query", json=body, headers=mine)
            assert asked.json()["items"] == [item]

    @pytest.mark.parametrize("field", ["node", "pickup_node"])
    async def test_no_other_node_is_named(self, channel: Channel, engine: AsyncEngine, field: str) -> None:
        http, mine = channel.http, await key_of(engine, Role.PLANNER, Limits.of(nodes=[STORE]))
        sku = await channel.stocked_sku(1)
        for node, status in ((NODE, 403), (STORE, 200)):
            got = await http.get("/v1/availability", params={"sku": sku, field: node}, headers=mine)
            posted = await http.post("/v1/availability/query", json={"skus": [sku], field: node}, headers=mine)
            assert got.status_code == posted.status_code == status
            if status == 403:
                problem(got, 403, "forbidden", field)

    async def test_nothing_is_planned_from_nodes_that_are_not_named(
        self, channel: Channel, engine: AsyncEngine
    ) -> None:
        http, mine = channel.http, await key_of(engine, Role.SUPPORT, Limits.of(nodes=[STORE]))
        sku = await channel.stocked_sku(3, STORE)
        basket = {"channel": "web", "lines": [{"sku": sku, "quantity": 1}]}
        cart = {**basket, "owner": new_number(), "seconds": 60}
        for path, body in (("availability/promise", basket), ("reservations", cart)):
            problem(await http.post(f"/v1/{path}", json={**body, "ship_to": LEEDS}, headers=mine), 403, "forbidden")
            other = {**body, "pickup_node": NODE}
            problem(await http.post(f"/v1/{path}", json=other, headers=mine), 403, "forbidden", "pickup_node")
            own = await http.post(f"/v1/{path}", json={**body, "pickup_node": STORE}, headers=mine)
            assert own.status_code < 300, own.text
        for node, status in ((NODE, 403), (STORE, 201)):
            lines = [{"sku": sku, "quantity": 1, "node_id": node}]
            till = {**cart, "owner": new_number(), "lines": lines}
            assert (await http.post("/v1/reservations", json=till, headers=mine)).status_code == status
        for path in ("changes", "stream"):
            problem(await http.get(f"/v1/availability/{path}", headers=mine), 403, "forbidden")
