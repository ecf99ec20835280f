"""A parcel that its carrier brings back, whatever the carrier calls it."""

from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.shared import ids
from dom.shared.access import Limits, Role
from tests.api.delivery.test_carriers import shipped
from tests.api.driving import NODE, Channel, on_hand, problem, until
from tests.worlds.access import key_of


class TestAParcelThatComesBack:
    async def test_is_told_to_the_customer(self, channel: Channel) -> None:
        _, order_id, item = await shipped(channel)
        await channel.scan(item, "returned_to_sender")
        await channel.until_order(order_id, "cancelled")

        async def sent() -> Any:
            told = (await channel.get(order_id))["messages"]
            return [m for m in told if m["kind"] == "returned_to_sender" and m["status"] == "sent"]

        assert len(await until(sent)) == 1

    @pytest.mark.parametrize(
        ("kind", "reason"),
        [("refused", "who was to get it did not take it"), ("intercepted", "intercepted by the carrier")],
    )
    async def test_counts_once_whatever_its_carrier_calls_it_first(
        self, channel: Channel, kind: str, reason: str
    ) -> None:
        _, order_id, item = await shipped(channel)
        for said in (kind, "in_transit", "returned_to_sender", "refused", "intercepted"):
            await channel.scan(item, said)
        found = await channel.until_order(order_id, "cancelled")
        (line,), (work,) = found["lines"], found["fulfilments"]
        assert (line["cancelled"], line["delivered"], line["allocated"]) == (line["ordered"], 0, 0)
        assert (work["status"], [each["status"] for each in work["shipments"]]) == (
            "returned_to_sender", ["returned_to_sender"],
        )  # fmt: skip
        events = (await channel.http.get(f"/v1/orders/{order_id}/timeline")).json()["events"]
        back = [event["reason"] for event in events if event["kind"] == "fulfilment_returned_to_sender"]
        assert back == [reason]
        assert [each["kind"] for each in found["exceptions"]] == ["parcel_returned_to_sender"]

        async def told() -> Any:
            messages = (await channel.get(order_id))["messages"]
            return [m for m in messages if m["kind"] == "returned_to_sender" and m["status"] == "sent"]

        assert len(await until(told)) == 1
        assert not [event for event in events if event["kind"] == "report_out_of_turn"]

    async def test_but_not_after_it_was_delivered(self, channel: Channel) -> None:
        _, order_id, item = await shipped(channel)
        await channel.scan(item, "delivered")
        await channel.until_order(order_id, "delivered")
        await channel.scan(item, "refused")
        found = await channel.get(order_id)
        assert found["status"] == "delivered"
        assert [each["kind"] for each in found["exceptions"]] == ["report_out_of_turn"]


async def come_back(channel: Channel) -> tuple[str, str, dict[str, Any]]:
    """SKU, order and the return of a parcel of three units that is on its way back."""
    sku, order_id, item = await shipped(channel)
    await channel.scan(item, "refused")
    await channel.until_order(order_id, "cancelled")
    (back,) = (await channel.http.get("/v1/returns", params={"order_id": order_id})).json()["items"]
    return sku, order_id, back


async def take(channel: Channel, return_id: str, verb: str, body: dict[str, Any] | None = None) -> httpx.Response:
    return await channel.http.post(f"/v1/returns/{return_id}/{verb}", json=body or {})


async def inspect(channel: Channel, return_id: str, units: int) -> httpx.Response:
    lines = [{"line_id": "1", "quantity": units, "disposition": "restock"}]
    return await take(channel, return_id, "inspect", {"lines": lines})


