"""A node is asked through HTTP whether what it has picked can be cancelled, and answers."""

from __future__ import annotations

from typing import Any

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.shared.access import Limits, Role
from tests.api.driving import NODE, Channel, order, problem, until
from tests.worlds.access import key_of

ASK = {"mode": "ask", "reason": "changed mind"}


async def asked(channel: Channel, quantity: int = 2, **body: Any) -> dict[str, Any]:
    """What a node is asked of a parcel that is booked."""
    order_id = await channel.place(order(await channel.stocked_sku(10), quantity))
    await channel.step(f"{order_id}-F1", "pack")
    await channel.until_work(f"{order_id}-F1", "booked")
    answer = await channel.http.post(f"/v1/orders/{order_id}/cancel", json={**ASK, **body})
    assert answer.status_code == 200, answer.text
    (line,) = answer.json()["lines"]
    (left,) = line["left"]
    assert (answer.json()["cancelled"], left["reason"]) == ({}, "asked")
    listed = await channel.http.get("/v1/cancellation-requests", params={"order": order_id, "status": "asked"})
    (request,) = listed.json()["items"]
    assert (request["request_id"], request["answer_by"]) == (left["request_id"], left["answer_by"])
    return dict(request)


async def node_key(engine: AsyncEngine, node: str) -> dict[str, str]:
    return await key_of(engine, Role.NODE, Limits.of(nodes=[node]), name=f"node {node}")


async def test_granted_the_order_is_cancelled_and_its_booking_taken_back(channel: Channel, engine: AsyncEngine) -> None:
    request = await asked(channel)
    url, own = f"/v1/cancellation-requests/{request['request_id']}/grant", await node_key(engine, NODE)
    mine = await channel.http.get("/v1/cancellation-requests", params={"node": NODE, "status": "asked"}, headers=own)
    assert request["request_id"] in {each["request_id"] for each in mine.json()["items"]}
    key = own | {"Idempotency-Key": "k-grant"}
    first = await channel.http.post(url, json={"reason": "put back"}, headers=key)
    assert (first.status_code, first.json()["status"], first.json()["reply"]) == (200, "granted", "put back")
    assert (await channel.http.post(url, json={"reason": "put back"}, headers=key)).json() == first.json()
    problem(await channel.http.post(url, json={"reason": "another"}, headers=key), 409, "conflict", "Idempotency-Key")
    found = await channel.until_order(request["order_id"], "cancelled")
    assert found["lines"][0]["cancelled"] == 2
    refused = await channel.http.post(url.replace("grant", "refuse"), json={}, headers=own)
    assert problem(refused, 409, "step-not-possible")["data"] == {"status": "granted", "ended_by": None}
    gone = await channel.step(request["fulfilment_id"], "hand-over")
    problem(gone, 409, "step-not-possible")

    async def voided() -> bool:
        shipments = (await channel.http.get("/v1/shipments", params={"order": request["order_id"]})).json()["items"]
        return [each["status"] for each in shipments] == ["voided"]

    await until(voided)


async def test_refused_the_parcel_goes_and_a_person_hears(channel: Channel) -> None:
    request = await asked(channel)
    url = f"/v1/cancellation-requests/{request['request_id']}/refuse"
    assert (await channel.http.post(url, json={"reason": "on the lorry"})).json()["status"] == "refused"
    assert (await channel.step(request["fulfilment_id"], "hand-over")).status_code == 200
    listed = await channel.http.get("/v1/exceptions", params={"order": request["order_id"]})
    assert [each["kind"] for each in listed.json()["items"]] == ["cancellation_not_granted"]
    kinds = [
        event["kind"]
        for event in (await channel.http.get(f"/v1/orders/{request['order_id']}/timeline")).json()["events"]
    ]
    assert kinds.index("cancellation_asked") < kinds.index("cancellation_refused")


async def test_the_hand_over_comes_first(channel: Channel) -> None:
    request = await asked(channel)
    assert (await channel.step(request["fulfilment_id"], "hand-over")).status_code == 200
    late = await channel.http.post(f"/v1/cancellation-requests/{request['request_id']}/grant", json={})
    assert problem(late, 409, "step-not-possible")["data"] == {"status": "refused", "ended_by": "handed_over"}


async def test_some_units_are_taken_out_and_the_rest_is_packed_anew(channel: Channel) -> None:
    request = await asked(channel, 3, lines=[{"line_id": "1", "quantity": 1}])
    await channel.http.post(f"/v1/cancellation-requests/{request['request_id']}/grant", json={})
    await channel.step(request["fulfilment_id"], "pack")
    work = await channel.until_work(request["fulfilment_id"], "booked")
    assert work["lines"][0]["quantity"] == 2


async def test_another_nodes_is_as_if_it_were_not_there(channel: Channel, engine: AsyncEngine) -> None:
    request, other = await asked(channel), await node_key(engine, "dc-doncaster")
    listed = await channel.http.get("/v1/cancellation-requests", params={"order": request["order_id"]}, headers=other)
    assert listed.json()["items"] == []
    named = await channel.http.get("/v1/cancellation-requests", params={"node": NODE}, headers=other)
    assert named.status_code == 403
    for answer in ("grant", "refuse"):
        url = f"/v1/cancellation-requests/{request['request_id']}/{answer}"
        problem(await channel.http.post(url, json={}, headers=other), 404, "not-found")
        never: httpx.Response = await channel.http.post(url.replace("-C1", "-C9"), json={})
        problem(never, 404, "not-found")
