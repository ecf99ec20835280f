"""An order is put on hold and released; only the step that a hold blocks waits."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.shared.access import Limits, Role
from jobs.expiring import Sweeping
from tests.api.driving import NODE, Channel, order, problem, until
from tests.worlds.access import key_of


async def hold(channel: Channel, order_id: str, **asked: Any) -> httpx.Response:
    return await channel.http.post(f"/v1/orders/{order_id}/holds", json={"type": "manual", **asked})


async def release(channel: Channel, order_id: str, number: int = 1, **more: Any) -> httpx.Response:
    return await channel.http.post(f"/v1/orders/{order_id}/holds/{order_id}-H{number}/release", json={}, **more)


def soon() -> str:
    """In a moment: late enough for a slow machine to ask, early enough to wait for."""
    return (datetime.now(UTC) + timedelta(seconds=3)).isoformat()


async def placed(channel: Channel, **asked: Any) -> str:
    """An order of two units on hold."""
    order_id = await channel.place(order(await channel.stocked_sku(10)))
    answer = await hold(channel, order_id, **asked)
    assert answer.status_code == 201, answer.text
    return order_id


async def in_work_list(channel: Channel, order_id: str) -> bool:
    """Whether the node has the order's work in its list."""
    items = (
        await channel.http.get("/v1/fulfilments", params={"node": NODE, "limit": 200, "status": "released"})
    ).json()
    return any(item["order_id"] == order_id for item in items["items"])


class TestRelease:
    async def test_work_waits_and_goes_on(self, channel: Channel) -> None:
        order_id = await placed(channel)
        assert not await in_work_list(channel, order_id)
        found = problem(await channel.step(f"{order_id}-F1", "accept"), 409, "on-hold")
        assert found["data"]["holds"] == [{"hold_id": f"{order_id}-H1", "type": "manual"}]
        assert (await release(channel, order_id)).json()["recalled"] == []
        assert await in_work_list(channel, order_id)
        await channel.deliver(order_id)

    async def test_the_stock_stays_reserved(self, channel: Channel) -> None:
        sku = await channel.stocked_sku(2)
        order_id = await channel.place(order(sku))
        await hold(channel, order_id)
        other = await channel.http.post("/v1/orders", json=order(sku))
        assert other.json()["status"] == "backordered"

    async def test_what_was_begun_is_named(self, channel: Channel) -> None:
        order_id = await channel.place(order(await channel.stocked_sku(10)))
        await channel.step(f"{order_id}-F1", "accept")
        assert (await hold(channel, order_id)).json()["not_blocked"] == [f"{order_id}-F1"]
        assert (await channel.step(f"{order_id}-F1", "pick")).status_code == 200

    async def test_it_is_cancelled_on_hold(self, channel: Channel) -> None:
        order_id = await placed(channel)
        answer = await channel.http.post(f"/v1/orders/{order_id}/cancel", json={})
        assert answer.json()["status"] == "cancelled"
        (only,) = (await channel.http.get(f"/v1/orders/{order_id}/holds")).json()["holds"]
        assert only["resolution"] == "the order is cancelled"


class TestHandOver:
    async def test_goods_wait_at_the_node(self, channel: Channel) -> None:
        order_id = await placed(channel, blocks=["hand_over"])
        await channel.step(f"{order_id}-F1", "pack")
        await channel.until_work(f"{order_id}-F1", "booked")
        problem(await channel.step(f"{order_id}-F1", "hand-over"), 409, "on-hold")
        exceptions = (await channel.http.get("/v1/exceptions", params={"order": order_id})).json()["items"]
        assert exceptions == []
        await release(channel, order_id)
        assert (await channel.step(f"{order_id}-F1", "hand-over")).status_code == 200


class TestRefund:
    async def test_goods_are_inspected_when_it_is_released(self, channel: Channel) -> None:
        order_id = await channel.place(order(await channel.stocked_sku(10)))
        await channel.deliver(order_id)
        asked = {"order_id": order_id, "lines": [{"line_id": "1", "quantity": 1}]}
        opened = (await channel.http.post("/v1/returns", json=asked)).json()
        url = opened["links"]["self"]
        assert (await channel.http.post(f"{url}/receive")).status_code == 200
        await hold(channel, order_id, blocks=["refund"])
        found = {"lines": [{"line_id": "1", "quantity": 1, "disposition": "restock"}]}
        problem(await channel.http.post(f"{url}/inspect", json=found), 409, "on-hold")
        shown = (await channel.http.get(url)).json()
        assert (shown["status"], shown["refund"]) == ("received", None)
        await release(channel, order_id)
        assert (await channel.http.post(f"{url}/inspect", json=found)).json()["status"] == "refunded"


