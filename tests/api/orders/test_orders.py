"""Orders through HTTP: captured once, found again, cancelled in time."""

import asyncio
from collections import Counter

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.shared.access import Limits, Role
from tests.api.driving import NODE, Channel, new_number, order, problem
from tests.worlds.access import key_of


class TestCapture:
    async def test_a_new_order_is_answered_with_its_promise_and_where_it_stands(self, channel: Channel) -> None:
        document = order(await channel.stocked_sku(10))
        answer = await channel.http.post("/v1/orders", json=document)
        body = answer.json()
        assert answer.status_code == 201
        assert body["order_id"] == f"web-{document['external_id']}"
        assert body["status"] == "accepted"
        assert body["promise"]["earliest"] < body["promise"]["latest"]
        assert answer.headers["location"] == body["links"]["self"] == f"/v1/orders/{body['order_id']}"
        for link in body["links"].values():
            assert (await channel.http.get(link)).status_code == 200

    async def test_the_same_order_again_is_the_same_order(self, channel: Channel) -> None:
        document = order(sku := await channel.stocked_sku(10), quantity=3)
        first = await channel.http.post("/v1/orders", json=document)
        again = await channel.http.post("/v1/orders", json=document)
        assert (first.status_code, again.status_code) == (201, 200)
        assert first.json() == again.json()
        assert await reserved(channel, sku) == 3

    async def test_a_repeat_is_answered_what_the_store_says(self, channel: Channel, engine: AsyncEngine) -> None:
        """A carrier's event changes the order in the store; its process hears of it a moment later."""
        order_id = await channel.place(document := order(await channel.stocked_sku(10)))
        change = text("UPDATE orders SET status = :status WHERE id = :id")
        async with engine.begin() as connection:
            await connection.execute(change, {"id": order_id, "status": "shipped"})
        again = await channel.http.post("/v1/orders", json=document)
        async with engine.begin() as connection:
            await connection.execute(change, {"id": order_id, "status": "accepted"})
        assert (again.status_code, again.json()["status"]) == (200, "shipped")

    async def test_the_same_order_in_other_words_is_the_same_order(self, channel: Channel) -> None:
        document = order(await channel.stocked_sku(10))
        await channel.place(document)
        reworded = {**document, "placed_at": "2026-03-02T10:26:00+01:00", "shipping_method": "standard", "tags": []}
        reworded = dict(reversed(reworded.items()))
        assert (await channel.http.post("/v1/orders", json=reworded)).status_code == 200

    async def test_other_content_under_the_same_number_is_refused_and_changes_nothing(self, channel: Channel) -> None:
        document = order(sku := await channel.stocked_sku(10))
        order_id = await channel.place(document)
        before = (await channel.get(order_id))["lines"]
        changed = {**document, "lines": [{**document["lines"][0], "quantity": 5}]}
        problem(await channel.http.post("/v1/orders", json=changed), 409, "order-conflict", "external_id")
        assert (await channel.get(order_id))["lines"] == before
        assert await reserved(channel, sku) == 2

    async def test_fifty_at_once_are_one_order(self, channel: Channel) -> None:
        document = order(sku := await channel.stocked_sku(500))
        answers = await asyncio.gather(*(channel.http.post("/v1/orders", json=document) for _ in range(50)))
        assert Counter(answer.status_code for answer in answers) == {201: 1, 200: 49}
        assert len({answer.text for answer in answers}) == 1
        assert await reserved(channel, sku) == 2
        decisions = await channel.http.get(answers[0].json()["links"]["sourcing"])
        assert len(decisions.json()["decisions"]) == 1

    async def test_of_two_contents_at_once_one_is_captured_and_the_other_refused(self, channel: Channel) -> None:
        document = order(sku := await channel.stocked_sku(500))
        other = {**document, "lines": [{**document["lines"][0], "quantity": 7}]}
        both = [document, other] * 4
        answers = await asyncio.gather(*(channel.http.post("/v1/orders", json=content) for content in both))
        assert Counter(answer.status_code for answer in answers) == {201: 1, 200: 3, 409: 4}
        assert await reserved(channel, sku) in {2, 7}

    async def test_an_ended_order_is_still_the_same_order(self, channel: Channel) -> None:
        document = order(await channel.stocked_sku(10))
        order_id = await channel.place(document)
        assert (await channel.http.post(f"/v1/orders/{order_id}/cancel", json={})).status_code == 200
        await channel.until_order(order_id, "cancelled")
        again = await channel.http.post("/v1/orders", json=document)
        assert (again.status_code, again.json()["status"]) == (200, "cancelled")
        changed = {**document, "tags": ["other"]}
        problem(await channel.http.post("/v1/orders", json=changed), 409, "order-conflict", "external_id")

    async def test_a_refused_order_names_the_field_and_may_come_again_corrected(self, channel: Channel) -> None:
        document = order("no such sku")
        body = problem(await channel.http.post("/v1/orders", json=document), 422, "unknown-sku", "lines[0].sku")
        assert body["data"] == {"sku": "no such sku", "skus": ["no such sku"]}
        order_id = f"web-{document['external_id']}"
        problem(await channel.http.get(f"/v1/orders/{order_id}"), 404, "not-found")
        document["lines"][0]["sku"] = await channel.stocked_sku(10)
        assert await channel.place(document) == order_id

    async def test_every_sku_nobody_knows_is_named_at_once(self, channel: Channel) -> None:
        known = await channel.stocked_sku(1)
        lines = [
            {"line_id": str(number), "sku": sku, "quantity": 1, "unit_price": 255}
            for number, sku in enumerate(("ghost", known, "spook", "ghost"))
        ]
        answer = await channel.http.post("/v1/orders", json=order(known, lines=lines))
        body = problem(answer, 422, "unknown-sku", "lines[0].sku")
        assert [(each["field"], each["detail"]) for each in body["errors"]] == [
            ("lines[0].sku", "there is no SKU ghost"),
            ("lines[2].sku", "there is no SKU spook"),
            ("lines[3].sku", "there is no SKU ghost"),
        ]
        assert body["data"] == {"sku": "ghost", "skus": ["ghost", "spook"]}

    @pytest.mark.parametrize(
        "number", ["4111111111111111", "4111 1111 1111 1111", "pay-5555-5555-5555-4444", "6011000990139424"]
    )
    async def test_a_card_number_is_not_kept(self, channel: Channel, number: str) -> None:
        payment = {"method": "card", "amount": 510, "reference": number}
        document = order(await channel.stocked_sku(1), payment=payment)
        answer = await channel.http.post("/v1/orders", json=document)
        body = problem(answer, 422, "invalid-input", "payment.reference")
        assert number not in answer.text
        assert "card number" in body["detail"]

    @pytest.mark.parametrize("reference", ["4111111111111112", "pi_3MtwBwLkdIwHu7ix28a3tqPa", "123456789012", "0" * 16])
    async def test_other_references_are_kept(self, channel: Channel, reference: str) -> None:
        payment = {"method": "card", "amount": 510, "reference": reference}
        order_id = await channel.place(order(await channel.stocked_sku(2), payment=payment))
        assert (await channel.get(order_id))["payment"]["reference"] == reference

    async def test_without_stock_the_order_is_taken_and_waits(self, channel: Channel) -> None:
        sku = await channel.stocked_sku(0)
        answer = await channel.http.post("/v1/orders", json=order(sku))
        assert (answer.status_code, answer.json()["status"], answer.json()["promise"]) == (201, "backordered", None)
        await channel.receive(sku, 5)
        found = await channel.until_order(answer.json()["order_id"], "accepted")
        assert found["lines"][0]["allocated"] == 2


