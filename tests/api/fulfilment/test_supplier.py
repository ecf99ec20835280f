"""A supplier confirms what it has and ships it with a carrier of its own, through HTTP; the order ends as any other."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncEngine

from dom.shared.access import Limits, Role
from tests.api.driving import Channel, new_number, order, problem
from tests.worlds.access import key_of

SUPPLIER = "supplier-krakow"


async def test_it_confirms_a_part_and_ships_by_its_own_message(channel: Channel, engine: AsyncEngine) -> None:
    order_id = await channel.place(order(await channel.stocked_sku(5, SUPPLIER), 3))
    first, number = f"{order_id}-F1", new_number()
    own = await key_of(engine, Role.NODE, Limits.of(nodes=[SUPPLIER]), name="krakow")
    other = await key_of(engine, Role.NODE, Limits.of(nodes=["store-london"]), name="london")
    sent = {"carrier": "poczta", "tracking_number": number}
    url = f"/v1/fulfilments/{first}/ship"
    problem(await channel.http.post(url, json=sent, headers=other), 404, "not-found")
    problem(
        await channel.http.post(url, json={"carrier": "poczta"}, headers=own), 422, "invalid-input", "tracking_number"
    )
    found = {"lines": [{"line_id": "1", "quantity": 2}]}
    assert (await channel.http.post(f"/v1/fulfilments/{first}/pick", json=found, headers=own)).status_code == 200
    key = {**own, "Idempotency-Key": number}
    for repeated in (False, True):
        answer = await channel.http.post(url, json=sent, headers=key)
        assert (answer.json()["fulfilment_status"], answer.json()["repeated"]) == ("handed_over", repeated), answer.text
    again = await channel.http.post(url, json=sent, headers=own)
    assert (again.status_code, again.json()["repeated"]) == (200, True), again.text
    problem(await channel.http.post(url, json={**sent, "parcels": 3}, headers=own), 409, "step-not-possible")
    await channel.http.post(f"/v1/orders/{order_id}/cancel", json={"lines": [{"line_id": "1", "quantity": 1}]})
    (work,) = (await channel.http.get(f"/v1/orders/{order_id}")).json()["fulfilments"]
    (shipment,) = work["shipments"]
    assert (shipment["carrier"], shipment["tracking_number"], shipment["price"]) == ("poczta", number, 0)
    await channel.scan({"carrier": "poczta", "tracking_number": number}, "delivered")
    await channel.until_order(order_id, "delivered")
