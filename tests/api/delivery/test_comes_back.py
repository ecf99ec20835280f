"""A parcel that its carrier brings back, whatever the carrier calls it."""

from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.shared.access import Limits, Role
from tests.api.delivery.test_carriers import shipped
from tests.api.driving import Channel, problem, until
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
