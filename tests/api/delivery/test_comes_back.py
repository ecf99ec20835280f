"""A parcel that its carrier brings back, whatever the carrier calls it."""

from typing import Any

import pytest

from tests.api.delivery.test_carriers import shipped
from tests.api.driving import Channel, until


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
