"""Why an order is sourced as it is, through HTTP."""

from typing import Any

import httpx

from api.orders.models import Sourcing
from tests.api.driving import Channel, order, problem


async def sourcing(channel: Channel, order_id: str, query: str = "") -> dict[str, Any]:
    """The order's only decision; fails if the answer is not in the form that is documented."""
    answer = await channel.http.get(f"/v1/orders/{order_id}/sourcing{query}")
    assert answer.status_code == 200, answer.text
    Sourcing.model_validate(answer.json())
    (decision,) = answer.json()["decisions"]
    return dict(decision)


class TestSourcing:
    async def test_a_decision_with_what_it_saw_and_what_would_change_it(self, channel: Channel) -> None:
        sku = await channel.stocked_sku(5)
        await channel.receive(sku, 5, "wh-bristol")
        found = await sourcing(channel, await channel.place(order(sku)))
        assert found["snapshot"]["available"] == {sku: {"dc-daventry": 5, "wh-bristol": 5}}
        assert found["snapshot"]["network"]
        decision = found["decision"]
        assert [candidate["node_id"] for candidate in decision["candidates"]] == ["dc-daventry", "wh-bristol"]
        assert sum(decision["others"].values()) > 5
        second = decision["runner_up"]
        assert second["node_ids"] == ["wh-bristol"]
        assert sum(second["costs"].values()) == second["cost"]
        assert {change["kind"] for change in found["to_win"]} >= {"freight"}
        assert not any(change["confirmed"] for change in found["to_win"])
        assert found["explanation"] is None

    async def test_in_full_it_is_made_again(self, channel: Channel) -> None:
        sku = await channel.stocked_sku(5)
        await channel.receive(sku, 1, "dc-doncaster")
        order_id = await channel.place(order(sku, quantity=7))
        await channel.receive(sku, 50, "dc-doncaster")
        found = (await sourcing(channel, order_id, "?full=true"))["explanation"]
        assert found["reproduced"] is True
        assert found["differences"] == []
        nodes = {node["node_id"]: node for node in found["nodes"]}
        assert {nodes[node]["verdict"] for node in ("dc-daventry", "dc-doncaster")} == {"chosen"}
        assert nodes["dc-doncaster"]["stock"] == {sku: 1}
        asked = [fence["fence"] for fence in nodes["wh-bristol"]["fences"]]
        assert asked.index("stock") < len(asked) - 1, "it is asked on after the fence it failed"
        stock = [change for change in found["changes"] if change["kind"] == "stock"]
        assert stock[0]["stock"] == {sku: 1}
        assert all(change["confirmed"] and change["fills"] == 1 for change in stock)

    async def test_a_backorder_says_what_happens_next(self, channel: Channel) -> None:
        found = await sourcing(channel, await channel.place(order(await channel.stocked_sku(0))))
        assert found["decision"]["outcome"] == "waits"
        assert "No place in the network has any of the 2 units in stock now." in found["decision"]["reasons"]
        assert any("looked for again" in sentence for sentence in found["decision"]["reasons"])
        assert found["to_win"] == []

    async def test_in_full_of_an_order_that_is_not_there(self, http: httpx.AsyncClient) -> None:
        problem(await http.get("/v1/orders/web-none/sourcing?full=true"), 404, "not-found")

    async def test_full_is_yes_or_no(self, http: httpx.AsyncClient) -> None:
        problem(await http.get("/v1/orders/web-none/sourcing?full=perhaps"), 422, "invalid-input", "full")