class TestItsReturn:
    async def test_is_known_before_it_arrives(self, channel: Channel, engine: AsyncEngine) -> None:
        sku, order_id, back = await come_back(channel)
        assert (back["fulfilment_id"], back["node_id"], back["status"]) == (f"{order_id}-F1", NODE, "requested")
        found = await channel.get(order_id)
        (waits,) = found["waits_for"]
        assert (waits["what"], waits["who"], waits["return_id"]) == ("goods_back", "carrier", back["id"])
        assert waits["fulfilment_id"] == f"{order_id}-F1"
        async with engine.connect() as connection:
            coming = await connection.execute(
                text("SELECT sku, quantity FROM inbound_lines WHERE reference = :id"), {"id": back["id"]}
            )
            assert [tuple(row) for row in coming] == [(sku, 3)]
        asked = {"order_id": order_id, "lines": [{"line_id": "1", "quantity": 1}]}
        problem(await channel.http.post("/v1/returns", json=asked), 409, "nothing-to-return", "lines[0].quantity")

    async def test_restocks_and_refunds_what_comes(self, channel: Channel, engine: AsyncEngine) -> None:
        sku, order_id, back = await come_back(channel)
        before = await on_hand(engine, sku)
        assert (await take(channel, back["id"], "receive")).json()["status"] == "received"
        done = (await inspect(channel, back["id"], 3)).json()
        found = await channel.get(order_id)
        (line,) = found["lines"]
        assert (done["status"], done["refund"]) == ("refunded", 3 * line["unit_price"])
        assert await on_hand(engine, sku) == (before[0] + 3, 0)
        assert (line["cancelled"], line["returned"], found["exceptions"]) == (3, 0, [])

        async def told() -> Any:
            return [m for m in (await channel.get(order_id))["messages"] if m["kind"] == "refunded"]

        await until(told)
        kinds = {each["kind"] for each in (await channel.get(order_id))["messages"]}
        assert not kinds & {"return_requested", "return_received"}
        refused = await channel.http.post(f"/v1/fulfilments/{order_id}-F1/reship", json={"reason": "again"})
        assert "refunded" in problem(refused, 409, "step-not-possible")["detail"]

    async def test_refunds_nothing_once_it_was_sent_again(self, channel: Channel, engine: AsyncEngine) -> None:
        sku, order_id, back = await come_back(channel)
        sent = await channel.http.post(f"/v1/fulfilments/{order_id}-F1/reship", json={"reason": "new address"})
        assert sent.status_code == 200
        await channel.until_work(f"{order_id}-F2", "released")
        assert (await channel.get(order_id))["exceptions"] == []
        before = await on_hand(engine, sku)
        await take(channel, back["id"], "receive")
        done = (await inspect(channel, back["id"], 3)).json()
        assert (done["status"], done["refund"]) == ("put_away", 0)
        assert await on_hand(engine, sku) == (before[0] + 3, before[1])
        assert (await channel.get(order_id))["refunds"] == []

    async def test_is_received_also_before_its_process_was_told(self, channel: Channel, engine: AsyncEngine) -> None:
        _, order_id, item = await shipped(channel)
        return_id = ids.return_id(order_id, f"{order_id}-F1")
        waits = text("""
        INSERT INTO outbox (business_key, kind, medium, recipient, receiver, payload, next_attempt_at)
        VALUES (:id, 'held_up', 'workflow', :id, 'workflow/return-' || :id, '{}', now() + interval '1 hour')
        """)
        async with engine.begin() as connection:
            await connection.execute(waits, {"id": return_id})
        await channel.scan(item, "returned_to_sender")
        await channel.until_order(order_id, "cancelled")
        assert (await take(channel, return_id, "receive")).json()["status"] == "received"
        assert (await inspect(channel, return_id, 3)).json()["status"] == "refunded"

    async def test_is_not_cancelled(self, channel: Channel) -> None:
        _, _, back = await come_back(channel)
        problem(await take(channel, back["id"], "cancel"), 409, "step-not-possible")

    async def test_goods_that_do_not_all_come_leave_the_rest_to_a_person(self, channel: Channel) -> None:
        _, order_id, back = await come_back(channel)
        await take(channel, back["id"], "receive", {"lines": [{"line_id": "1", "quantity": 2}]})
        await inspect(channel, back["id"], 2)
        assert (await take(channel, back["id"], "close")).json()["status"] == "refunded"
        troubles = (await channel.get(order_id))["exceptions"]
        assert [each["kind"] for each in troubles] == ["parcel_returned_to_sender"]


class TestAskedBack:
    async def test_a_carrier_sees_it_and_says_that_it_goes_on(self, channel: Channel, engine: AsyncEngine) -> None:
        _, order_id, item = await shipped(channel)
        own = await key_of(engine, Role.CARRIER, Limits.of(carriers=[item["carrier"]]), name="the carrier")

        async def asked(status: str, headers: dict[str, str]) -> list[tuple[str, str]]:
            found = await channel.http.get(
                "/v1/shipments", params={"intercept": status, "order": order_id}, headers=headers
            )
            return [(each["id"], each["intercept"]) for each in found.json()["items"]]

        assert await asked("asked", own) == []
        answer = await channel.http.post(f"/v1/orders/{order_id}/cancel", json={"mode": "ask"})
        (left,) = answer.json()["lines"][0]["left"]
        assert (answer.json()["cancelled"], left["reason"]) == ({}, "carrier_asked")
        assert await asked("asked", own) == [(item["shipment_id"], "asked")]
        other = await key_of(engine, Role.CARRIER, Limits.of(carriers=["nobody"]), name="another carrier")
        assert await asked("asked", other) == []
        refused = await channel.http.post(f"/v1/cancellation-requests/{left['request_id']}/grant", json={})
        assert problem(refused, 409, "step-not-possible")["data"] == {"asked_of": "carrier"}
        await channel.scan(item, "intercept_failed")
        assert await asked("refused", own) == [(item["shipment_id"], "refused")]
        found = await channel.get(order_id)
        assert [each["kind"] for each in found["exceptions"]] == ["cancellation_not_granted"]
        await channel.scan(item, "delivered")
        await channel.until_order(order_id, "delivered")
