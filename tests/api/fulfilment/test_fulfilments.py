"""Nodes through HTTP: what there is to do, and what was done."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.api.driving import Channel, new_number, order, problem
from tests.worlds.access import OPERATOR
from tests.worlds.books import rows

STEPS = ("accept", "reject", "pick", "pack", "hand-over", "collect")


class TestSteps:
    async def test_from_the_work_list_to_the_hand_over(self, channel: Channel) -> None:
        order_id = await channel.place(order(await channel.stocked_sku(10)))
        fulfilment_id = f"{order_id}-F1"
        for step, status in (
            ("accept", "accepted"),
            ("pick", "picked"),
            ("pack", "booked"),
            ("hand-over", "handed_over"),
        ):
            answer = await channel.step(fulfilment_id, step)
            assert answer.status_code == 200
            assert answer.json() == {
                "fulfilment_id": fulfilment_id,
                "step": step,
                "status": "taken",
                "fulfilment_status": "packed" if step == "pack" else status,
                "missing": {},
            }
            await channel.until_work(fulfilment_id, status)
        assert (await channel.get(order_id))["status"] == "shipped"

    async def test_a_repeat_is_harmless_and_said_to_be_one(self, channel: Channel) -> None:
        order_id = await channel.place(order(await channel.stocked_sku(10)))
        fulfilment_id = f"{order_id}-F1"
        await channel.step(fulfilment_id, "pick")
        await channel.until_work(fulfilment_id, "picked")
        for step in ("accept", "pick"):
            answer = await channel.step(fulfilment_id, step)
            assert (answer.status_code, answer.json()["status"]) == (200, "repeated")
        events = (await channel.http.get(f"/v1/orders/{order_id}/timeline")).json()["events"]
        assert len([event for event in events if event["data"].get("status") == "picked"]) <= 1

    async def test_a_burst_of_the_same_report_counts_once(self, channel: Channel) -> None:
        order_id = await channel.place(order(await channel.stocked_sku(10)))
        answers = await asyncio.gather(*(channel.step(f"{order_id}-F1", "pick") for _ in range(10)))
        assert {answer.status_code for answer in answers} == {200}
        await channel.until_work(f"{order_id}-F1", "picked")
        events = (await channel.http.get(f"/v1/orders/{order_id}/timeline")).json()["events"]
        assert len(events) == 2

    @pytest.mark.parametrize("step", ["hand-over", "collect"])
    async def test_too_early(self, channel: Channel, step: str) -> None:
        order_id = await channel.place(order(await channel.stocked_sku(10)))
        problem(await channel.step(f"{order_id}-F1", step), 409, "step-not-possible")
        assert (await channel.get(order_id))["fulfilments"][0]["status"] == "released"

    async def test_too_late(self, channel: Channel) -> None:
        order_id = await channel.place(order(await channel.stocked_sku(10)))
        await channel.deliver(order_id)
        problem(await channel.step(f"{order_id}-F1", "reject"), 409, "step-not-possible")
        assert (await channel.step(f"{order_id}-F1", "hand-over")).json()["status"] == "repeated"

    @pytest.mark.parametrize("step", STEPS)
    async def test_of_nothing(self, http: httpx.AsyncClient, step: str) -> None:
        problem(await http.post(f"/v1/fulfilments/web-none-F1/{step}"), 404, "not-found")

    async def test_a_step_that_is_none(self, http: httpx.AsyncClient) -> None:
        problem(await http.post("/v1/fulfilments/web-none-F1/juggle"), 404, "not-found")

    async def test_a_rejected_order_goes_to_another_node(self, channel: Channel) -> None:
        sku = await channel.stocked_sku(10)
        order_id = await channel.place(order(sku))
        await channel.receive(sku, 10, "wh-london")
        assert (await channel.step(f"{order_id}-F1", "reject", reason="found broken")).status_code == 200
        item = await channel.until_work(f"{order_id}-F2", "released")
        assert item["node_id"] == "wh-london"
        assert (await channel.get(order_id))["fulfilments"][0]["reason"] == "found broken"

    @pytest.mark.parametrize(("reason", "on_hand", "damaged"), [("not_found", 7, 0), ("damaged", 7, 3)])
    async def test_what_is_wrong_with_the_goods_is_booked(
        self, channel: Channel, engine: AsyncEngine, reason: str, on_hand: int, damaged: int
    ) -> None:
        sku = await channel.stocked_sku(10)
        order_id = await channel.place(order(sku, quantity=5))
        lines = [{"line_id": "1", "quantity": 2}]
        answer = await channel.step(f"{order_id}-F1", "reject", reason_code=reason, lines=lines)
        assert answer.json()["missing"] == {"1": 3}
        balance = "SELECT on_hand, damaged FROM stock WHERE sku = :sku"
        assert await rows(engine, balance, sku=sku) == [(on_hand, damaged)]
        (event,) = [
            each
            for each in (await channel.http.get(f"/v1/orders/{order_id}/timeline")).json()["events"]
            if each["kind"] == "fulfilment_rejected"
        ]
        assert (event["data"]["reason_code"], event["data"]["missing"]) == (reason, {"1": 3})

    @pytest.mark.parametrize(("step", "reason"), [("accept", "other"), ("pick", "closed"), ("pick", "damaged")])
    async def test_a_reason_that_fits_nothing(self, channel: Channel, step: str, reason: str) -> None:
        order_id = await channel.place(order(await channel.stocked_sku(10)))
        problem(await channel.step(f"{order_id}-F1", step, reason_code=reason), 422, "invalid-input", "reason_code")

    async def test_a_short_pick_sources_the_rest_anew(self, channel: Channel) -> None:
        sku = await channel.stocked_sku(10)
        order_id = await channel.place(order(sku, quantity=5))
        await channel.receive(sku, 10, "wh-london")
        answer = await channel.step(f"{order_id}-F1", "pick", lines=[{"line_id": "1", "quantity": 3}])
        assert answer.json()["missing"] == {"1": 2}
        item = await channel.until_work(f"{order_id}-F2", "released")
        assert item["lines"] == [{"line_id": "1", "sku": sku, "quantity": 2}]

    @pytest.mark.parametrize(
        ("line", "field"),
        [({"line_id": "9", "quantity": 1}, "lines[0].line_id"), ({"line_id": "1", "quantity": 3}, "lines[0].quantity")],
    )
    async def test_a_pick_of_what_was_not_asked(self, channel: Channel, line: dict[str, object], field: str) -> None:
        order_id = await channel.place(order(await channel.stocked_sku(10)))
        problem(await channel.step(f"{order_id}-F1", "pick", lines=[line]), 422, "invalid-input", field)

    async def test_a_short_pick_said_again_is_a_repeat(self, channel: Channel) -> None:
        """What it named is not what is left to pick: a line that was not found is gone, and units are cancelled."""
        first, second = await channel.stocked_sku(10), await channel.stocked_sku(10)
        lines = [
            {"line_id": "1", "sku": first, "quantity": 3, "unit_price": 255},
            {"line_id": "2", "sku": second, "quantity": 1, "unit_price": 255},
        ]
        order_id = await channel.place(order(first, lines=lines))
        found = [{"line_id": "1", "quantity": 2}, {"line_id": "2", "quantity": 0}]
        await channel.step(f"{order_id}-F1", "pick", lines=found)
        await channel.until_work(f"{order_id}-F1", "picked")
        answer = await channel.step(f"{order_id}-F1", "pick", lines=found)
        assert (answer.status_code, answer.json().get("status")) == (200, "repeated"), answer.text
        assert answer.json()["missing"] == {"1": 1, "2": 1}

    async def test_a_pick_is_not_corrected_by_another(self, channel: Channel) -> None:
        """Not under another key either; what stands is said, and nothing is done."""
        order_id = await channel.place(order(await channel.stocked_sku(10), quantity=3))
        url = f"/v1/fulfilments/{order_id}-F1/pick"
        await channel.step(f"{order_id}-F1", "pick", lines=[{"line_id": "1", "quantity": 2}])
        for units in (3, 0):
            body = {"lines": [{"line_id": "1", "quantity": units}]}
            refused = problem(
                await channel.http.post(url, json=body, headers={"Idempotency-Key": new_number()}),
                409,
                "step-not-possible",
            )
            assert refused["data"] == {"picked": {"1": 2}}
        unknown = [{"line_id": "1", "quantity": 2}, {"line_id": "9", "quantity": 0}]
        problem(await channel.step(f"{order_id}-F1", "pick", lines=unknown), 422, "invalid-input", "lines[1].line_id")

    @pytest.mark.parametrize(("named", "unnamed"), [(["1"], ["2"]), ([], ["1", "2"])])
    async def test_a_pick_names_every_line(self, channel: Channel, named: list[str], unnamed: list[str]) -> None:
        """Nothing is written off of a line that nobody spoke of."""
        first, second = await channel.stocked_sku(10), await channel.stocked_sku(10)
        lines = [
            {"line_id": line_id, "sku": sku, "quantity": 1, "unit_price": 255}
            for line_id, sku in (("1", first), ("2", second))
        ]
        order_id = await channel.place(order(first, lines=lines))
        found = [{"line_id": line_id, "quantity": 0} for line_id in named]
        refused = problem(await channel.step(f"{order_id}-F1", "pick", lines=found), 422, "invalid-input", "lines")
        assert refused["data"] == {"missing_lines": unnamed}
        assert (await channel.get(order_id))["fulfilments"][0]["status"] == "released"

    async def test_a_step_under_a_key_is_answered_as_taken_whatever_became_of_the_work(self, channel: Channel) -> None:
        """Also after the order's end; with another body, or for another step, the key is another request's."""
        order_id = await channel.place(order(await channel.stocked_sku(10)))
        url, key = f"/v1/fulfilments/{order_id}-F1/pick", {"Idempotency-Key": new_number()}
        body = {"lines": [{"line_id": "1", "quantity": 1}]}
        first = await channel.http.post(url, json=body, headers=key)
        assert (first.json()["status"], first.json()["fulfilment_status"]) == ("taken", "picked")
        await channel.http.post(f"/v1/orders/{order_id}/cancel", json={})
        await channel.until_order(order_id, "cancelled")
        again = await channel.http.post(url, json=body, headers=key)
        assert (again.status_code, again.json()["status"], again.json()["fulfilment_status"]) == (
            200,
            "repeated",
            "cancelled",
        )
        problem(await channel.http.post(url, json={}, headers=key), 409, "conflict", "Idempotency-Key")
        problem(await channel.http.post(url, json=body), 409, "step-not-possible")
        accept = f"/v1/fulfilments/{order_id}-F1/accept"
        problem(await channel.http.post(accept, json={}, headers=key), 409, "step-not-possible")

    async def test_a_step_is_in_the_store_when_it_is_answered(self, channel: Channel) -> None:
        order_id = await channel.place(order(await channel.stocked_sku(10)))
        for step, status in (("accept", "accepted"), ("pick", "picked"), ("pack", "packed")):
            assert (await channel.step(f"{order_id}-F1", step)).json()["fulfilment_status"] == status
            shown = (await channel.get(order_id))["fulfilments"][0]["status"]
            assert shown in {status, "booked"}

    async def test_a_pick_of_work_that_is_over_is_too_late(self, channel: Channel) -> None:
        order_id = await channel.place(order(await channel.stocked_sku(10)))
        await channel.http.post(f"/v1/orders/{order_id}/cancel", json={})
        await channel.until_work(f"{order_id}-F1", "cancelled")
        picked = [{"line_id": "1", "quantity": 2}]
        problem(await channel.step(f"{order_id}-F1", "pick", lines=picked), 409, "step-not-possible")

    async def test_a_line_picked_twice_in_one_report(self, channel: Channel) -> None:
        order_id = await channel.place(order(await channel.stocked_sku(10)))
        twice = [{"line_id": "1", "quantity": 1}] * 2
        problem(await channel.step(f"{order_id}-F1", "pick", lines=twice), 422, "invalid-input", "lines[1].line_id")

    async def test_when_it_happened_is_the_nodes_to_say(self, channel: Channel) -> None:
        order_id = await channel.place(order(await channel.stocked_sku(10)))
        at = "2006-03-02T11:00:00+01:00"
        await channel.step(f"{order_id}-F1", "pick", occurred_at=at)
        await channel.until_work(f"{order_id}-F1", "picked")
        event = (await channel.http.get(f"/v1/orders/{order_id}/timeline")).json()["events"][-1]
        assert (event["occurred_at"], event["actor"]) == ("2006-03-02T10:00:00Z", OPERATOR)

    @pytest.mark.parametrize(("ahead", "status"), [(4, 200), (6, 422)])
    async def test_a_clock_may_be_five_minutes_ahead(self, channel: Channel, ahead: int, status: int) -> None:
        order_id = await channel.place(order(await channel.stocked_sku(10)))
        at = (datetime.now(UTC) + timedelta(minutes=ahead)).isoformat()
        assert (await channel.step(f"{order_id}-F1", "accept", occurred_at=at)).status_code == status

    async def test_a_pick_up_is_made_ready_and_collected(self, channel: Channel) -> None:
        sku = await channel.stocked_sku(5, "store-london")
        order_id = await channel.place(order(sku, shipping_method="pickup", pickup_node="store-london"))
        fulfilment_id = f"{order_id}-F1"
        problem(await channel.step(fulfilment_id, "hand-over"), 409, "step-not-possible")
        await channel.step(fulfilment_id, "pack")
        await channel.until_work(fulfilment_id, "ready_for_collection")
        problem(await channel.http.get(f"/v1/fulfilments/{fulfilment_id}/label"), 404, "not-found")
        assert (await channel.step(fulfilment_id, "collect")).status_code == 200
        found = await channel.until_order(order_id, "delivered")
        assert found["fulfilments"][0]["status"] == "collected"


class TestLabel:
    async def test_there_is_one_once_a_carrier_is_booked(self, channel: Channel) -> None:
        order_id = await channel.place(order(await channel.stocked_sku(10)))
        url = f"/v1/fulfilments/{order_id}-F1/label"
        problem(await channel.http.get(url), 404, "not-found")
        await channel.step(f"{order_id}-F1", "pack")
        await channel.until_work(f"{order_id}-F1", "booked")
        answer = await channel.http.get(url)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
        assert answer.content.startswith(b"%PDF")


class TestWorkList:
    async def test_lines_stand_as_in_the_order(self, channel: Channel) -> None:
        skus = [await channel.stocked_sku(2) for _ in range(3)]
        lines = [
            {"line_id": line_id, "sku": sku, "quantity": 1, "unit_price": 255}
            for line_id, sku in zip(("2", "1", "10"), skus, strict=True)
        ]
        order_id = await channel.place(order(skus[0], lines=lines))
        item = await channel.until_work(f"{order_id}-F1", "released")
        (work,) = (await channel.get(order_id))["fulfilments"]
        for shown in (item, work):
            assert [line["line_id"] for line in shown["lines"]] == ["2", "1", "10"]

    async def test_it_says_what_to_send_where(self, channel: Channel) -> None:
        document = order(sku := await channel.stocked_sku(10))
        order_id = await channel.place(document)
        item = await channel.until_work(f"{order_id}-F1", "released")
        assert item["ship_to"] == {**document["ship_to"], "region": ""}
        assert item["lines"] == [{"line_id": "1", "sku": sku, "quantity": 2}]
        assert (item["channel"], item["node_id"], item["tracking_number"]) == ("web", "dc-daventry", None)
        assert item["promise"]["earliest"] < item["promise"]["latest"]

    async def test_it_is_the_nodes_own_and_pages_hold_each_once(self, channel: Channel) -> None:
        sku = await channel.stocked_sku(10, node := "wh-bristol")
        placed = [await channel.place(order(sku, 1, external_id=new_number())) for _ in range(5)]
        seen: list[str] = []
        cursor: dict[str, str] = {}
        while True:
            params: dict[str, Any] = {"node": node, "status": ["released", "accepted"], "limit": 2, **cursor}
            page = (await channel.http.get("/v1/fulfilments", params=params)).json()
            seen += [item["order_id"] for item in page["items"]]
            assert {item["node_id"] for item in page["items"]} <= {node}
            if page["next_cursor"] is None:
                break
            cursor = {"cursor": page["next_cursor"]}
        assert sorted(seen) == sorted(placed)
        done = await channel.http.get("/v1/fulfilments", params={"node": node, "status": "delivered"})
        assert done.json() == {"items": [], "next_cursor": None}