class TestTime:
    async def test_it_ends_by_itself(self, channel: Channel) -> None:
        order_id = await channel.place(order(await channel.stocked_sku(10)))
        answer = await hold(channel, order_id, type="customer_request", release_at=soon())
        release_at = datetime.fromisoformat(answer.json()["hold"]["release_at"])

        async def ended() -> Any:
            (only,) = (await channel.http.get(f"/v1/orders/{order_id}/holds")).json()["holds"]
            return only["released_at"] and only

        only = await until(ended)
        assert (only["released_by"], only["resolution"]) == ("system:expiry", "its time is over")
        assert datetime.fromisoformat(only["released_at"]) >= release_at
        assert await in_work_list(channel, order_id)

    async def test_one_that_is_overdue_is_looked_at_until_it_is_released(self, channel: Channel) -> None:
        order_id = await channel.place(order(await channel.stocked_sku(10)))
        assert (await hold(channel, order_id, due_at=soon())).status_code == 201
        asked = {"order": order_id, "kind": "hold_overdue"}

        async def opened() -> Any:
            return (await channel.http.get("/v1/exceptions", params={**asked, "status": "open"})).json()["items"]

        assert len(await until(opened)) == 1
        overdue = (await channel.http.get("/v1/holds", params={"overdue": True, "limit": 200})).json()["items"]
        assert order_id in {each["order_id"] for each in overdue}
        await release(channel, order_id)
        assert await opened() == []

    async def test_it_ends_by_itself_though_the_order_is_over(self, channel: Channel, engine: AsyncEngine) -> None:
        order_id = await channel.place(order(await channel.stocked_sku(10)))
        await channel.deliver(order_id)
        answer = await hold(channel, order_id, type="customer_request", blocks=["refund"], release_at=soon())
        assert answer.status_code == 201, answer.text
        job = Sweeping(engine, releases_every=0)

        async def ended() -> Any:
            await job.run()
            (only,) = (await channel.http.get(f"/v1/orders/{order_id}/holds")).json()["holds"]
            return only["released_at"] and only

        only = await until(ended)
        assert (only["released_by"], only["resolution"]) == ("system:expiry", "its time is over")

    async def test_a_person_hears_of_it_though_the_order_is_over(self, channel: Channel, engine: AsyncEngine) -> None:
        order_id = await channel.place(order(await channel.stocked_sku(10)))
        await channel.deliver(order_id)
        assert (await hold(channel, order_id, blocks=["refund"], due_at=soon())).status_code == 201
        job = Sweeping(engine, releases_every=0)

        async def opened() -> Any:
            await job.run()
            asked = {"order": order_id, "kind": "hold_overdue"}
            return (await channel.http.get("/v1/exceptions", params=asked)).json()["items"]

        assert len(await until(opened)) == 1
        await job.run()
        assert len(await opened()) == 1

    @pytest.mark.parametrize("field", ["due_at", "release_at"])
    async def test_not_in_the_past(self, channel: Channel, field: str) -> None:
        order_id = await channel.place(order(await channel.stocked_sku(10)))
        problem(await hold(channel, order_id, **{field: "2020-01-01T00:00:00Z"}), 422, "invalid-input", field)


class TestCallers:
    async def test_who_may_not_release_it_is_told_who_may(self, channel: Channel, engine: AsyncEngine) -> None:
        order_id = await placed(channel, type="fraud")
        support = await key_of(engine, Role.SUPPORT, Limits(), name="sue")
        found = problem(await release(channel, order_id, headers=support), 403, "forbidden")
        assert found["data"]["released_by"] == ["supervisor", "operator"]
        supervisor = await key_of(engine, Role.SUPERVISOR, Limits(), name="tom")
        assert (await release(channel, order_id, headers=supervisor)).json()["hold"]["released_by"] == "tom"

    async def test_a_channel_holds_its_own_orders_alone(self, channel: Channel, engine: AsyncEngine) -> None:
        order_id = await placed(channel)
        other = await key_of(engine, Role.CHANNEL, Limits.of(channels=["b2b"]))
        for answer in (
            await channel.http.post(f"/v1/orders/{order_id}/holds", json={"type": "fraud"}, headers=other),
            await release(channel, order_id, headers=other),
            await channel.http.get(f"/v1/orders/{order_id}/holds", headers=other),
        ):
            problem(answer, 404, "not-found")
        seen = (await channel.http.get("/v1/holds", headers=other)).json()["items"]
        assert order_id not in {each["order_id"] for each in seen}


class TestTwice:
    async def test_of_a_type_one_stands(self, channel: Channel) -> None:
        order_id = await placed(channel)
        problem(await hold(channel, order_id), 409, "step-not-possible")
        assert (await hold(channel, order_id, type="address")).json()["hold"]["hold_id"] == f"{order_id}-H2"

    async def test_a_repeat_is_answered_as_before(self, channel: Channel) -> None:
        order_id = await channel.place(order(await channel.stocked_sku(10)))
        path, key = f"/v1/orders/{order_id}/holds", {"Idempotency-Key": "k1"}
        answers = await asyncio.gather(
            *(channel.http.post(path, json={"type": "manual"}, headers=key) for _ in range(4))
        )
        assert {answer.status_code for answer in answers} == {201}
        assert {answer.json()["hold"]["hold_id"] for answer in answers} == {f"{order_id}-H1"}
        problem(await channel.http.post(path, json={"type": "fraud"}, headers=key), 409, "conflict", "Idempotency-Key")

    async def test_what_was_released_stands_no_more(self, channel: Channel) -> None:
        order_id = await placed(channel)
        await release(channel, order_id)
        problem(await release(channel, order_id), 409, "step-not-possible")
        problem(await release(channel, order_id, 2), 404, "not-found")

    async def test_unknown_things(self, channel: Channel) -> None:
        order_id = await placed(channel)
        found = problem(await hold(channel, order_id, type="zebra"), 422, "invalid-input", "type")
        assert "fraud" in found["data"]["types"]
        problem(await hold(channel, "web-nobody"), 404, "not-found")
        problem(await channel.http.get("/v1/orders/web-nobody/holds"), 404, "not-found")


async def test_the_order_shows_its_holds(channel: Channel) -> None:
    order_id = await placed(channel, reason="two orders look alike")
    (shown,) = (await channel.get(order_id))["holds"]
    assert (shown["type"], shown["purpose"], shown["owner"]) == ("manual", "two orders look alike", "support")
    events = (await channel.http.get(f"/v1/orders/{order_id}/timeline")).json()["events"]
    assert [(each["kind"], each["actor"]) for each in events][1:] == [("hold_placed", "tests")]
