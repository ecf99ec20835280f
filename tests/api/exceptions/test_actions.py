"""What can be done about an exception in one call: done by the use case it has, once, and closed where that ends it."""

from __future__ import annotations

from typing import Any

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from dom.exceptions import ACTIONS, CATALOGUE, ExceptionAction, ExceptionKind
from dom.shared.access import Limits, Role
from store import exceptions
from tests.api.driving import NODE, Channel, booked, new_number, order, problem, until
from tests.api.exceptions.test_desk import opened
from tests.worlds.access import OPERATOR, key_of


async def of_kind(channel: Channel, order_id: str, kind: str) -> dict[str, Any]:
    """The order's exception of a kind, once there is one."""

    async def look() -> dict[str, Any] | None:
        params = {"order": order_id, "kind": kind}
        items = (await channel.http.get("/v1/exceptions", params=params)).json()["items"]
        return items[0] if items else None

    found: dict[str, Any] = await until(look)
    return found


async def do(http: httpx.AsyncClient, found: dict[str, Any], action: str, **headers: str) -> httpx.Response:
    return await http.post(
        f"/v1/exceptions/{found['id']}/actions/{action}", json={"version": found["version"]}, headers=headers
    )


def test_every_action_has_its_meaning_and_a_kind() -> None:
    assert set(ACTIONS) == set(ExceptionAction)
    assert {each for info in CATALOGUE.values() for each in info.actions} == set(ExceptionAction)


async def waiting(channel: Channel, engine: AsyncEngine, stock: int = 2, units: int = 5) -> tuple[str, dict[str, Any]]:
    """An order of which units wait, and an exception that says so."""
    order_id = await channel.place(order(await channel.stocked_sku(stock), units))
    async with engine.begin() as connection:
        await exceptions.unsourced(connection, order_id, ExceptionKind.BACKORDER, "backorder", "no stock", anew=True)
    return order_id, await of_kind(channel, order_id, "backorder")


class TestCancelWaiting:
    async def test_it_cancels_what_waits_and_nothing_else(self, channel: Channel, engine: AsyncEngine) -> None:
        order_id, found = await waiting(channel, engine)
        before = await channel.get(order_id)
        assert before["units_waiting"] > 0
        done = await do(channel.http, found, "cancel_waiting")
        assert done.status_code == 200, done.text
        assert (done.json()["status"], done.json()["resolved_by"]) == ("closed", OPERATOR)
        after = await channel.get(order_id)
        assert after["units_waiting"] == 0
        assert after["lines"][0]["cancelled"] == before["units_waiting"]
        assert after["lines"][0]["allocated"] == before["lines"][0]["allocated"]
        again = await do(channel.http, found, "cancel_waiting")
        assert (again.status_code, again.json()["version"]) == (200, done.json()["version"]), "a repeat changes nothing"
        events = (await channel.http.get(f"/v1/orders/{order_id}/timeline")).json()["events"]
        assert [e["kind"] for e in events][-3:] == ["exception_action", "exception_resolved", "cancelled"]
        assert events[-3]["data"]["action"] == "cancel_waiting"

    async def test_what_waits_no_more_is_not_cancelled(self, channel: Channel, engine: AsyncEngine) -> None:
        order_id = await channel.place(order(await channel.stocked_sku(10), 2))
        async with engine.begin() as connection:
            await exceptions.unsourced(connection, order_id, ExceptionKind.BACKORDER, "backorder", "gone", anew=True)
        found = await of_kind(channel, order_id, "backorder")
        problem(await do(channel.http, found, "cancel_waiting"), 409, "step-not-possible")
        assert (await of_kind(channel, order_id, "backorder"))["status"] == "open", "nothing is done"
        assert (await channel.get(order_id))["lines"][0]["cancelled"] == 0

    async def test_it_needs_the_scope_of_what_it_does(self, channel: Channel, engine: AsyncEngine) -> None:
        _, found = await waiting(channel, engine)
        planner = await key_of(engine, Role.PLANNER, Limits())
        refused = problem(await do(channel.http, found, "cancel_waiting", **planner), 403, "forbidden")
        assert refused["data"] == {"scope": "orders:cancel"}

    async def test_what_has_changed_since_is_stale(self, channel: Channel, engine: AsyncEngine) -> None:
        order_id, found = await waiting(channel, engine)
        taken = await channel.http.post(f"/v1/exceptions/{found['id']}/take", json={"version": found["version"]})
        assert taken.status_code == 200
        problem(await do(channel.http, found, "cancel_waiting"), 409, "stale", "version")
        assert (await channel.get(order_id))["units_waiting"] > 0


async def test_what_waits_is_sourced_again_when_asked(channel: Channel, engine: AsyncEngine) -> None:
    order_id, found = await waiting(channel, engine, stock=0, units=2)
    attempts = len((await channel.http.get(f"/v1/orders/{order_id}/sourcing")).json()["decisions"])
    planner = await key_of(engine, Role.PLANNER, Limits())
    done = await do(channel.http, found, "source_again", **planner)
    assert (done.status_code, done.json()["status"]) == (200, "open"), "it closes itself once they are sourced"

    async def sourced() -> bool:
        return len((await channel.http.get(f"/v1/orders/{order_id}/sourcing")).json()["decisions"]) > attempts

    await until(sourced)