class TestReading:
    async def test_every_unit_is_somewhere(self, channel: Channel) -> None:
        order_id = await channel.place(order(await channel.stocked_sku(3), quantity=5))
        await channel.http.post(f"/v1/orders/{order_id}/cancel", json={"lines": [{"line_id": "1", "quantity": 1}]})
        line = (await channel.get(order_id))["lines"][0]
        assert line["ordered"] == 5
        assert line["ordered"] == sum(line[name] for name in ("cancelled", "backordered", "allocated", "delivered"))
        assert (line["cancelled"], line["allocated"] + line["backordered"]) == (1, 4)

    async def test_a_delivered_order_shows_its_whole_way(self, channel: Channel) -> None:
        order_id = await channel.place(order(await channel.stocked_sku(5)))
        found = await channel.deliver(order_id)
        fulfilment = found["fulfilments"][0]
        shipment = fulfilment["shipments"][0]
        assert (fulfilment["status"], shipment["status"]) == ("delivered", "delivered")
        assert shipment["tracking_number"]
        assert [event["kind"] for event in shipment["events"]] == ["delivered"]
        assert found["lines"][0]["delivered"] == 2
        assert found["finished_at"] == "2026-03-04T11:02:00Z"
        assert {message["kind"] for message in found["messages"]} >= {"order_confirmed", "shipped", "delivered"}
        assert found["exceptions"] == found["returns"] == found["refunds"] == []

    async def test_the_timeline_tells_who_did_what_when(self, channel: Channel) -> None:
        order_id = await channel.place(order(await channel.stocked_sku(5)))
        await channel.deliver(order_id)
        events = (await channel.http.get(f"/v1/orders/{order_id}/timeline")).json()["events"]
        assert events[0]["kind"] == "accepted"
        assert [event["id"] for event in events] == sorted(event["id"] for event in events)
        assert all(event["actor"] and event["occurred_at"].endswith("Z") for event in events)

    async def test_sourcing_explains_itself(self, channel: Channel) -> None:
        order_id = await channel.place(order(await channel.stocked_sku(5)))
        decision = (await channel.http.get(f"/v1/orders/{order_id}/sourcing")).json()["decisions"][0]["decision"]
        chosen = {shipment["node_id"] for shipment in decision["shipments"]}
        assert chosen == {"dc-daventry"}
        assert decision["reasons"]
        published = (await channel.http.get("/v1/ofl/policies", params={"limit": 1})).json()["items"]
        assert decision["policy_version"] == published[0]["version"]
        refused = [c for c in decision["candidates"] if c["node_id"] not in chosen]
        assert all(any(not fence["passed"] for fence in candidate["fences"]) for candidate in refused)

    @pytest.mark.parametrize("path", ["", "/timeline", "/sourcing"])
    async def test_an_order_that_is_not_there(self, http: httpx.AsyncClient, path: str) -> None:
        problem(await http.get(f"/v1/orders/web-none{path}"), 404, "not-found")


