"""Rehearsals and shadows through HTTP: asked for, run by the keeper, read as JSON or as a page."""

from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from jobs.rehearsing import Rehearsing
from jobs.shadowing import Shadowing
from tests.api.driving import Channel, order, problem
from tests.worlds.access import OPERATOR

URL = "/v1/ofl/rehearsals"
SHADOWS = "/v1/ofl/shadows"
POLICY: dict[str, Any] = {"name": "one parcel", "strategies": [{"name": "all", "split": {"maximum_shipments": 1}}]}


async def run_out(engine: AsyncEngine) -> None:
    job = Rehearsing(engine)
    while await job.run():
        pass


async def asked(http: httpx.AsyncClient, **body: Any) -> dict[str, Any]:
    answer = await http.post(URL, json=body)
    assert answer.status_code == 202, answer.text
    found: dict[str, Any] = answer.json()
    assert answer.headers["Location"] == found["links"]["self"]
    return found


class TestRehearsals:
    async def test_of_the_live_policy(self, channel: Channel, engine: AsyncEngine) -> None:
        http, sku = channel.http, await channel.stocked_sku(5)
        await channel.place(order(sku, quantity=2))
        found = await asked(http, orders="all")
        assert (found["status"], found["figures"], found["asked_by"]) == ("queued", None, OPERATOR)
        problem(await http.get(found["links"]["report"]), 409, "conflict")
        await run_out(engine)
        done = (await http.get(found["links"]["self"])).json()
        assert done["status"] == "done"
        assert done["figures"]["orders_changed"] == 0
        assert done["done"] == done["total"] == done["figures"]["decisions_the_same"]
        assert done["figures"]["baseline"] == done["figures"]["draft"]

    async def test_the_report_is_what_the_caller_accepts(self, http: httpx.AsyncClient, engine: AsyncEngine) -> None:
        found = await asked(http, policy=POLICY, orders="last-5-orders")
        await run_out(engine)
        where = found["links"]["report"]
        data = await http.get(where)
        assert data.json()["made"]["draft"] == "one parcel"
        page = await http.get(where, headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
        assert page.headers["content-type"].startswith("text/html")
        assert page.text.startswith("<!doctype html>")
        assert "Rehearsal of one parcel" in page.text
        assert "<script" not in page.text
        assert "http://" not in page.text.replace("http://www.w3.org", "")
        for header in ("application/json", "application/json, text/html", "*/*"):
            assert (await http.get(where, headers={"Accept": header})).json() == data.json()

    async def test_a_version_and_an_unknown_one(self, http: httpx.AsyncClient) -> None:
        assert (await asked(http, which="live"))["policy_name"].startswith("version ")
        assert (await asked(http, which="1"))["policy_name"] == "version 1 (default)"
        problem(await http.post(URL, json={"which": "99"}), 404, "not-found")
        problem(await http.post(URL, json={"which": "draft:none"}), 404, "not-found")

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"orders": "some"}, "orders"),
            ({"orders": "2026-02-02..2026-02-01"}, "orders"),
            ({"policy": {"name": "x"}}, "policy.strategies"),
            ({"policies": 1}, "policies"),
            ({"which": "newest"}, "which"),
        ],
    )
    async def test_what_is_wrong_is_named(self, http: httpx.AsyncClient, body: dict[str, Any], field: str) -> None:
        problem(await http.post(URL, json=body), 422, "invalid-input", field)

    async def test_they_are_listed_page_by_page_and_taken_away(self, http: httpx.AsyncClient) -> None:
        ids = [(await asked(http, which="live"))["id"] for _ in range(3)]
        first = (await http.get(URL, params={"status": "queued", "limit": 2})).json()
        assert [each["id"] for each in first["items"]] == [ids[2], ids[1]]
        rest = (await http.get(URL, params={"limit": 2, "cursor": first["next_cursor"], "status": "queued"})).json()
        assert rest["items"][0]["id"] == ids[0]
        assert (await http.delete(f"{URL}/{ids[0]}")).json()["id"] == ids[0]
        problem(await http.delete(f"{URL}/{ids[0]}"), 404, "not-found")
        problem(await http.get(f"{URL}/{ids[0]}"), 404, "not-found")
        problem(await http.get(f"{URL}/{ids[0]}/report"), 404, "not-found")
        assert not (await http.get(URL, params={"status": "failed"})).json()["items"]


class TestShadows:
    async def test_one_is_started_read_and_stopped(self, http: httpx.AsyncClient, engine: AsyncEngine) -> None:
        where = f"{SHADOWS}/one-parcel"
        problem(await http.post(where, json={}), 404, "not-found")
        started = await http.post(where, json={"policy": POLICY})
        assert started.status_code == 201, started.text
        assert started.headers["Location"] == where
        problem(await http.post(where, json={"policy": POLICY}), 409, "conflict", "name")
        await Shadowing(engine).run()
        found = (await http.get(where)).json()
        assert (found["running"], found["started_by"], found["differences"]) == (True, OPERATOR, [])
        assert not (await http.delete(where)).json()["running"]
        problem(await http.delete(where), 404, "not-found")
        listed = (await http.get(SHADOWS)).json()["items"]
        (ended,) = [each for each in listed if each["name"] == "one-parcel"]
        assert (ended["running"], ended["ended_by"]) == (False, OPERATOR)

    async def test_a_name_that_is_none(self, http: httpx.AsyncClient) -> None:
        problem(await http.get(f"{SHADOWS}/nobody"), 404, "not-found")
        problem(await http.get(f"{SHADOWS}/No-Body"), 422, "invalid-input", "name")
        both = {"which": "1", "policy": POLICY}
        problem(await http.post(f"{SHADOWS}/both", json=both), 422, "invalid-input", "body")
