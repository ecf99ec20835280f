"""A channel sends what it has; what became of it is seen, repaired and replayed."""

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.shared.access import Limits, Role
from tests.api.driving import Channel, new_number, until
from tests.worlds.access import key_of
from tests.worlds.channel_messages import SHOP, told

SENDER = "inbox_shop"
"""A channel of these tests alone."""


@pytest.fixture(scope="module")
async def shop(channel: Channel) -> Channel:
    http = channel.http
    registered = {"id": SENDER, "name": "A shop that sends"}
    assert (await http.put(f"/v1/channels/{SENDER}", json=registered)).status_code in {200, 201}
    published = await http.post(
        f"/v1/channels/{SENDER}/mappings", content=SHOP.read_text(), headers={"content-type": "application/yaml"}
    )
    assert published.status_code in {200, 201}, published.text
    return channel


async def sent(shop: Channel, message: Any, delivery: str) -> dict[str, Any]:
    answer = await shop.http.post(
        f"/v1/channels/{SENDER}/messages", json=message, headers={"webhook-id": f"{SENDER}-{delivery}"}
    )
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


async def settled(shop: Channel, number: int) -> Mapping[str, Any]:
    """The message, once it is known what became of it."""
    seen: dict[str, Any] = {}

    async def known() -> bool:
        seen.update((await shop.http.get(f"/v1/inbox/{number}")).json())
        return bool(seen["outcome"] != "received")

    await until(known, 60)
    return seen


async def test_a_message_becomes_an_order(shop: Channel) -> None:
    sku, number = await shop.stocked_sku(5), new_number()
    kept = await sent(shop, told(number, skus={sku: 2}), number)
    assert not kept["repeated"]
    seen = await settled(shop, kept["id"])
    assert (seen["outcome"], seen["order_id"], seen["order_number"]) == ("captured", f"{SENDER}-{number}", number)
    assert (await shop.http.get(f"/v1/orders/{seen['order_id']}")).json()["lines"][0]["ordered"] == 2
    assert "x-api-key" not in seen["headers"]
    again = await sent(shop, told(number, skus={sku: 2}), number)
    assert again == {"id": kept["id"], "repeated": True}
    assert (await shop.http.get(f"/v1/inbox/{kept['id']}")).json()["repeats"] == 1


async def test_what_nobody_knows_waits_is_repaired_and_goes_on(shop: Channel) -> None:
    sku, number = await shop.stocked_sku(5), new_number()
    kept = await sent(shop, told(number, NOBODYS=1), number)
    seen = await settled(shop, kept["id"])
    assert seen["outcome"] == "quarantined"
    assert [(each["field"], each["code"]) for each in seen["faults"]] == [("lines[0].sku", "unknown-sku")]
    waiting = await shop.http.get("/v1/inbox", params={"channel": SENDER, "outcome": "quarantined"})
    assert kept["id"] in [each["id"] for each in waiting.json()["items"]]
    repaired = await shop.http.post(f"/v1/inbox/{kept['id']}/replay", json={"repairs": {"lines[0].sku": sku}})
    assert repaired.status_code == 200, repaired.text
    assert (await settled(shop, kept["id"]))["outcome"] == "captured"
    over = await shop.http.post(f"/v1/inbox/{kept['id']}/replay", json={})
    assert (over.status_code, over.json()["data"]) == (409, {"outcome": "captured"})


async def test_all_that_came_is_accounted_for(shop: Channel) -> None:
    number = new_number()
    for delivery in ("1", "2", "1"):
        await sent(shop, {"number": delivery}, f"{number}-{delivery}")
    (day,) = (await shop.http.get("/v1/inbox/balance", params={"channel": SENDER, "days": 1})).json()["items"]
    assert day["received"] == day["repeated"] + sum(day["outcomes"].values())
    assert day["outcomes"]["quarantined"] >= 2


async def test_a_channel_sees_its_own_alone(shop: Channel, engine: AsyncEngine) -> None:
    kept = await sent(shop, {}, new_number())
    other = await key_of(engine, Role.CHANNEL, Limits.of(channels=["web"]))
    assert (await shop.http.get(f"/v1/inbox/{kept['id']}", headers=other)).status_code == 404
    listed = await shop.http.get("/v1/inbox", params={"channel": SENDER}, headers=other)
    assert listed.json()["items"] == []
    refused = await shop.http.post(f"/v1/channels/{SENDER}/messages", json={}, headers=other)
    assert refused.status_code == 403


@pytest.mark.parametrize("repairs", [{"lines[0]": 1, "bad field": 2}, {"lines[0].sku": {"a": 1}}, {"": "x"}, 7])
async def test_a_repair_that_is_none_is_refused(shop: Channel, repairs: object) -> None:
    kept = await sent(shop, {}, new_number())
    answer = await shop.http.post(f"/v1/inbox/{kept['id']}/replay", json={"repairs": repairs})
    assert answer.status_code == 422, answer.text