class TestFinding:
    async def test_filters_combine(self, channel: Channel) -> None:
        sku, other = await channel.stocked_sku(50), await channel.stocked_sku(50)
        mine = await channel.place(order(sku, tags=["Zebra"]))
        theirs = await channel.place(order(sku, channel="store", external_id=new_number()))
        await channel.place(order(other))
        cancelled = await channel.place(order(sku))
        await channel.http.post(f"/v1/orders/{cancelled}/cancel", json={})
        await channel.until_order(cancelled, "cancelled")
        assert await ids(channel, sku=sku) == [cancelled, theirs, mine]
        assert await ids(channel, sku=sku, channel="store") == [theirs]
        assert await ids(channel, sku=sku, status="cancelled") == [cancelled]
        assert await ids(channel, customer=f"C-{sku}", channel="web", status="accepted") == [mine]
        assert await ids(channel, customer="nobody") == []

    @pytest.mark.parametrize("typed", ["zebra", "ZEBRA", "Byrne", "ada@customer", "LS1 4AP", "leeds"])
    async def test_people_find_by_what_they_know(self, channel: Channel, typed: str) -> None:
        sku = await channel.stocked_sku(50)
        order_id = await channel.place(order(sku, tags=["Zebra"]))
        assert await ids(channel, sku=sku, q=typed) == [order_id]

    @pytest.mark.parametrize("typed", ["%", "_eeds", "no such thing", "\\"])
    async def test_what_is_typed_is_text_and_no_pattern(self, channel: Channel, typed: str) -> None:
        sku = await channel.stocked_sku(50)
        await channel.place(order(sku))
        assert await ids(channel, sku=sku, q=typed) == []

    async def test_pages_hold_every_order_once_although_more_come_in(self, channel: Channel) -> None:
        sku = await channel.stocked_sku(50)
        placed = [await channel.place(order(sku)) for _ in range(5)]
        seen: list[str] = []
        cursor: dict[str, str] = {}
        while True:
            page = (await channel.http.get("/v1/orders", params={"sku": sku, "limit": 2, **cursor})).json()
            seen += [item["order_id"] for item in page["items"]]
            assert len(page["items"]) <= 2
            if page["next_cursor"] is None:
                break
            cursor = {"cursor": page["next_cursor"]}
            await channel.place(order(sku))
        assert seen == placed[::-1]

    @pytest.mark.parametrize("cursor", ["x", "bm8", "WyJ4Il0", "WyJ4IiwieSJd", "WyIyMDI2LTAxLTAxIiwieSJd", "%00"])
    async def test_a_cursor_that_is_not_ours(self, http: httpx.AsyncClient, cursor: str) -> None:
        problem(await http.get(f"/v1/orders?cursor={cursor}"), 422, "invalid-input", "cursor")

    @pytest.mark.parametrize(
        ("query", "field"), [("limit=0", "limit"), ("limit=201", "limit"), ("status=lost", "status[0]"), ("q=", "q")]
    )
    async def test_a_filter_that_cannot_be(self, http: httpx.AsyncClient, query: str, field: str) -> None:
        problem(await http.get(f"/v1/orders?{query}"), 422, "invalid-input", field)

    async def test_text_that_cannot_be_kept_is_refused(self, http: httpx.AsyncClient) -> None:
        assert (await http.get("/v1/orders?q=%00")).status_code == 422


