"""Watches over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.shared.access import Limits, Role
from tests.api.driving import Channel, problem
from tests.worlds.access import key_of

WATCH: dict[str, Any] = {
    "name": "late-parcel",
    "description": "The carrier has not delivered",
    "subject": "fulfilment",
    "after": ["fulfilment_handed_over"],
    "milestone": "fulfilment_delivered",
    "within_minutes": 7200,
    "severity": "minor",
    "owner_role": "support",
    "active": True,
}


async def test_one_is_made_read_replaced_and_taken_away(channel: Channel) -> None:
    http = channel.http
    assert (await http.put("/v1/watches/late-parcel", json=WATCH)).status_code == 201
    assert (await http.get("/v1/watches/late-parcel")).json() == WATCH
    assert WATCH in (await http.get("/v1/watches")).json()["items"]
    slower = WATCH | {"within_minutes": 14400}
    assert (await http.put("/v1/watches/late-parcel", json=slower)).status_code == 200
    assert (await http.delete("/v1/watches/late-parcel")).json() == slower
    problem(await http.get("/v1/watches/late-parcel"), 404, "not-found")
    problem(await http.delete("/v1/watches/late-parcel"), 404, "not-found")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "another"}, "name"),
        ({"milestone": "fulfilment_handed_over"}, "after[0]"),
        ({"milestone": "fulfilment_packed"}, "after[0]"),
        ({"milestone": "return_received"}, "milestone"),
        ({"within_minutes": 1}, "within_minutes"),
        ({"milestone": "nonsense"}, "milestone"),
    ],
)
async def test_one_that_could_not_work_is_refused(channel: Channel, change: dict[str, Any], field: str) -> None:
    answer = await channel.http.put("/v1/watches/late-parcel", json=WATCH | change)
    body = answer.json()
    assert (answer.status_code, body["type"]) == (422, "/problems/invalid-input"), body
    assert field in {body.get("field"), *(each["field"] for each in body.get("errors", []))}
    problem(await channel.http.get("/v1/watches/late-parcel"), 404, "not-found")


async def test_watches_are_of_all_channels_and_nodes(channel: Channel, engine: AsyncEngine) -> None:
    limited = await key_of(engine, Role.PLANNER, Limits.of(channels=["web"]))
    problem(await channel.http.put("/v1/watches/late-parcel", json=WATCH, headers=limited), 403, "forbidden")
    support = await key_of(engine, Role.SUPPORT, Limits())
    assert (await channel.http.get("/v1/watches", headers=support)).status_code == 200
    refused = problem(await channel.http.put("/v1/watches/late-parcel", json=WATCH, headers=support), 403, "forbidden")
    assert refused["data"] == {"scope": "watches:write"}
