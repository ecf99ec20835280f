"""Availability for a place: what nobody may send or hand out there is none, and is told apart from an empty shelf."""

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.api.driving import NODE, Channel, order
from tests.api.promising import LEEDS, STORE, ask, promise

NOBODY = {"country": "AQ"}
NO_PICKUP = NODE


async def large(channel: Channel, units: int = 7, **size: Any) -> str:
    """A SKU of which a node holds some, and of a size of its own."""
    sku = await channel.stocked_sku(units)
    document = {"id": sku, "weight_grams": 300, "length_mm": 100, "width_mm": 80, "height_mm": 60, **size}
    assert (await channel.http.put(f"/v1/skus/{sku}", json=document)).status_code == 200
    return sku


def impossible(item: dict[str, Any]) -> str:
    """The reason; fails if the item says that some can be had."""
    assert (item["available"], item["level"], item["later"], item["earliest"]) == (0, "out", [], {})
    assert [node["available"] for node in item["nodes"]] == [0] * len(item["nodes"])
    assert item["cannot_be_sourced"] is True
    return str(item["reason"])


class TestWhatNoCarrierTakes:
    @pytest.mark.parametrize("size", [{"length_mm": 4_000}, {"weight_grams": 80_000}, {"weight_grams": 900_000}])
    async def test_is_not_available_at_the_place(self, channel: Channel, size: dict[str, int]) -> None:
        sku = await large(channel, **size)
        usual = await channel.stocked_sku(3)
        found, other = await ask(channel.http, sku, usual, **LEEDS)
        assert impossible(found).startswith(f"No place can send {sku} to GB, whatever it holds: ")
        assert "no carrier that takes a thing so heavy or large" in found["reason"]
        assert found["nodes"][0]["on_hand"] == 7
        assert (other["available"], other["level"]) == (3, "low")
        assert "cannot_be_sourced" not in other
        assert "reason" not in other
        plans = await promise(channel.http, (sku, 1))
        assert all(plan["unfilled"][0]["cannot_be_sourced"] for plan in plans)
        placed = await channel.http.post("/v1/orders", json=order(sku, 1))
        assert placed.json()["waiting"][0]["cannot_be_sourced"] is True

    async def test_also_in_sums_and_for_a_later_day(self, channel: Channel) -> None:
        sku, usual = await large(channel, length_mm=4_000), await channel.stocked_sku(3)
        for detail in ("node", "sku"):
            found, other = await ask(channel.http, sku, usual, day="2036-03-09", detail=detail, **LEEDS)
            impossible(found)
            assert found["on_day"] == 0
            assert (other["available"], other["on_day"]) == (3, 3)

    async def test_without_a_place_it_is_on_the_shelf(self, channel: Channel) -> None:
        sku = await large(channel, length_mm=4_000)
        (found,) = await ask(channel.http, sku)
        assert found["available"] == 7
        assert "cannot_be_sourced" not in found


class TestACountryNobodyServes:
    async def test_has_nothing(self, channel: Channel) -> None:
        sku = await channel.stocked_sku(9)
        (found,) = await ask(channel.http, sku, **NOBODY)
        assert impossible(found).startswith(f"No place can send {sku} to AQ, whatever it holds: ")

    async def test_an_empty_shelf_is_no_such_case(self, channel: Channel) -> None:
        sku = await channel.stocked_sku(0)
        (here,) = await ask(channel.http, sku, **LEEDS)
        assert (here["available"], here["level"]) == (0, "out")
        assert "cannot_be_sourced" not in here
        assert "cannot_be_sourced" in (await ask(channel.http, sku, **NOBODY))[0]


class TestOnlyWhatANodeThatServesThePlaceHolds:
    async def test_counts(self, channel: Channel) -> None:
        sku = await channel.stocked_sku(5)
        await channel.receive(sku, 4, STORE)
        document = (await channel.http.get(f"/v1/nodes/{STORE}")).json()
        try:
            await put_node(channel.http, {**document, "ships_to": ["FR"]})
            for detail in ("node", "sku"):
                (found,) = await ask(channel.http, sku, detail=detail, **LEEDS)
                assert found["available"] == 5
                assert "cannot_be_sourced" not in found
            (found,) = await ask(channel.http, sku, **LEEDS)
            assert {node["node_id"]: node["available"] for node in found["nodes"]} == {NODE: 5, STORE: 0}
            (found,) = await ask(channel.http, sku, node=STORE, **LEEDS)
            assert impossible(found)
        finally:
            await put_node(channel.http, document)


class TestWhatIsCollected:
    async def test_at_a_node_that_hands_nothing_out(self, channel: Channel) -> None:
        sku = await channel.stocked_sku(6)
        (found,) = await ask(channel.http, sku, pickup_node=NO_PICKUP)
        name = (await channel.http.get(f"/v1/nodes/{NO_PICKUP}")).json()["name"]
        assert impossible(found) == f"{name} can never hand {sku} out: it does not hand goods out."

    async def test_at_a_node_that_does(self, channel: Channel) -> None:
        sku = await channel.stocked_sku(6)
        await channel.receive(sku, 2, STORE)
        got = await channel.http.get("/v1/availability", params={"sku": sku, "pickup_node": STORE})
        posted = await channel.http.post("/v1/availability/query", json={"skus": [sku], "pickup_node": STORE})
        plan = (await promise(channel.http, (sku, 1), ship_to=None, pickup_node=STORE))[0]
        for answer in (got, posted):
            found = answer.json()["items"][0]
            assert (found["available"], found["level"]) == (2, "low")
            assert list(found["earliest"]) == ["pickup"]  # a promise that moves with the clock while the shop is open
            ready, later = (
                datetime.fromisoformat(each["earliest"]) for each in (found["earliest"]["pickup"], plan["promise"])
            )
            assert timedelta() <= later - ready < timedelta(minutes=5)
            assert "cannot_be_sourced" not in found

    @pytest.mark.parametrize(
        ("params", "kind", "field"),
        [
            ({"pickup_node": STORE, "country": "GB"}, "invalid-input", "pickup_node"),
            ({"pickup_node": "nowhere"}, "unknown-node", "pickup_node"),
        ],
    )
    async def test_what_makes_no_sense(self, channel: Channel, params: dict[str, str], kind: str, field: str) -> None:
        sku = await channel.stocked_sku(1)
        answer = await channel.http.get("/v1/availability", params={"sku": sku, **params})
        assert (answer.status_code, answer.json()["type"]) == (422, f"/problems/{kind}")
        assert answer.json()["field"] == field


class TestForAChannel:
    async def test_the_rules_are_those_of_an_order_of_the_channel(self, channel: Channel) -> None:
        """What availability calls impossible, the promise does too, and the other way round."""
        for size in ({}, {"hazmat": True}, {"oversize": True}, {"weight_grams": 25_000}, {"length_mm": 1_900}):
            sku = await large(channel, **size)
            for country in ("GB", "DE", "NO", "US", "AQ"):
                (found,) = await ask(channel.http, sku, channel="web", country=country)
                plans = await promise(channel.http, (sku, 1), ship_to={"country": country})
                never = all(any(line.get("cannot_be_sourced") for line in plan["unfilled"]) for plan in plans)
                assert found.get("cannot_be_sourced", False) is never, (size, country)
                assert bool(found["available"]) is not never, (size, country)


async def put_node(http: httpx.AsyncClient, document: dict[str, Any]) -> None:
    answer = await http.put(f"/v1/nodes/{document['id']}", json=document)
    assert answer.status_code == 200, answer.text
