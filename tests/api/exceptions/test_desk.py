"""The desk over HTTP: bound to what was seen, by whoever may, in the audit log; counts open the lists they count."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.exceptions import ExceptionKind
from dom.shared.access import Limits, Role
from store import exceptions
from tests.api.driving import Channel, new_number, order, problem
from tests.worlds.access import OPERATOR, key_of


async def opened(
    channel: Channel, engine: AsyncEngine, kind: ExceptionKind = ExceptionKind.PARCEL_LOST, **data: Any
) -> dict[str, Any]:
    """An exception of a new order, as it is listed."""
    order_id = await channel.place(order(await channel.stocked_sku(10)))
    async with engine.begin() as connection:
        await exceptions.open_(connection, order_id, kind, new_number(), f"about {order_id}", data)
    (found,) = (await channel.http.get("/v1/exceptions", params={"order": order_id})).json()["items"]
    return dict(found)


async def post(http: httpx.AsyncClient, found: dict[str, Any], step: str, **body: Any) -> httpx.Response:
    """Do something with an exception as it was seen."""
    headers = body.pop("headers", {})
    return await http.post(
        f"/v1/exceptions/{found['id']}/{step}", json={"version": found["version"], **body}, headers=headers
    )


async def after(http: httpx.AsyncClient, found: dict[str, Any], step: str, **body: Any) -> dict[str, Any]:
    """The same; answers the exception after it, as it is answered again."""
    answer = await post(http, found, step, **body)
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()
    again = (await http.get(f"/v1/exceptions/{found['id']}")).json()
    assert {**again, "age_minutes": 0} == {**shown, "age_minutes": 0}
    return shown


async def test_one_is_taken_put_off_commented_resolved_and_opened_again(channel: Channel, engine: AsyncEngine) -> None:
    http, found = channel.http, await opened(channel, engine)
    assert (found["version"], found["owner"], found["overdue"], found["age_minutes"]) == (1, None, False, 0)
    found = await after(http, found, "take")
    assert found["owner"] == OPERATOR
    found = await after(http, found, "give-back")
    found = await after(http, found, "assign", owner_role="planner")
    assert (found["owner"], found["owner_role"]) == (None, "planner")
    found = await after(http, found, "assign", owner="Ada Byrne")
    assert found["owner"] == "Ada Byrne"
    found = await after(http, found, "snooze", until="2026-12-24T10:00:00Z")
    assert (found["snoozed"], found["snoozed_until"]) == (True, "2026-12-24T10:00:00Z")
    found = await after(http, found, "snooze")
    assert (found["snoozed"], found["snoozed_until"]) == (False, None)
    found = await after(http, found, "comments", text="the carrier looks for it")
    assert [(each["author"], each["text"]) for each in found["comments"]] == [(OPERATOR, "the carrier looks for it")]
    found = await after(http, found, "resolve", resolution="the carrier pays")
    assert (found["status"], found["resolution"], found["resolved_by"]) == ("closed", "the carrier pays", OPERATOR)
    assert (found["snoozed_until"], found["actions"]) == (None, [])
    found = await after(http, found, "reopen")
    assert (found["status"], found["resolution"], found["version"]) == ("open", None, 9)
    events = (await http.get(f"/v1/orders/{found['order_id']}/timeline")).json()["events"]
    told = [each["kind"].removeprefix("exception_") for each in events if each["kind"].startswith("exception_")]
    assert told == ["assigned"] * 4 + ["snoozed", "snoozed", "commented", "resolved", "reopened"]


async def test_what_was_seen_before_is_stale_and_the_answer_says_what_is(channel: Channel, engine: AsyncEngine) -> None:
    http, seen = channel.http, await opened(channel, engine)
    now = await after(http, seen, "assign", owner="Ben")
    for step, body in (("take", {}), ("resolve", {"resolution": "done"}), ("comments", {"text": "late"})):
        refused = problem(await post(http, seen, step, **body), 409, "stale", "version")
        assert (refused["data"]["owner"], refused["data"]["version"]) == ("Ben", now["version"])
    assert (await after(http, seen, "assign", owner="Ben")) == now | {"age_minutes": 0}, "what stands is answered"


async def test_a_comment_under_a_key_is_written_once(channel: Channel, engine: AsyncEngine) -> None:
    http, found = channel.http, await opened(channel, engine)
    key = {"Idempotency-Key": new_number()}
    for _ in range(2):
        found = await after(http, found, "comments", text="once", headers=key)
    assert len(found["comments"]) == 1
    problem(await post(http, found, "comments", text="twice", headers=key), 409, "conflict", "Idempotency-Key")


@pytest.mark.parametrize(
    ("step", "body", "field"),
    [
        ("assign", {}, "owner"),
        ("assign", {"owner": "Ada", "owner_role": "planner"}, "owner"),
        ("assign", {"owner": "system:ofl"}, "owner"),
        ("snooze", {"until": "2020-01-01T00:00:00Z"}, "until"),
        ("resolve", {"resolution": ""}, "resolution"),
        ("comments", {"text": " \n "}, "text"),
    ],
)
async def test_what_cannot_be_meant_is_refused(
    channel: Channel, engine: AsyncEngine, step: str, body: dict[str, Any], field: str
) -> None:
    problem(await post(channel.http, await opened(channel, engine), step, **body), 422, "invalid-input", field)


async def test_an_exception_that_is_not_there_or_not_seen(channel: Channel, engine: AsyncEngine) -> None:
    found = await opened(channel, engine)
    problem(await channel.http.get("/v1/exceptions/999999999"), 404, "not-found")
    others = await key_of(engine, Role.SUPPORT, Limits.of(channels=["edi"]))
    problem(await post(channel.http, found, "take", headers=others), 404, "not-found")
    mine = await key_of(engine, Role.SUPPORT, Limits.of(channels=["web"]), name="Kim")
    assert (await post(channel.http, found, "take", headers=mine)).json()["owner"] == "Kim"


async def test_who_only_reads_changes_nothing(channel: Channel, engine: AsyncEngine) -> None:
    found = await opened(channel, engine)
    partner = await key_of(engine, Role.CHANNEL, Limits.of(channels=["web"]))
    refused = problem(await post(channel.http, found, "take", headers=partner), 403, "forbidden")
    assert refused["data"] == {"scope": "exceptions:work"}


async def test_what_is_done_stands_in_the_audit_log(channel: Channel, engine: AsyncEngine) -> None:
    http, found = channel.http, await opened(channel, engine)
    await after(http, found, "take")
    route = "/v1/exceptions/{exception_id}/take"
    (entry, *_) = (await http.get("/v1/access/audit", params={"route": route})).json()["items"]
    assert (entry["object"], entry["status"], entry["principal"]) == (str(found["id"]), 200, OPERATOR)


class TestCounts:
    async def test_each_count_opens_the_list_that_it_counts(self, channel: Channel, engine: AsyncEngine) -> None:
        http, order_id = channel.http, await channel.place(order(await channel.stocked_sku(10)))
        kinds = [*ExceptionKind][:7]
        async with engine.begin() as connection:
            for kind in (*kinds, *kinds[:3]):
                await exceptions.open_(connection, order_id, kind, new_number(), "counted")
        listed = (await http.get("/v1/exceptions", params={"order": order_id})).json()["items"]
        await after(http, listed[0], "take")
        await after(http, listed[1], "snooze", until="2026-12-24T10:00:00Z")
        await after(http, listed[2], "resolve", resolution="done")
        found = (await http.get("/v1/exceptions/counts", params={"order": order_id})).json()
        assert found["total"]["count"] == 9
        parts = ("by_kind", "by_severity", "by_owner_role", "by_owner", "by_overdue", "by_snoozed")
        for each in [found["total"], *(each for part in parts for each in found[part])]:
            items = (await http.get(each["list"], params=None)).json()["items"]
            assert len(items) == each["count"], each
        assert {(each["value"], each["count"]) for each in found["by_owner"]} == {(None, 8), (OPERATOR, 1)}
        mine = (await http.get("/v1/exceptions/counts", params={"order": order_id, "mine": True})).json()
        assert mine["total"]["count"] == 1
        closed = (await http.get("/v1/exceptions/counts", params={"order": order_id, "status": "closed"})).json()
        assert closed["total"]["count"] == 1

    async def test_the_limits_of_the_caller_hold_for_both(self, channel: Channel, engine: AsyncEngine) -> None:
        found = await opened(channel, engine)
        headers = await key_of(engine, Role.SUPPORT, Limits.of(channels=["edi"]))
        asked = {"order": found["order_id"]}
        counted = (await channel.http.get("/v1/exceptions/counts", params=asked, headers=headers)).json()
        listed = (await channel.http.get("/v1/exceptions", params=asked, headers=headers)).json()
        assert (counted["total"]["count"], listed["items"]) == (0, [])
        named = await channel.http.get("/v1/exceptions/counts", params={"channel": "web"}, headers=headers)
        problem(named, 403, "forbidden", "channel")

    async def test_mine_and_somebodys_is_refused(self, channel: Channel) -> None:
        asked: dict[str, str | bool] = {"mine": True, "owner": "Ada"}
        problem(await channel.http.get("/v1/exceptions", params=asked), 422, "invalid-input", "mine")


class TestWaits:
    async def test_an_order_says_what_it_waits_for_from_capture_to_its_end(self, channel: Channel) -> None:
        sku = await channel.stocked_sku(3)
        order_id = await channel.place(order(sku, 2))

        async def waits() -> list[tuple[str, str]]:
            found = (await channel.get(order_id))["waits_for"]
            assert all(each["until"] for each in found)
            return [(each["what"], each["who"]) for each in found]

        assert await waits() == [("acceptance", "node")]
        await channel.step(f"{order_id}-F1", "accept")
        assert await waits() == [("picking", "node")]
        await channel.deliver(order_id)
        assert await waits() == []

    async def test_a_hold_and_a_cancellation_that_is_asked_for_have_a_name_and_a_time(self, channel: Channel) -> None:
        order_id = await channel.place(order(await channel.stocked_sku(3), 2))
        await channel.step(f"{order_id}-F1", "pick")
        await channel.http.post(f"/v1/orders/{order_id}/holds", json={"type": "address", "reason": "no street"})
        await channel.http.post(f"/v1/orders/{order_id}/cancel", json={"mode": "ask", "reason": "he called"})
        found = (await channel.get(order_id))["waits_for"]
        assert [(each["what"], each["who"], each["name"], each["units"]) for each in found] == [
            ("hold", "staff", "address", None),
            ("cancellation", "node", "dc-daventry", 2),
            ("packing", "node", "dc-daventry", None),
        ]
        assert all(each["until"] for each in found)

    async def test_units_without_a_node_say_when_they_are_looked_at_again_and_given_up(self, channel: Channel) -> None:
        order_id = await channel.place(order(await channel.stocked_sku(2), 5))
        found = (await channel.get(order_id))["waits_for"]
        of_units = [each for each in found if each["units"]]
        assert sum(each["units"] for each in of_units) == (await channel.get(order_id))["units_waiting"] > 0
        assert all(each["until"] < each["gives_up_at"] for each in of_units)