class TestCancel:
    async def test_the_stock_is_free_again(self, channel: Channel) -> None:
        order_id = await channel.place(order(sku := await channel.stocked_sku(10)))
        answer = await channel.http.post(f"/v1/orders/{order_id}/cancel", json={"reason": "too late"})
        assert answer.json() == {
            "order_id": order_id,
            "status": "cancelled",
            "cancelled": {"1": 2},
            "lines": [{"line_id": "1", "asked": 2, "cancelled": 2, "left": []}],
        }
        assert await reserved(channel, sku) == 0

    async def test_the_same_key_is_answered_again_even_after_the_order_ended(self, channel: Channel) -> None:
        order_id = await channel.place(order(await channel.stocked_sku(10)))
        url, key = f"/v1/orders/{order_id}/cancel", {"Idempotency-Key": "k-1"}
        first = await channel.http.post(url, json={}, headers=key)
        await channel.until_order(order_id, "cancelled")
        again = await channel.http.post(url, json={}, headers=key)
        assert (first.status_code, again.status_code) == (200, 200)
        assert first.json() == again.json()
        other = await channel.http.post(url, json={}, headers={"Idempotency-Key": "k-2"})
        assert (other.status_code, other.json()["type"]) == (409, "/problems/cannot-cancel")

    async def test_with_a_key_units_are_cancelled_once_and_without_one_each_time(self, channel: Channel) -> None:
        order_id = await channel.place(order(await channel.stocked_sku(10), quantity=5))
        url, one = f"/v1/orders/{order_id}/cancel", {"lines": [{"line_id": "1", "quantity": 1}]}
        for _ in range(3):
            await channel.http.post(url, json=one, headers={"Idempotency-Key": "once"})
        assert (await channel.get(order_id))["lines"][0]["cancelled"] == 1
        for _ in range(2):
            await channel.http.post(url, json=one)
        assert (await channel.get(order_id))["lines"][0]["cancelled"] == 3

    async def test_more_than_there_is_cancels_nothing(self, channel: Channel) -> None:
        order_id = await channel.place(order(await channel.stocked_sku(10)))
        too_many = {"lines": [{"line_id": "1", "quantity": 3}]}
        body = problem(
            await channel.http.post(f"/v1/orders/{order_id}/cancel", json=too_many), 409, "cannot-cancel", "lines"
        )
        assert body["data"]["cancellable"] == {"1": 2}
        assert (await channel.get(order_id))["lines"][0]["cancelled"] == 0

    async def test_what_is_possible_is_cancelled_and_the_rest_has_a_reason(self, channel: Channel) -> None:
        order_id = await channel.place(order(await channel.stocked_sku(10), quantity=3))
        url, key = f"/v1/orders/{order_id}/cancel", {"Idempotency-Key": "k-possible"}
        asked = {"mode": "possible", "lines": [{"line_id": "1", "quantity": 5}]}
        first = await channel.http.post(url, json=asked, headers=key)
        nowhere = {"fulfilment_id": None, "request_id": None, "answer_by": None}
        left = [{"quantity": 2, "reason": "not_ordered", **nowhere}]
        assert first.json() == {
            "order_id": order_id,
            "status": "cancelled",
            "cancelled": {"1": 3},
            "lines": [{"line_id": "1", "asked": 5, "cancelled": 3, "left": left}],
        }
        await channel.until_order(order_id, "cancelled")
        assert (await channel.http.post(url, json=asked, headers=key)).json() == first.json()
        problem(await channel.http.post(url, json={}, headers=key), 409, "conflict", "Idempotency-Key")
        assert (await channel.http.post(url, json=asked)).json()["type"] == "/problems/cannot-cancel"

    async def test_a_line_of_which_nothing_is_left_is_refused_and_others_are_not(self, channel: Channel) -> None:
        sku = await channel.stocked_sku(10)
        lines = [{"line_id": each, "sku": sku, "quantity": 2, "unit_price": 255} for each in ("1", "2")]
        order_id = await channel.place(order(sku, lines=lines))
        url, first = f"/v1/orders/{order_id}/cancel", {"line_id": "1"}
        assert (await channel.http.post(url, json={"lines": [first]})).json()["cancelled"] == {"1": 2}
        body = problem(await channel.http.post(url, json={"lines": [first]}), 409, "cannot-cancel", "lines")
        left = [{"quantity": 2, "reason": "cancelled_already"}]
        assert (body["detail"], body["data"]) == (
            "every unit asked for is cancelled already",
            {"cancellable": {"2": 2}, "lines": [{"line_id": "1", "asked": 2, "left": left}]},
        )
        both = await channel.http.post(url, json={"lines": [first, {"line_id": "2", "quantity": 1}]})
        assert both.json()["cancelled"] == {"2": 1}

    async def test_what_is_delivered_cannot_be_cancelled(self, channel: Channel) -> None:
        order_id = await channel.place(order(await channel.stocked_sku(10)))
        await channel.deliver(order_id)
        refused = (await channel.http.post(f"/v1/orders/{order_id}/cancel", json={})).json()
        assert (refused["status"], refused["type"]) == (409, "/problems/cannot-cancel")

    async def test_an_order_that_is_not_there(self, channel: Channel) -> None:
        problem(await channel.http.post("/v1/orders/web-none/cancel", json={}), 404, "not-found")

    async def test_not_in_the_future(self, channel: Channel) -> None:
        order_id = await channel.place(order(await channel.stocked_sku(10)))
        later = {"occurred_at": "2999-01-01T00:00:00Z"}
        answer = await channel.http.post(f"/v1/orders/{order_id}/cancel", json=later)
        problem(answer, 422, "invalid-input", "occurred_at")


