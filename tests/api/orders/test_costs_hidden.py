"""What an order costs the merchant is not for the channel that sold it."""

from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.orders.events import INTERNAL
from dom.shared.access import Limits, Role, Scope
from tests.api.driving import Channel, booked
from tests.worlds.access import key_of

WITHOUT = (
    (Role.CHANNEL, Limits.of(channels=["web"]), None),
    (Role.SUPPORT, Limits.of(), frozenset({Scope.ORDERS_READ, Scope.SHIPMENTS_READ})),
)


async def shown(
    channel: Channel, order_id: str, headers: dict[str, str] | None = None
) -> tuple[dict[str, Any], list[dict[str, Any]], list[dict[str, Any]]]:
    """The order, the data of its events, and its shipments, as a caller sees them."""
    answers = [
        await channel.http.get(f"/v1/orders/{order_id}", headers=headers),
        await channel.http.get(f"/v1/orders/{order_id}/timeline", headers=headers),
        await channel.http.get("/v1/shipments", params={"order": order_id}, headers=headers),
    ]
    found, events, shipments = (answer.json() for answer in answers)
    return found, [event["data"] for event in events["events"]], shipments["items"]


@pytest.mark.parametrize(("role", "limits", "scopes"), WITHOUT)
async def test_costs_are_left_out_without_the_scope(
    channel: Channel, engine: AsyncEngine, role: Role, limits: Limits, scopes: frozenset[Scope] | None
) -> None:
    _, order_id, _ = await booked(channel)
    order, events, shipments = await shown(channel, order_id, await key_of(engine, role, limits, scopes=scopes))
    (fulfilment,) = order["fulfilments"]
    assert fulfilment["cost"] is None
    assert [each["price"] for each in (*fulfilment["shipments"], *shipments)] == [None, None]
    assert not [name for data in events for name in data if name in INTERNAL]
    assert events[0]["fulfilments"] == {f"{order_id}-F1": "dc-daventry"}


async def test_with_the_scope_they_are_there(channel: Channel, engine: AsyncEngine) -> None:
    _, order_id, _ = await booked(channel)
    order, events, shipments = await shown(channel, order_id, await key_of(engine, Role.SUPPORT, Limits.of()))
    (fulfilment,) = order["fulfilments"]
    assert fulfilment["cost"] > 0
    (price,) = {each["price"] for each in (*fulfilment["shipments"], *shipments)}
    assert price > 0
    named = {name for data in events for name in data}
    assert named & INTERNAL == {"policy_version", "strategy", "cost", "run_id", "price"}


async def test_a_carrier_sees_its_own_prices(channel: Channel, engine: AsyncEngine) -> None:
    _, order_id, item = await booked(channel)
    carrier = await key_of(engine, Role.CARRIER, Limits.of(carriers=[item["carrier"]]))
    answer = await channel.http.get("/v1/shipments", params={"order": order_id}, headers=carrier)
    assert [each["price"] > 0 for each in answer.json()["items"]] == [True]
