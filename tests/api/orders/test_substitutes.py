"""A substitute is sent for what is short, and the order's process sees it to its end."""

from typing import Any

from tests.api.driving import Channel, order


async def approve(channel: Channel, short: str, **substitute: Any) -> None:
    found = (await channel.http.get(f"/v1/skus/{short}")).json()
    answer = await channel.http.put(f"/v1/skus/{short}", json={**found, "substitutes": [substitute]})
    assert answer.status_code == 200, answer.text


class TestSubstitutes:
    async def test_captured_shown_and_delivered(self, channel: Channel) -> None:
        short, other = await channel.stocked_sku(2), await channel.stocked_sku(10)
        await approve(channel, short, sku=other, units=2, price="keep")
        document = order(short, 5) | {"allow_substitutes": True}
        answer = (await channel.http.post("/v1/orders", json=document)).json()
        assert (answer["status"], answer["waiting"]) == ("accepted", [])
        order_id = answer["order_id"]
        shown = await channel.get(order_id)
        lines = [(line["sku"], line["ordered"], line["cancelled"]) for line in shown["lines"]]
        assert lines == [(short, 5, 3), (other, 6, 0)]
        (_, made) = (await channel.http.get(f"/v1/orders/{order_id}/changes")).json()["revisions"]
        assert made["actor"] == "system:ofl"
        assert made["changes"][0]["change"] == "substitute"
        await channel.deliver(order_id)
        again = await channel.http.post("/v1/orders", json=document)
        assert (again.status_code, again.json()["status"]) == (200, "delivered")

    async def test_not_for_a_customer_who_did_not_agree(self, channel: Channel) -> None:
        short, other = await channel.stocked_sku(2), await channel.stocked_sku(10)
        await approve(channel, short, sku=other)
        answer = (await channel.http.post("/v1/orders", json=order(short, 5))).json()
        assert [(each["line_id"], each["quantity"]) for each in answer["waiting"]] == [("1", 3)]

    async def test_one_that_names_itself_is_refused(self, channel: Channel) -> None:
        sku = await channel.stocked_sku(0)
        found = (await channel.http.get(f"/v1/skus/{sku}")).json()
        answer = await channel.http.put(f"/v1/skus/{sku}", json={**found, "substitutes": [{"sku": sku}]})
        assert answer.status_code == 422
        assert "no substitute of its own" in answer.text
