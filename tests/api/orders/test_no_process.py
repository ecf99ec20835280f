"""What the API says of orders whose process somebody terminated, and of requests that were refused."""

import asyncio
from typing import Any

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client, WorkflowExecutionStatus

from cli.orders_commands import Servers
from dom.shared import ids
from settings import Settings
from tests.api.driving import Channel, new_number, order, problem, until
from tests.worlds.books import agree, one
from tests.worlds.seen import attributes_of


class TestNoProcess:
    async def test_a_step_is_taken_all_the_same_and_a_person_is_told(
        self, channel: Channel, temporal_client: Client, engine: AsyncEngine, running: Settings
    ) -> None:
        """The store decides. The process finds it there when it is started anew, and books the carrier."""
        order_id = await channel.place(order(await channel.stocked_sku(5)))
        await temporal_client.get_workflow_handle(ids.order_workflow_id(order_id)).terminate("by hand")
        assert (await channel.step(f"{order_id}-F1", "pack")).json()["fulfilment_status"] == "packed"

        async def told() -> bool:
            return [each["kind"] for each in (await channel.get(order_id))["exceptions"]] == ["no_process"]

        await until(told)
        await Servers(engine, temporal_client, running.task_queue).revive([order_id], "kim", thoroughly=False)
        await channel.until_work(f"{order_id}-F1", "booked")

    async def test_cancels_are_told_the_truth_and_so_is_a_person(
        self, channel: Channel, http: httpx.AsyncClient, temporal_client: Client, engine: AsyncEngine
    ) -> None:
        order_id = await channel.place(order(await channel.stocked_sku(5)))
        await temporal_client.get_workflow_handle(ids.order_workflow_id(order_id)).terminate("by hand")
        answer = await http.post(f"/v1/orders/{order_id}/cancel", json={})
        assert problem(answer, 503, "no-process")["data"] == {"status": "accepted"}
        assert answer.headers["Retry-After"]
        problem(await http.post(f"/v1/orders/{order_id}/cancel", json={}), 503, "no-process")
        shown = await channel.get(order_id)
        assert [each["kind"] for each in shown["exceptions"]] == ["no_process"]
        assert f"dom orders revive {order_id}" in shown["exceptions"][0]["detail"]

    async def test_sent_again_the_order_goes_on(
        self, channel: Channel, http: httpx.AsyncClient, temporal_client: Client
    ) -> None:
        document = order(await channel.stocked_sku(5))
        order_id = await channel.place(document)
        assert (await channel.step(f"{order_id}-F1", "pack")).status_code == 200
        await channel.until_work(f"{order_id}-F1", "booked")
        await temporal_client.get_workflow_handle(ids.order_workflow_id(order_id)).terminate("by hand")
        again = await http.post("/v1/orders", json=document)
        assert (again.status_code, again.json()["status"]) == (200, "in_fulfilment")
        assert (await channel.step(f"{order_id}-F1", "hand-over")).status_code == 200
        item = await channel.until_work(f"{order_id}-F1", "handed_over")
        await channel.scan(item, "delivered")
        await channel.until_order(order_id, "delivered")

    async def test_a_return_is_told_the_truth(
        self, channel: Channel, http: httpx.AsyncClient, temporal_client: Client
    ) -> None:
        order_id = await channel.place(order(await channel.stocked_sku(5)))
        await channel.deliver(order_id)
        body = {"order_id": order_id, "lines": [{"line_id": "1", "quantity": 1}]}
        return_id = (await http.post("/v1/returns", json=body)).json()["return_id"]
        await temporal_client.get_workflow_handle(ids.return_workflow_id(return_id)).terminate("by hand")
        problem(await http.post(f"/v1/returns/{return_id}/receive", json={}), 503, "no-process")

    async def test_asked_again_the_return_goes_on_and_is_no_new_one(
        self, channel: Channel, http: httpx.AsyncClient, temporal_client: Client
    ) -> None:
        order_id = await channel.place(order(await channel.stocked_sku(5)))
        await channel.deliver(order_id)
        body = {"order_id": order_id, "lines": [{"line_id": "1", "quantity": 1}]}
        key = {"Idempotency-Key": new_number()}
        opened = await http.post("/v1/returns", json=body, headers=key)
        return_id = opened.json()["return_id"]
        await temporal_client.get_workflow_handle(ids.return_workflow_id(return_id)).terminate("by hand")
        again = await http.post("/v1/returns", json=body, headers=key)
        assert (opened.status_code, again.status_code, again.json()) == (201, 200, opened.json())
        received = await http.post(f"/v1/returns/{return_id}/receive", json={})
        assert received.json()["status"] == "received"

    async def test_revived_twice_at_once_and_beside_two_repeats(
        self, channel: Channel, http: httpx.AsyncClient, temporal_client: Client, engine: AsyncEngine, running: Settings
    ) -> None:
        """One process, and nobody hears that the order is new."""
        for _ in range(5):
            document = order(await channel.stocked_sku(5))
            order_id = await channel.place(document)
            assert (await channel.step(f"{order_id}-F1", "pack")).status_code == 200
            await channel.until_work(f"{order_id}-F1", "booked")
            await temporal_client.get_workflow_handle(ids.order_workflow_id(order_id)).terminate("by hand")
            servers = Servers(engine, temporal_client, running.task_queue)
            first, second, *repeats = await asyncio.gather(
                servers.revive([order_id], "kim", thoroughly=False),
                servers.revive([order_id], "lee", thoroughly=False),
                http.post("/v1/orders", json=document),
                http.post("/v1/orders", json=document),
            )
            assert [each.status_code for each in repeats] == [200, 200]
            assert sum(not why for why in (*first.values(), *second.values())) <= 1
            assert (await channel.step(f"{order_id}-F1", "hand-over")).status_code == 200
            item = await channel.until_work(f"{order_id}-F1", "handed_over")
            await channel.scan(item, "delivered")
            shown = await channel.until_order(order_id, "delivered")
            assert not [each for each in shown["exceptions"] if each["status"] == "open"]
            bookings = "SELECT count(*) FROM shipment_fulfilments WHERE fulfilment_id = :id"
            assert await one(engine, bookings, id=f"{order_id}-F1") == 1
        await agree(engine)


