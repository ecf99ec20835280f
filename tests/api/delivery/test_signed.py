"""What carriers report can be signed: only what is, and is fresh, counts; nothing else is read any further."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from standardwebhooks.webhooks import Webhook

from dom.shared.access import Limits, Role
from tests.api.driving import Channel, booked, new_number, problem
from tests.worlds.access import OPERATOR, key_of
from tests.worlds.books import rows

SECRETS = "/v1/access/secrets"


class Carrier:
    """A carrier as it reports: with the key of one, and a signature made by the specification's own library."""

    def __init__(self, http: httpx.AsyncClient, key: dict[str, str], work: dict[str, Any]) -> None:
        self.http = http
        self.key = key
        self.work = work
        self.name = work["carrier"]

    def feed(self) -> bytes:
        """A scan nobody has reported yet."""
        scan = {
            "event_id": new_number(),
            "tracking_number": self.work["tracking_number"],
            "kind": "in_transit",
            "occurred_at": "2026-03-04T11:02:00Z",
        }
        return json.dumps({"events": [scan]}).encode()

    async def send(self, body: bytes, headers: dict[str, str]) -> httpx.Response:
        sent = {"content-type": "application/json", **self.key, **headers}
        return await self.http.post(f"/v1/carriers/{self.name}/events", content=body, headers=sent)

    async def secret(self, http: httpx.AsyncClient, **given: Any) -> dict[str, Any]:
        """A new secret of the carrier."""
        made = await http.post(SECRETS, json={"carrier": self.name, **given})
        assert made.status_code == 201, made.text
        return dict(made.json())


def signed(secret: str, body: bytes, ago: float = 0, message: str = "msg-1") -> dict[str, str]:
    """The headers of a message that was signed so many seconds ago."""
    at = datetime.now(UTC) - timedelta(seconds=ago)
    return {
        "webhook-id": message,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(msg_id=message, timestamp=at, data=body.decode()),
    }


@pytest.fixture
async def carrier(channel: Channel, engine: AsyncEngine) -> AsyncIterator[Carrier]:
    """One with a parcel under way; afterwards it need not sign any more."""
    _, _, work = await booked(channel)
    key = await key_of(engine, Role.CARRIER, Limits.of(carriers=[work["carrier"]]))
    yield Carrier(channel.http, key, work)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE signing_secrets SET revoked_at = now(), revoked_by = 'tests'"))


async def scans(engine: AsyncEngine, carrier: Carrier) -> int:
    """How many scans of the parcel are written down."""
    found = "SELECT count(*) FROM carrier_events WHERE tracking_number = :parcel"
    ((number,),) = await rows(engine, found, parcel=carrier.work["tracking_number"])
    return int(number)


class TestSigned:
    async def test_one_that_is_counts(self, carrier: Carrier, engine: AsyncEngine) -> None:
        body = carrier.feed()
        assert (await carrier.send(body, {})).status_code == 200, "without a secret nothing need be signed"
        made = await carrier.secret(carrier.http)
        body = carrier.feed()
        answer = await carrier.send(body, signed(made["secret"], body))
        assert answer.json()["results"][0]["status"] == "recorded", answer.text
        assert await scans(engine, carrier) == 2
        shown = (await carrier.http.get(f"{SECRETS}/{made['id']}")).json()
        assert shown["last_used_at"] is not None

    async def test_one_that_comes_again_is_a_repeat(self, carrier: Carrier, engine: AsyncEngine) -> None:
        secret = (await carrier.secret(carrier.http))["secret"]
        body = carrier.feed()
        headers = signed(secret, body, ago=200)
        told = [(await carrier.send(body, headers)).json()["results"][0]["status"] for _ in range(2)]
        assert told == ["recorded", "repeated"]
        assert await scans(engine, carrier) == 1

    @pytest.mark.parametrize(
        "wrong",
        [
            "no signature", "an old one", "one of the future", "changed body", "another id", "another time",
            "another secret", "no id", "no time", "nonsense", "another version", "time of nonsense", "not ascii",
        ],
    )  # fmt: skip
    async def test_any_other_is_refused(self, carrier: Carrier, engine: AsyncEngine, wrong: str) -> None:
        secret = (await carrier.secret(carrier.http))["secret"]
        body = carrier.feed()
        headers, sent = signed(secret, body), body
        if wrong == "no signature":
            headers = {}
        elif wrong == "an old one":
            headers = signed(secret, body, ago=301)
        elif wrong == "one of the future":
            headers = signed(secret, body, ago=-305)
        elif wrong == "changed body":
            sent = body.replace(b"in_transit", b"delivered")
        elif wrong == "another id":
            headers["webhook-id"] = "msg-2"
        elif wrong == "another time":
            headers["webhook-timestamp"] = str(int(headers["webhook-timestamp"]) + 1)
        elif wrong == "another secret":
            headers = signed("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", body)
        elif wrong in {"no id", "no time"}:
            del headers["webhook-id" if wrong == "no id" else "webhook-timestamp"]
        elif wrong == "time of nonsense":
            headers["webhook-timestamp"] = "nan"
        else:
            told = headers["webhook-signature"].removeprefix("v1,")
            as_ = {"nonsense": "v1", "another version": f"v2,{told}", "not ascii": "v1,\u00e9"}
            headers["webhook-signature"] = as_[wrong].encode("latin-1").decode("latin-1")
        before = await scans(engine, carrier)
        raw = {name: value.encode("latin-1") for name, value in headers.items()}
        answer = await carrier.send(sent, raw)  # type: ignore[arg-type]
        problem(answer, 401, "bad-signature")
        assert answer.headers["www-authenticate"].startswith("Webhook-Signature ")
        assert secret not in answer.text
        assert await scans(engine, carrier) == before
        noted = (
            await carrier.http.get("/v1/access/audit", params={"request_id": answer.headers["x-request-id"]})
        ).json()["items"]
        assert [(each["status"], each["object"]) for each in noted] == [(401, carrier.name)]

    async def test_it_is_asked_for_before_the_input_and_after_whose_it_is(
        self, carrier: Carrier, engine: AsyncEngine
    ) -> None:
        await carrier.secret(carrier.http)
        problem(await carrier.send(b'{"events": []}', {}), 401, "bad-signature")
        other = await key_of(engine, Role.CARRIER, Limits.of(carriers=["nobody"]))
        carrier.key = other
        problem(await carrier.send(carrier.feed(), {}), 403, "forbidden")

    async def test_a_body_that_is_no_text_is_refused(self, carrier: Carrier) -> None:
        secret = (await carrier.secret(carrier.http))["secret"]
        answer = await carrier.send(b'{"events": "\xff"}', signed(secret, b"{}"))
        assert answer.status_code in {400, 401}


