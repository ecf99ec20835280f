"""Lists of what there is: nodes, SKUs, carriers, shipments, messages, exceptions."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.exceptions import CATALOGUE, ExceptionKind
from store import exceptions
from tests.api.driving import Channel, new_number, order, problem, until


async def pages(http: httpx.AsyncClient, path: str, limit: int, **wanted: Any) -> list[dict[str, Any]]:
    """The items of all pages."""
    items: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        answer = await http.get(path, params={**wanted, "limit": limit, **cursor})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert len(page["items"]) <= limit
        items += page["items"]
        if page["next_cursor"] is None:
            return items
        cursor = {"cursor": page["next_cursor"]}


async def keys(http: httpx.AsyncClient, path: str, key: str, limit: int = 200, **wanted: Any) -> list[Any]:
    return [item[key] for item in await pages(http, path, limit, **wanted)]


@pytest.mark.parametrize("path", ["nodes", "skus", "carriers", "shipments", "messages", "exceptions"])
class TestEvery:
    async def test_a_cursor_of_nobody_is_refused(self, http: httpx.AsyncClient, path: str) -> None:
        for cursor in ("x", "W10", "WyJhIiwiYiIsImMiXQ"):
            problem(await http.get(f"/v1/{path}", params={"cursor": cursor}), 422, "invalid-input", "cursor")

    async def test_a_page_has_its_limits(self, http: httpx.AsyncClient, path: str) -> None:
        for limit in ("0", "201"):
            problem(await http.get(f"/v1/{path}", params={"limit": limit}), 422, "invalid-input", "limit")


class TestNodes:
    async def test_each_once_by_code_and_as_it_is(self, http: httpx.AsyncClient) -> None:
        found = await pages(http, "/v1/nodes", 3)
        codes = [node["id"] for node in found]
        assert codes == sorted(set(codes))
        assert {"dc-daventry", "supplier-krakow", "store-london"} <= set(codes)
        assert found[codes.index("dc-daventry")] == (await http.get("/v1/nodes/dc-daventry")).json()

    async def test_filters(self, http: httpx.AsyncClient) -> None:
        assert {"store-berlin", "dc-dortmund"} <= set(await keys(http, "/v1/nodes", "id", country="DE"))
        stores = await pages(http, "/v1/nodes", 200, kind="store", active=True)
        assert {"store-london", "store-berlin"} <= {node["id"] for node in stores}
        assert {(node["kind"], node["active"]) for node in stores} == {("store", True)}
        problem(await http.get("/v1/nodes?kind=castle"), 422, "invalid-input", "kind")
        problem(await http.get("/v1/nodes?country=de"), 422, "invalid-input", "country")


class TestSkus:
    async def test_each_once_by_code(self, channel: Channel) -> None:
        mine = sorted([await channel.stocked_sku(0) for _ in range(5)])
        found = await keys(channel.http, "/v1/skus", "id", 2)
        assert found == sorted(found)
        assert [sku for sku in found if sku in mine] == mine

    async def test_by_a_part_of_code_or_description(self, channel: Channel) -> None:
        sku = await channel.stocked_sku(0)
        document = {**(await channel.http.get(f"/v1/skus/{sku}")).json(), "description": f"Red LAMP {sku[2:]} 100%_"}
        await channel.http.put(f"/v1/skus/{sku}", json=document)
        for part in (sku, sku.lower(), f"lamp {sku[2:]}", f"{sku[2:]} 100%_"):
            assert await keys(channel.http, "/v1/skus", "id", q=part) == [sku], part
        assert await keys(channel.http, "/v1/skus", "id", q=f"{sku[2:]}%100") == []


async def test_carriers_with_what_they_move(http: httpx.AsyncClient) -> None:
    found = await pages(http, "/v1/carriers", 2)
    assert [carrier["carrier"] for carrier in found] == ["northline", "parcelo", "swiftmail"]
    (express,) = (service for service in found[0]["services"] if service["method"] == "express")
    assert express["max_parcel_grams"] == 30000
    assert express["origins"] == sorted(set(express["origins"]))
    assert "GB" in express["destinations"]


class TestShipments:
    async def test_the_newest_booking_first_with_what_is_in_it(self, channel: Channel) -> None:
        orders = []
        for _ in range(3):
            orders.append(order_id := await channel.place(order(await channel.stocked_sku(10))))
            await channel.step(f"{order_id}-F1", "pack")
            await channel.until_work(f"{order_id}-F1", "booked")
        found = await pages(channel.http, "/v1/shipments", 2)
        mine = [each for each in found if each["orders"][0] in orders]
        assert [each["orders"] for each in mine] == [[order_id] for order_id in reversed(orders)]
        (one,) = await pages(channel.http, "/v1/shipments", 9, order=orders[1])
        assert one == next(each for each in mine if each["orders"] == [orders[1]])
        assert (one["status"], one["fulfilments"]) == ("booked", [f"{orders[1]}-F1"])
        asked = {"carrier": one["carrier"], "tracking_number": one["tracking_number"], "status": "booked"}
        assert await pages(channel.http, "/v1/shipments", 9, **asked) == [one]
        assert await pages(channel.http, "/v1/shipments", 9, **{**asked, "carrier": "nobody"}) == []


class TestMessages:
    async def test_what_was_said_but_not_to_whom(self, channel: Channel) -> None:
        document = order(await channel.stocked_sku(10))
        order_id = await channel.place(document)
        await channel.deliver(order_id)

        async def all_sent() -> list[dict[str, Any]] | None:
            found = await pages(channel.http, "/v1/messages", 1, order=order_id)
            return found if {each["status"] for each in found} == {"sent"} and len(found) == 3 else None

        found: list[dict[str, Any]] = await until(all_sent)
        assert [each["kind"] for each in found] == ["delivered", "shipped", "order_confirmed"]
        assert document["customer"]["email"] not in str(found)
        asked = {"order": order_id, "kind": "shipped", "medium": "mail", "status": "sent"}
        assert await pages(channel.http, "/v1/messages", 9, **asked) == [found[1]]
        assert await pages(channel.http, "/v1/messages", 9, **{**asked, "status": "failed"}) == []


class TestExceptions:
    async def test_the_newest_first_by_what_people_ask_for(self, channel: Channel, engine: AsyncEngine) -> None:
        order_id = await channel.place(order(await channel.stocked_sku(10)))
        kinds = (ExceptionKind.MESSAGE_GIVEN_UP, ExceptionKind.PARCEL_LOST, ExceptionKind.MESSAGE_GIVEN_UP)
        async with engine.begin() as connection:
            for kind in kinds:
                await exceptions.open_(connection, order_id, kind, new_number(), f"about {order_id}")
        found = await pages(channel.http, "/v1/exceptions", 1, order=order_id)
        assert [each["kind"] for each in found] == ["message_given_up", "parcel_lost", "message_given_up"]
        assert {(each["order_id"], each["status"], each["closed_at"]) for each in found} == {(order_id, "open", None)}
        lost = await pages(channel.http, "/v1/exceptions", 9, order=order_id, kind="parcel_lost", status="open")
        assert lost == [found[1]]
        assert await pages(channel.http, "/v1/exceptions", 9, order=order_id, status="closed") == []

    async def test_what_belongs_to_the_kind_is_told_and_asked_for(self, channel: Channel, engine: AsyncEngine) -> None:
        order_id = await channel.place(order(await channel.stocked_sku(10)))
        async with engine.begin() as connection:
            for kind in (ExceptionKind.MESSAGE_GIVEN_UP, ExceptionKind.PARCEL_LOST, ExceptionKind.NO_PROCESS):
                await exceptions.open_(connection, order_id, kind, new_number(), f"about {order_id}")

        async def asked(**named: str) -> list[str]:
            return [each["kind"] for each in await pages(channel.http, "/v1/exceptions", 9, order=order_id, **named)]

        assert await asked(owner_role="operator") == ["no_process", "message_given_up"]
        assert await asked(owner_role="operator", severity="critical") == ["no_process"]
        assert await asked(owner_role="support", kind="no_process") == []
        (lost,) = await pages(channel.http, "/v1/exceptions", 9, order=order_id, severity="major")
        assert (lost["kind"], lost["owner_role"]) == ("parcel_lost", "support")
        assert lost["meaning"] == CATALOGUE[ExceptionKind.PARCEL_LOST].meaning
        assert lost["next_steps"].startswith("claim with the carrier")
        refused = await channel.http.get("/v1/exceptions", params={"kind": "nonsense"})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "kind")
