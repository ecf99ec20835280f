"""An Idempotency-Key stands for one request: with another body it is a conflict, whatever it answered."""

from typing import Any

import httpx

from tests.api.driving import Channel, new_number, order, problem


class TestAKeyUsedAgain:
    async def test_with_another_body_is_a_conflict_on_a_cancel(self, http: httpx.AsyncClient, channel: Channel) -> None:
        order_id = await channel.place(order(await channel.stocked_sku(5), 3))
        headers = {"Idempotency-Key": new_number()}

        async def cancel(units: int) -> httpx.Response:
            lines = [{"line_id": "1", "quantity": units}]
            return await http.post(f"/v1/orders/{order_id}/cancel", json={"lines": lines}, headers=headers)

        first = await cancel(1)
        assert first.status_code == 200, first.text
        assert "request_hash" not in first.json()
        assert (await cancel(1)).json() == first.json()
        problem(await cancel(2), 409, "conflict", "Idempotency-Key")
        assert (await http.post(f"/v1/orders/{order_id}/cancel", json={})).status_code == 200
        await channel.until_order(order_id, "cancelled")
        problem(await cancel(2), 409, "conflict", "Idempotency-Key")

    async def test_with_another_body_is_a_conflict_on_each_step_of_a_return(
        self, http: httpx.AsyncClient, channel: Channel
    ) -> None:
        order_id = await channel.place(order(await channel.stocked_sku(5), 3))
        await channel.deliver(order_id)
        headers = {"Idempotency-Key": new_number()}

        async def post(path: str, body: dict[str, Any]) -> httpx.Response:
            return await http.post(f"/v1/returns{path}", json=body, headers=headers)

        asked = {"order_id": order_id, "lines": [{"line_id": "1", "quantity": 2}]}
        opened = await post("", asked)
        assert opened.status_code == 201, opened.text
        assert (await post("", asked)).status_code == 200
        problem(await post("", {**asked, "reason": "broken"}), 409, "conflict", "Idempotency-Key")
        other_order = await channel.place(order(await channel.stocked_sku(5), 3))
        await channel.deliver(other_order)
        assert (await post("", {**asked, "order_id": other_order})).status_code == 201
        here = f"/{opened.json()['return_id']}"
        assert (await post(f"{here}/receive", {})).status_code == 200
        problem(
            await post(f"{here}/receive", {"occurred_at": "2026-03-02T12:00:00Z"}), 409, "conflict", "Idempotency-Key"
        )
        found = {"lines": [{"line_id": "1", "quantity": 2, "disposition": "restock"}]}
        assert (await post(f"{here}/inspect", found)).status_code == 200
