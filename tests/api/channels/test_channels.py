"""Channels and their rules through HTTP."""

from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.shared.access import Limits, Role
from tests.api.driving import NODE, Channel, order, problem
from tests.api.promising import new_channel, put, put_rules
from tests.worlds.access import key_of

SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"


def _field(rules: list[dict[str, Any]]) -> list[str]:
    """What is said to be at fault: a rule for every node is refused to whoever is limited to some."""
    return ["rules"] if all("node_id" in rule for rule in rules) else []


class TestChannel:
    async def test_it_is_created_replaced_and_listed(self, http: httpx.AsyncClient) -> None:
        document = new_channel(priority=1)
        problem(await http.get(f"/v1/channels/{document['id']}"), 404, "not-found")
        assert (await put(http, document)).status_code == 201
        changed = {**document, "publish": "level", "low_at": 2}
        answer = await put(http, changed)
        assert (answer.status_code, answer.json()) == (200, changed)
        assert (await http.get(f"/v1/channels/{document['id']}")).json() == changed
        later = new_channel(priority=999)
        await put(http, later)
        listed = (await http.get("/v1/channels")).json()["items"]
        assert listed.index(changed) < listed.index(later)
        assert [each["priority"] for each in listed] == sorted(each["priority"] for each in listed)

    async def test_the_secret_goes_in_and_never_comes_out(self, http: httpx.AsyncClient) -> None:
        document = new_channel(webhook_url="https://shop.example/hooks")
        problem(await put(http, document), 422, "invalid-input", "webhook_secret")
        problem(await http.get(f"/v1/channels/{document['id']}"), 404, "not-found")
        answers = [await put(http, {**document, "webhook_secret": SECRET}), await put(http, document)]
        answers += [await http.get(f"/v1/channels/{document['id']}"), await http.get("/v1/channels")]
        assert [answer.status_code for answer in answers] == [201, 200, 200, 200]
        assert not any("secret" in answer.text or SECRET in answer.text for answer in answers)

    @pytest.mark.parametrize(
        "secret", ["", "C2FVsBQIhrscChlQIMV+b5sSYspob7oD", "whsec_short", "whsec_!!!", "whsec_AAAA"]
    )
    async def test_a_secret_that_cannot_sign_is_refused(self, http: httpx.AsyncClient, secret: str) -> None:
        body = problem(await put(http, new_channel(webhook_secret=secret)), 422, "invalid-input", "webhook_secret")
        assert secret == "" or secret not in body["detail"]

    @pytest.mark.parametrize("url", ["shop.example", "ftp://shop.example", "http://", "https://shop.example:x/"])
    async def test_a_webhook_url_that_leads_nowhere(self, http: httpx.AsyncClient, url: str) -> None:
        document = new_channel(webhook_url=url, webhook_secret=SECRET)
        problem(await put(http, document), 422, "invalid-input", "webhook_url")

    async def test_the_address_and_the_body_agree(self, http: httpx.AsyncClient) -> None:
        answer = await http.put("/v1/channels/other", json=new_channel())
        problem(answer, 422, "invalid-input", "id")


class TestRules:
    async def test_they_are_replaced_as_a_whole(self, http: httpx.AsyncClient) -> None:
        document = new_channel()
        problem(await put_rules(http, document["id"]), 404, "not-found")
        problem(await http.get(f"/v1/channels/{document['id']}/rules"), 404, "not-found")
        await put(http, document)
        everywhere = {"sku": None, "node_id": None, "buffer": 2, "share": 50, "excluded": False}
        here = {**everywhere, "node_id": NODE, "excluded": True}
        assert (await put_rules(http, document["id"], here, everywhere)).json() == {"rules": [everywhere, here]}
        assert (await put_rules(http, document["id"], here)).json() == {"rules": [here]}
        assert (await http.get(f"/v1/channels/{document['id']}/rules")).json() == {"rules": [here]}
        assert (await put_rules(http, document["id"])).json() == {"rules": []}

    async def test_those_of_nodes_that_are_not_the_callers_stay(
        self, http: httpx.AsyncClient, engine: AsyncEngine
    ) -> None:
        document = new_channel()
        await put(http, document)
        mine = await key_of(engine, Role.PLANNER, Limits.of(nodes=[NODE]))
        url = f"/v1/channels/{document['id']}/rules"
        own, foreign = ({"node_id": node, "excluded": True} for node in (NODE, "dc-doncaster"))
        assert (await http.put(url, json={"rules": [own]}, headers=mine)).status_code == 200
        changes: list[list[dict[str, Any]]] = [[own, foreign], [own, {"buffer": 1}]]
        for rules in changes:
            problem(await http.put(url, json={"rules": rules}, headers=mine), 403, "forbidden", *_field(rules))
        kept = (await put_rules(http, document["id"], own, foreign)).json()
        problem(await http.put(url, json={"rules": [own]}, headers=mine), 403, "forbidden", "rules")
        assert (await http.get(url)).json() == kept
        assert (await http.put(url, json={"rules": [foreign]}, headers=mine)).status_code == 200

    async def test_every_wrong_rule_is_named_and_none_is_kept(self, http: httpx.AsyncClient) -> None:
        document = new_channel()
        await put(http, document)
        await put_rules(http, document["id"], {"buffer": 1})
        good, twice = {"node_id": NODE}, {"node_id": NODE, "buffer": 3}
        wrong: list[dict[str, Any]] = [good, {"sku": "no such", "node_id": "nowhere"}, {"sku": "none either"}, twice]
        body = problem(await put_rules(http, document["id"], *wrong), 422, "invalid-input", "rules[1].node_id")
        assert [(e["index"], e["field"], e["type"]) for e in body["data"]["errors"]] == [
            (1, "rules[1].node_id", "/problems/unknown-node"),
            (1, "rules[1].sku", "/problems/unknown-sku"),
            (2, "rules[2].sku", "/problems/unknown-sku"),
            (3, "rules[3]", "/problems/invalid-input"),
        ]
        rules = (await http.get(f"/v1/channels/{document['id']}/rules")).json()["rules"]
        assert [rule["buffer"] for rule in rules] == [1]

    @pytest.mark.parametrize("rule", [{"share": 101}, {"share": -1}, {"buffer": -1}, {"bufer": 1}])
    async def test_a_rule_that_makes_no_sense(self, http: httpx.AsyncClient, rule: dict[str, int]) -> None:
        document = new_channel()
        await put(http, document)
        problem(await put_rules(http, document["id"], rule), 422, "invalid-input", f"rules[0].{next(iter(rule))}")

    async def test_an_order_gets_what_its_channel_may_have(self, channel: Channel) -> None:
        document = new_channel()
        await put(channel.http, document)
        sku = await channel.stocked_sku(10)
        await put_rules(channel.http, document["id"], {"sku": sku, "buffer": 4, "share": 50})
        params = {"sku": sku, "channel": document["id"]}
        item = (await channel.http.get("/v1/availability", params=params)).json()["items"][0]
        assert (item["available"], item["level"]) == (3, "low")
        order_id = await channel.place(order(sku, quantity=4, channel=document["id"]))
        line = (await channel.get(order_id))["lines"][0]
        assert (line["allocated"], line["backordered"]) == (3, 1)