async def reserved(channel: Channel, sku: str) -> int:
    answer = await channel.http.get("/v1/availability", params={"sku": sku})
    return sum(node["reserved"] for node in answer.json()["items"][0]["nodes"])


async def ids(asking: Channel, /, **filters: str) -> list[str]:
    answer = await asking.http.get("/v1/orders", params=filters)
    assert answer.status_code == 200, answer.text
    return [item["order_id"] for item in answer.json()["items"]]


class TestOfWhoIsLimitedToNodes:
    async def test_hands_over_only_what_is_collected_at_them(self, channel: Channel, engine: AsyncEngine) -> None:
        mine = await key_of(engine, Role.SUPPORT, Limits.of(nodes=[NODE]))
        document = order(await channel.stocked_sku(10))
        problem(await channel.http.post("/v1/orders", json=document, headers=mine), 403, "forbidden")
        elsewhere = document | {"shipping_method": "pickup", "pickup_node": "st-york"}
        problem(await channel.http.post("/v1/orders", json=elsewhere, headers=mine), 403, "forbidden", "pickup_node")

    async def test_cancels_no_work_of_other_nodes(self, channel: Channel, engine: AsyncEngine) -> None:
        mine = await key_of(engine, Role.SUPPORT, Limits.of(nodes=[NODE]))
        skus = [await channel.stocked_sku(5), await channel.stocked_sku(5, "dc-doncaster")]
        lines = [{"line_id": str(n), "sku": sku, "quantity": 2, "unit_price": 1} for n, sku in enumerate(skus, 1)]
        order_id = await channel.place(order(skus[0], lines=lines))
        url = f"/v1/orders/{order_id}/cancel"
        for asked in ({}, {"lines": [{"line_id": "2", "quantity": 1}]}):
            problem(await channel.http.post(url, json=asked, headers=mine), 403, "forbidden")
        own = await channel.http.post(url, json={"lines": [{"line_id": "1"}]}, headers=mine)
        assert own.json()["cancelled"] == {"1": 2}
        assert (await channel.http.post(url, json={})).json()["cancelled"] == {"2": 2}