class TestRefused:
    async def test_completes_and_may_come_again_at_once_and_many_times(
        self, channel: Channel, http: httpx.AsyncClient, temporal_client: Client, engine: AsyncEngine
    ) -> None:
        ghost = f"GHOST-{new_number()}"
        document = order(ghost)
        for answer in await asyncio.gather(*(http.post("/v1/orders", json=document) for _ in range(12))):
            problem(answer, 422, "unknown-sku", "lines[0].sku")
        order_id = ids.order_id("web", document["external_id"])
        handle = temporal_client.get_workflow_handle(ids.order_workflow_id(order_id))
        assert (await handle.describe()).status is WorkflowExecutionStatus.COMPLETED
        assert (await attributes_of(handle))["DomStatus"] == "refused"
        sku = await channel.stocked_sku(5)
        document["lines"][0]["sku"] = sku
        answers = await asyncio.gather(*(http.post("/v1/orders", json=document) for _ in range(12)))
        assert sorted({answer.status_code for answer in answers}) in ([200, 201], [201])
        assert sum(answer.status_code == 201 for answer in answers) == 1
        assert await one(engine, "SELECT count(*) FROM sourcing_decisions WHERE order_id = :id", id=order_id) == 1
        attributes = await attributes_of(handle)
        assert attributes["DomNode"] == ["dc-daventry"]
        await channel.deliver(order_id)
        again = await http.post("/v1/orders", json=document)
        assert (again.status_code, again.json()["status"]) == (200, "delivered")

    async def test_a_return_too(self, channel: Channel, http: httpx.AsyncClient, temporal_client: Client) -> None:
        order_id = await channel.place(order(await channel.stocked_sku(5)))
        body = {"order_id": order_id, "lines": [{"line_id": "1", "quantity": 1}]}
        key = {"Idempotency-Key": new_number()}
        problem(await http.post("/v1/returns", json=body, headers=key), 409, "nothing-to-return", "lines[0].quantity")
        workflow_id = ids.return_workflow_id(ids.return_id(order_id, key["Idempotency-Key"]))
        handle = temporal_client.get_workflow_handle(workflow_id)
        assert (await handle.describe()).status is WorkflowExecutionStatus.COMPLETED
        assert (await attributes_of(handle))["DomStatus"] == "refused"
        await channel.deliver(order_id)
        opened = await http.post("/v1/returns", json=body, headers=key)
        assert opened.status_code == 201, opened.text
        attributes = await attributes_of(handle)
        named = {name: attributes.get(name) for name in ("DomStatus", "DomChannel", "DomNode")}
        assert named == {"DomStatus": "requested", "DomChannel": "web", "DomNode": ["dc-daventry"]}


class TestTheLog:
    async def test_a_refusal_leaves_no_traceback(self, channel: Channel, http: httpx.AsyncClient, caplog: Any) -> None:
        with caplog.at_level("INFO"):
            problem(
                await http.post("/v1/orders", json=order(f"GHOST-{new_number()}")), 422, "unknown-sku", "lines[0].sku"
            )
        assert not [record for record in caplog.records if record.exc_info]
