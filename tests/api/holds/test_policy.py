"""The hold policy through HTTP, and what its rules do with orders that come in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from dom.holds.policy import DEFAULT
from tests.api.driving import Channel, order, problem, until

PATH = "/v1/holds/policy"
TYPES = DEFAULT.model_dump(mode="json")["types"]


@asynccontextmanager
async def rules(channel: Channel, *rules: dict[str, Any]) -> AsyncIterator[None]:
    """The rules count; afterwards there are none."""
    assert (await channel.http.put(PATH, json={"types": TYPES, "rules": rules})).status_code == 200
    yield
    assert (await channel.http.put(PATH, json={"types": TYPES})).status_code == 200


async def holds(channel: Channel, order_id: str) -> list[tuple[str, str, bool]]:
    """Type, who put it on, and whether it stands."""
    found = (await channel.http.get(f"/v1/orders/{order_id}/holds")).json()["holds"]
    return [(each["type"], each["placed_by"], each["released_at"] is None) for each in found]


class TestWriting:
    async def test_versions(self, channel: Channel) -> None:
        before = (await channel.http.get(PATH)).json()["version"]
        async with rules(channel, {"name": "all", "on": "accepted", "when": "false", "place": "manual"}):
            found = (await channel.http.get(PATH)).json()
            assert (found["version"], len(found["policy"]["rules"])) == (before + 1, 1)
            other = {"types": TYPES, "rules": []}
            stale = await channel.http.put(PATH, json=other, params={"based_on": before})
            assert problem(stale, 409, "conflict", "based_on")["data"] == {"live": before + 1}
        assert (await channel.http.get(PATH, params={"version": before + 1})).json() == found
        listed = (await channel.http.get(f"{PATH}/versions")).json()["items"]
        assert [each["version"] for each in listed[:2]] == [before + 2, before + 1]
        problem(await channel.http.get(PATH, params={"version": 99999}), 404, "not-found")

    async def test_the_same_again_is_no_new_version(self, channel: Channel) -> None:
        live = (await channel.http.get(PATH)).json()
        assert (await channel.http.put(PATH, json=live["policy"])).json()["version"] == live["version"]

    async def test_a_circle_is_refused(self, channel: Channel) -> None:
        circle = [
            {"name": "there", "on": "released", "hold": "manual", "place": "address"},
            {"name": "back", "on": "released", "hold": "address", "place": "manual"},
        ]
        answer = await channel.http.put(PATH, json={"types": TYPES, "rules": circle})
        assert "lead back" in problem(answer, 422, "invalid-input", "rules[0]")["detail"]


class TestScreening:
    async def test_a_dear_order_is_held_and_its_stock_reserved(self, channel: Channel) -> None:
        async with rules(
            channel,
            {"name": "dear", "on": "accepted", "when": "order.value > 50000", "place": "fraud"},
            {"name": "follows", "on": "placed", "hold": "fraud", "place": "manual"},
            {"name": "cleared", "on": "released", "hold": "fraud", "release": "manual"},
        ):
            sku = await channel.stocked_sku(1000)
            cheap, dear = await channel.place(order(sku, 2)), await channel.place(order(sku, 500))
            assert await holds(channel, cheap) == []
            assert await holds(channel, dear) == [
                ("fraud", "system:screening", True),
                ("manual", "system:screening", True),
            ]
            found = await channel.get(dear)
            assert (found["status"], len(found["fulfilments"])) == ("accepted", 1)
            problem(await channel.step(f"{dear}-F1", "accept"), 409, "on-hold")
            await channel.http.post(f"/v1/orders/{dear}/holds/{dear}-H1/release", json={})
            assert [stands for *_, stands in await holds(channel, dear)] == [False, False]
            await channel.deliver(dear)

    async def test_nothing_is_reserved_for_what_is_not_to_be_planned(self, channel: Channel) -> None:
        async with rules(channel, {"name": "all", "on": "accepted", "place": "unplanned"}):
            sku = await channel.stocked_sku(5)
            answer = await channel.http.post("/v1/orders", json=order(sku, 5))
            held = answer.json()["order_id"]
        assert (answer.status_code, answer.json()["promise"]) == (201, None)
        found = await channel.get(held)
        assert (found["fulfilments"], found["units_waiting"]) == ([], 5)
        other = await channel.place(order(sku, 5))
        assert (await channel.get(other))["status"] == "accepted"
        await channel.http.post(f"/v1/orders/{other}/cancel", json={})
        await channel.receive(sku, 5)
        await channel.http.post(f"/v1/orders/{held}/holds/{held}-H1/release", json={})

        async def sourced() -> Any:
            return (await channel.get(held))["fulfilments"]

        assert await until(sourced)
        await channel.deliver(held)