class TestRotation:
    async def test_both_count_until_the_overlap_ends(self, carrier: Carrier) -> None:
        old = await carrier.secret(carrier.http)
        answer = await carrier.http.post(f"{SECRETS}/{old['id']}/rotate", json={"overlap_seconds": 60})
        new = answer.json()
        assert (new["carrier"], new["rotated_from"]) == (carrier.name, old["id"])
        for secret in (old["secret"], new["secret"]):
            body = carrier.feed()
            assert (await carrier.send(body, signed(secret, body))).status_code == 200
        body = carrier.feed()
        both = signed(old["secret"], body)
        both["webhook-signature"] = f"v1,AAAA {both['webhook-signature']}"
        assert (await carrier.send(body, both)).status_code == 200, "one of several that counts is enough"

    async def test_without_overlap_the_old_one_counts_no_more(self, carrier: Carrier) -> None:
        old = await carrier.secret(carrier.http)
        new = (await carrier.http.post(f"{SECRETS}/{old['id']}/rotate", json={"overlap_seconds": 0})).json()
        body = carrier.feed()
        problem(await carrier.send(body, signed(old["secret"], body)), 401, "bad-signature")
        assert (await carrier.send(body, signed(new["secret"], body))).status_code == 200
        problem(await carrier.http.post(f"{SECRETS}/{old['id']}/rotate"), 409, "conflict")

    async def test_one_that_expired_opens_no_door_and_only_the_last_revocation_does(
        self, carrier: Carrier, engine: AsyncEngine
    ) -> None:
        first, second = await carrier.secret(carrier.http), await carrier.secret(carrier.http)
        async with engine.begin() as connection:
            await connection.execute(
                text("UPDATE signing_secrets SET expires_at = now() - interval '1 s' WHERE id = :id"),
                {"id": first["id"]},
            )
        assert (await carrier.http.post(f"{SECRETS}/{second['id']}/revoke")).json()["revoked_by"] == OPERATOR
        body = carrier.feed()
        for headers in ({}, signed(first["secret"], body), signed(second["secret"], body)):
            problem(await carrier.send(body, headers), 401, "bad-signature")
        assert (await carrier.http.post(f"{SECRETS}/{first['id']}/revoke")).status_code == 200
        assert (await carrier.send(body, {})).status_code == 200


class TestSecrets:
    async def test_one_is_shown_once(self, carrier: Carrier) -> None:
        http, made = carrier.http, await carrier.secret(carrier.http)
        assert made["secret"].startswith("whsec_")
        listed = await http.get(SECRETS, params={"carrier": carrier.name})
        shown = await http.get(f"{SECRETS}/{made['id']}")
        assert made["id"] in {each["id"] for each in listed.json()["items"]}
        assert made["secret"] not in listed.text + shown.text
        first = (await http.get(SECRETS, params={"limit": 1})).json()
        await carrier.secret(http)
        assert first["items"][0]["id"] == made["id"]

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"carrier": "nobody"}, "carrier"),
            ({"carrier": ""}, "carrier"),
            ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
            ({"secret": "whsec_mine"}, "secret"),
        ],
    )
    async def test_what_cannot_be(self, http: httpx.AsyncClient, changes: dict[str, Any], field: str) -> None:
        answer = await http.post(SECRETS, json={"carrier": "northline"} | changes)
        problem(answer, 422, "invalid-input", field)

    async def test_who_could_not_make_the_carriers_key_makes_no_secret(
        self, carrier: Carrier, engine: AsyncEngine
    ) -> None:
        limited = await key_of(engine, Role.OPERATOR, Limits.of(channels=["web"]))
        made = await carrier.secret(carrier.http)
        asked = await carrier.http.post(SECRETS, json={"carrier": carrier.name}, headers=limited)
        problem(asked, 403, "forbidden")
        for step in ("rotate", "revoke"):
            answer = await carrier.http.post(f"{SECRETS}/{made['id']}/{step}", headers=limited)
            problem(answer, 403, "forbidden")
        assert (await carrier.http.get(SECRETS, headers=limited)).json()["items"] == []

    async def test_what_was_made_is_where_the_answer_says_and_in_the_audit_log(self, carrier: Carrier) -> None:
        http = carrier.http
        made = await http.post(SECRETS, json={"carrier": carrier.name})
        assert (await http.get(made.headers["location"])).json()["id"] == made.json()["id"]
        noted = await http.get("/v1/access/audit", params={"request_id": made.headers["x-request-id"]})
        assert noted.json()["items"][0]["object"] == made.json()["id"]
        assert made.json()["secret"] not in noted.text
