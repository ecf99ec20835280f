"""Mappings of channels over HTTP: what is wrong with one, what it makes of messages that came, and its versions."""

from typing import Any

import pytest

from tests.api.driving import Channel, new_number
from tests.worlds.channel_messages import SHOP, told

SENDER = "mapped_shop"
YAML = {"content-type": "application/yaml"}


@pytest.fixture(scope="module")
async def shop(channel: Channel) -> Channel:
    registered = {"id": SENDER, "name": "A shop with a mapping"}
    assert (await channel.http.put(f"/v1/channels/{SENDER}", json=registered)).status_code in {200, 201}
    return channel


async def post(shop: Channel, step: str, text: str, **asked: Any) -> Any:
    path = f"/v1/channels/{SENDER}/mappings{step}"
    return await shop.http.post(path, content=text, headers=YAML, params=asked)


async def test_versions_are_published_and_kept(shop: Channel) -> None:
    first = await post(shop, "", SHOP.read_text(), comment="the first")
    assert first.status_code == 201, first.text
    assert (await post(shop, "", SHOP.read_text())).status_code == 200
    second = await post(shop, "", SHOP.read_text().replace("our shop", "our second shop"))
    assert second.json()["version"] == first.json()["version"] + 1
    listed = (await shop.http.get(f"/v1/channels/{SENDER}/mappings")).json()["items"]
    assert [each["name"] for each in listed[:2]] == ["our second shop", "our shop"]
    kept = await shop.http.get(f"/v1/channels/{SENDER}/mappings/{first.json()['version']}")
    assert kept.json()["source"] == SHOP.read_text()
    assert kept.json()["document"]["lines"]["each"] == "line_items"
    assert (await shop.http.get(f"/v1/channels/{SENDER}/mappings/999")).status_code == 404


async def test_mistakes_have_their_line(shop: Channel) -> None:
    wrong = SHOP.read_text().replace("  currency: currency", "  curency: currency")
    found = (await post(shop, "/lint", wrong)).json()
    assert not found["valid"]
    (line,) = [each["line"] for each in found["findings"] if each["code"] == "unknown-field"]
    assert wrong.splitlines()[line - 1].strip() == "curency: currency"
    refused = await post(shop, "", wrong)
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/mapping-invalid")
    assert {each["code"] for each in refused.json()["errors"]} == {"unknown-field", "missing-field"}


async def test_it_is_tried_on_messages_that_came(shop: Channel) -> None:
    number = new_number()
    for body in (b"no json", b"{}"):
        await shop.http.post(f"/v1/channels/{SENDER}/messages", content=body)
    await shop.http.post(f"/v1/channels/{SENDER}/messages", json=told(number, A=2))
    tried = (await post(shop, "/preview", SHOP.read_text(), messages=3)).json()
    assert tried["readable"] == 1
    newest, empty, unreadable = tried["messages"]
    assert (newest["order"]["number"], newest["faults"]) == (number, [])
    assert {"number", "lines"} <= {each["field"] for each in empty["faults"] if each["code"] == "missing"}
    assert [each["code"] for each in unreadable["faults"]] == ["unreadable"]