async def test_what_nobody_wants_is_dismissed(shop: Channel, engine: AsyncEngine) -> None:
    kept = await sent(shop, {}, new_number())
    assert (await settled(shop, kept["id"]))["outcome"] == "quarantined"
    path = f"/v1/inbox/{kept['id']}/dismiss"
    unsaid = await shop.http.post(path, json={"reason": ""})
    assert (unsaid.status_code, unsaid.json()["field"]) == (422, "reason")
    other = await key_of(engine, Role.SUPPORT, Limits.of(channels=["web"]))
    assert (await shop.http.post(path, json={"reason": "mine"}, headers=other)).status_code == 404
    for _ in range(2):
        done = await shop.http.post(path, json={"reason": "a test"})
        assert (done.status_code, done.json()["outcome"]) == (200, "dismissed"), done.text
    assert done.json()["detail"].endswith(": a test")
    again = await shop.http.post(f"/v1/inbox/{kept['id']}/replay", json={})
    assert again.json()["outcome"] == "quarantined", "it is read again, and is no better"


async def test_what_became_an_order_is_not_dismissed(shop: Channel) -> None:
    sku, number = await shop.stocked_sku(1), new_number()
    kept = await sent(shop, told(number, skus={sku: 1}), number)
    assert (await settled(shop, kept["id"]))["outcome"] == "captured"
    refused = await shop.http.post(f"/v1/inbox/{kept['id']}/dismiss", json={"reason": "late"})
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/conflict")


async def test_what_is_empty_is_no_message(shop: Channel) -> None:
    answer = await shop.http.post(f"/v1/channels/{SENDER}/messages", content=b"")
    assert (answer.status_code, answer.json()["field"]) == (422, "body")


async def test_a_channel_nobody_registered(shop: Channel) -> None:
    answer = await shop.http.post("/v1/channels/nobodys/messages", json={})
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/unknown-channel")


async def test_a_proposal_is_accepted_and_messages_alike_are_replayed(shop: Channel) -> None:
    number, other = new_number(), new_number()
    sku, wrong = f"QUARTZLANTERN-{number}", f"QUARTZLANTRN-{number}"  # the tests' other SKUs are like each other
    document = {"id": sku, "weight_grams": 300, "length_mm": 100, "width_mm": 80, "height_mm": 60}
    assert (await shop.http.put(f"/v1/skus/{sku}", json=document)).status_code == 201
    await shop.receive(sku, 5)
    kept = [await sent(shop, told(each, skus={wrong: 1}), each) for each in (number, other)]
    seen = [await settled(shop, each["id"]) for each in kept]
    assert [each["outcome"] for each in seen] == ["quarantined"] * 2
    found = [each for each in seen[0]["corrections"] if each["after"] == sku]
    assert [each["status"] for each in found] == ["proposed"]
    check = f"/v1/inbox/{kept[0]['id']}/check"
    as_it_is = (await shop.http.post(check, json={})).json()
    assert (as_it_is["order"], [each["code"] for each in as_it_is["faults"]]) == (None, ["unknown-sku"])
    repaired = (await shop.http.post(check, json={"repairs": {"lines[0].sku": sku}})).json()
    assert (repaired["order"]["lines"][0]["sku"], repaired["faults"]) == (sku, [])
    path = f"/v1/inbox/{kept[0]['id']}/corrections/{found[0]['id']}"
    accepted = await shop.http.post(f"{path}/accept")
    assert accepted.status_code == 200, accepted.text
    assert (await settled(shop, kept[0]["id"]))["outcome"] == "captured"
    assert (await shop.http.post(f"{path}/reject")).status_code == 409
    alike = {"channel": SENDER, "code": "unknown-sku", "field": "lines[*].sku", "value": wrong, "repair": sku}
    replayed = await shop.http.post("/v1/inbox/replay", json=alike)
    assert [each["id"] for each in replayed.json()["items"]] == [kept[1]["id"]]
    assert (await settled(shop, kept[1]["id"]))["outcome"] == "captured"
    rates = (await shop.http.get("/v1/inbox/corrections/rates", params={"channel": SENDER})).json()["items"]
    assert sum(each["accepted"] for each in rates[0]["rules"]) >= 1
    assert rates[0]["messages"] >= 2


async def test_a_rule_is_made_of_a_repair(shop: Channel) -> None:
    path = f"/v1/channels/{SENDER}/correction-rules"
    made = await shop.http.post(path, json={"field": "lines[3].sku", "before": "OLD-1", "after": "85123"})
    assert (made.status_code, made.json()["field"], made.json()["after"]) == (201, "lines[*].sku", "85123")
    rule = f"{path}/{made.json()['id']}"
    assert (await shop.http.post(f"{rule}/publish")).status_code == 409
    tried = (await shop.http.post(f"{rule}/rehearse")).json()
    assert (tried["status"], tried["rehearsal"]["complete"]) == ("rehearsed", True)
    assert [(await shop.http.post(f"{rule}/{step}")).json()["status"] for step in ("publish", "retire")] == [
        "live",
        "retired",
    ]
    assert made.json()["id"] in [each["id"] for each in (await shop.http.get(path)).json()["items"]]
    refused = await shop.http.post(path, json={"field": "number", "before": "x", "after": "y"})
    assert (refused.status_code, refused.json()["field"]) == (422, "field")