async def test_work_is_taken_from_its_node(channel: Channel, engine: AsyncEngine) -> None:
    sku = await channel.stocked_sku(5)
    order_id = await channel.place(order(sku, 2))
    async with engine.begin() as connection:
        data = {"fulfilment_id": f"{order_id}-F1", "node_id": NODE}
        await exceptions.open_(connection, order_id, ExceptionKind.MILESTONE_MISSED, new_number(), "late", data)
    found = await of_kind(channel, order_id, "milestone_missed")
    done = await do(channel.http, found, "reject_work")
    assert (done.status_code, done.json()["status"]) == (200, "closed"), done.text
    await channel.until_work(f"{order_id}-F1", "rejected")


async def test_a_lost_parcel_arrived_after_all(channel: Channel) -> None:
    _, order_id, item = await booked(channel)
    await channel.step(f"{order_id}-F1", "hand-over")
    await channel.until_work(f"{order_id}-F1", "handed_over")
    await channel.scan(item, "lost")
    found = await of_kind(channel, order_id, "parcel_lost")
    assert [each["action"] for each in found["actions"]] == ["arrived"]
    for _ in range(2):
        done = await do(channel.http, found, "arrived")
        assert (done.status_code, done.json()["status"]) == (200, "closed"), done.text
    await channel.until_order(order_id, "delivered")


class TestStock:
    async def balance(self, channel: Channel, sku: str) -> int:
        found = (await channel.http.get("/v1/availability", params={"sku": sku})).json()["items"][0]
        return sum(each["on_hand"] for each in found["nodes"])

    async def test_a_parcel_that_came_back_is_booked_in_once(self, channel: Channel, engine: AsyncEngine) -> None:
        sku = await channel.stocked_sku(5)
        data = {"node_id": NODE, "units": {sku: 2}}
        found = await opened(channel, engine, ExceptionKind.PARCEL_RETURNED, **data)
        for _ in range(2):
            assert (await do(channel.http, found, "book_in")).status_code == 200
        assert await self.balance(channel, sku) == 7

    async def test_a_report_out_of_turn_corrects_the_balance(self, channel: Channel, engine: AsyncEngine) -> None:
        sku = await channel.stocked_sku(5)
        data = {"node_id": NODE, "units": {sku: 2}, "on_hand": "too high", "report": "collect", "status": "cancelled"}
        found = await opened(channel, engine, ExceptionKind.REPORT_OUT_OF_TURN, **data)
        assert [each["action"] for each in found["actions"]] == ["correct_stock"]
        problem(await do(channel.http, found, "arrived"), 404, "not-found")
        done = await do(channel.http, found, "correct_stock")
        assert (done.status_code, done.json()["status"]) == (200, "closed"), done.text
        assert await self.balance(channel, sku) == 3

    async def test_what_the_stock_does_not_allow_is_refused_whole(self, channel: Channel, engine: AsyncEngine) -> None:
        sku = await channel.stocked_sku(1)
        data = {"node_id": NODE, "units": {sku: 2}, "on_hand": "too high"}
        found = await opened(channel, engine, ExceptionKind.REPORT_OUT_OF_TURN, **data)
        answer = await do(channel.http, found, "correct_stock")
        assert (answer.status_code, answer.json()["type"]) == (409, "/problems/stock-conflict")
        again = (await channel.http.get(f"/v1/exceptions/{found['id']}")).json()
        assert (again["status"], again["version"]) == ("open", found["version"])

    async def test_another_nodes_balance_is_not_ones_own(self, channel: Channel, engine: AsyncEngine) -> None:
        sku = await channel.stocked_sku(5)
        data = {"node_id": "store-london", "units": {sku: 2}}
        found = await opened(channel, engine, ExceptionKind.PARCEL_RETURNED, **data)
        limited = await key_of(engine, Role.OPERATOR, Limits.of(nodes=[NODE]))
        problem(await do(channel.http, found, "book_in", **limited), 403, "forbidden")


async def test_an_order_without_a_process_is_revived(channel: Channel, temporal_client: Client) -> None:
    order_id = await channel.place(order(await channel.stocked_sku(5)))
    await temporal_client.get_workflow_handle(f"order-{order_id}").terminate("by hand")
    problem(await channel.http.post(f"/v1/orders/{order_id}/cancel", json={}), 503, "no-process")
    found = await of_kind(channel, order_id, "no_process")
    assert (await do(channel.http, found, "revive")).status_code == 200

    async def closed() -> bool:
        return bool((await channel.http.get(f"/v1/exceptions/{found['id']}")).json()["status"] == "closed")

    await until(closed)
    assert (await do(channel.http, found, "revive")).status_code == 200, "a repeat changes nothing"
    await channel.step(f"{order_id}-F1", "pack")
    await channel.until_work(f"{order_id}-F1", "booked")
