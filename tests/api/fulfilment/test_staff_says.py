"""Support says what became of a parcel, and sends one that came back once more: what the carrier's report would do."""

import asyncio
from typing import Any

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.shared.access import Limits, Role
from tests.api.driving import Channel, booked, on_hand, order, problem
from tests.worlds.access import key_of


async def say(channel: Channel, fulfilment_id: str, verb: str, **more: Any) -> httpx.Response:
    body = more.pop("json", {"reason": "asked the carrier"})
    return await channel.http.post(f"/v1/fulfilments/{fulfilment_id}/{verb}", json=body, **more)


async def handed_over(channel: Channel, stock: int = 10) -> tuple[str, str, dict[str, Any]]:
    sku, order_id, work = await booked(channel, 3, stock)
    assert (await channel.step(f"{order_id}-F1", "hand-over")).status_code == 200
    return sku, order_id, work


async def kinds(channel: Channel, order_id: str) -> list[tuple[str, str]]:
    events = (await channel.http.get(f"/v1/orders/{order_id}/timeline")).json()["events"]
    return [(each["kind"], each["actor"]) for each in events]


class TestLost:
    async def test_its_units_are_sent_again_and_a_person_hears(self, channel: Channel, engine: AsyncEngine) -> None:
        sku, order_id, _ = await handed_over(channel)
        answer = (await say(channel, f"{order_id}-F1", "lost")).json()
        assert (answer["fulfilment_status"], answer["waiting"], answer["repeated"]) == ("lost", {"1": 3}, False)
        await channel.until_work(f"{order_id}-F2", "released")
        found = await channel.get(order_id)
        assert [each["kind"] for each in found["exceptions"]] == ["parcel_lost"]
        assert found["fulfilments"][0]["shipments"][0]["status"] == "lost"
        assert ("fulfilment_lost", "tests") in await kinds(channel, order_id)
        assert await on_hand(engine, sku) == (7, 3)

    async def test_of_what_was_not_handed_over_it_implies_that(self, channel: Channel, engine: AsyncEngine) -> None:
        sku, order_id, _ = await booked(channel)
        assert (await say(channel, f"{order_id}-F1", "lost")).status_code == 200
        await channel.until_work(f"{order_id}-F2", "released")
        seen = [kind for kind, _ in await kinds(channel, order_id)]
        assert seen.index("fulfilment_handed_over") < seen.index("fulfilment_lost")
        assert await on_hand(engine, sku) == (7, 3)

    async def test_the_carrier_finds_it_after_all(self, channel: Channel) -> None:
        _, order_id, work = await handed_over(channel)
        await say(channel, f"{order_id}-F1", "lost")
        await channel.until_work(f"{order_id}-F2", "released")
        await channel.scan(work, "delivered")
        found = await channel.until_order(order_id, "delivered")
        assert [each["status"] for each in found["fulfilments"]] == ["delivered", "cancelled"]


class TestDelivered:
    async def test_the_order_ends_and_the_customer_is_told(self, channel: Channel) -> None:
        _, order_id, _ = await handed_over(channel)
        answer = (await say(channel, f"{order_id}-F1", "delivered", json={})).json()
        assert (answer["order_status"], answer["waiting"]) == ("delivered", {})
        assert "delivered" in {each["kind"] for each in (await channel.get(order_id))["messages"]}

    async def test_one_that_was_lost_arrived_although_a_node_has_begun(self, channel: Channel) -> None:
        _, order_id, _ = await handed_over(channel)
        await say(channel, f"{order_id}-F1", "lost")
        await channel.until_work(f"{order_id}-F2", "released")
        await channel.step(f"{order_id}-F2", "pick")
        assert (await say(channel, f"{order_id}-F1", "delivered")).json()["order_status"] == "delivered"
        found = await channel.get(order_id)
        assert [each["status"] for each in found["fulfilments"]] == ["delivered", "cancelled"]

    async def test_of_a_pick_up_it_is_no_word(self, channel: Channel) -> None:
        sku = await channel.stocked_sku(5, "store-manchester")
        wanted = order(sku, 1, shipping_method="pickup", pickup_node="store-manchester")
        order_id = await channel.place(wanted)
        await channel.step(f"{order_id}-F1", "pack")
        problem(await say(channel, f"{order_id}-F1", "delivered"), 409, "step-not-possible")


class TestReship:
    async def test_an_order_that_was_over_lives_again(self, channel: Channel) -> None:
        _, order_id, work = await handed_over(channel)
        await channel.scan(work, "returned_to_sender")
        await channel.until_order(order_id, "cancelled")
        answer = (await say(channel, f"{order_id}-F1", "reship")).json()
        assert (answer["order_status"], answer["waiting"]) == ("backordered", {"1": 3})
        await channel.until_work(f"{order_id}-F2", "released")
        await channel.step(f"{order_id}-F2", "pack")
        again = await channel.until_work(f"{order_id}-F2", "booked")
        await channel.step(f"{order_id}-F2", "hand-over")
        await channel.scan(again, "delivered")
        found = await channel.until_order(order_id, "delivered")
        assert [each["kind"] for each in found["exceptions"]] == []
        assert found["lines"][0]["cancelled"] == 0
        assert ("reshipped", "tests") in await kinds(channel, order_id)

    async def test_its_units_go_once(self, channel: Channel) -> None:
        _, order_id, work = await handed_over(channel)
        await channel.scan(work, "returned_to_sender")
        await channel.until_order(order_id, "cancelled")
        answers = await asyncio.gather(*(say(channel, f"{order_id}-F1", "reship") for _ in range(4)))
        assert {each.status_code for each in answers} == {200}
        assert [each.json()["repeated"] for each in answers].count(False) == 1
        await channel.until_work(f"{order_id}-F2", "released")
        again = await say(channel, f"{order_id}-F1", "reship", headers={"Idempotency-Key": "k2"})
        assert again.json()["repeated"]
        found = await channel.get(order_id)
        assert len(found["fulfilments"]) == 2
        assert found["lines"][0]["allocated"] == 3

    async def test_what_is_lost_goes_by_itself_and_what_is_on_its_way_stays(self, channel: Channel) -> None:
        _, order_id, _ = await handed_over(channel)
        problem(await say(channel, f"{order_id}-F1", "reship"), 409, "step-not-possible")
        await say(channel, f"{order_id}-F1", "lost")
        found = problem(await say(channel, f"{order_id}-F1", "reship"), 409, "step-not-possible")
        assert "sourced again by themselves" in found["detail"]


class TestTwice:
    async def test_a_repeat_is_answered_as_before(self, channel: Channel) -> None:
        _, order_id, _ = await handed_over(channel)
        key = {"Idempotency-Key": "k1"}
        answers = await asyncio.gather(*(say(channel, f"{order_id}-F1", "lost", headers=key) for _ in range(4)))
        assert {each.status_code for each in answers} == {200}
        seen = [kind for kind, _ in await kinds(channel, order_id)]
        assert seen.count("fulfilment_lost") == 1
        other = await say(channel, f"{order_id}-F1", "lost", json={"reason": "another"}, headers=key)
        problem(other, 409, "conflict", "Idempotency-Key")

    async def test_lost_and_delivered_at_once_are_one_story(self, channel: Channel) -> None:
        for _ in range(8):
            _, order_id, _ = await handed_over(channel)
            lost, delivered = await asyncio.gather(
                say(channel, f"{order_id}-F1", "lost"), say(channel, f"{order_id}-F1", "delivered")
            )
            assert delivered.status_code == 200, delivered.text
            assert lost.status_code in {200, 409}, lost.text
            seen = [kind for kind, _ in await kinds(channel, order_id)]
            assert seen.count("fulfilment_lost") == (lost.status_code == 200)
            found = await channel.until_order(order_id, "delivered")
            assert found["lines"][0]["delivered"] == 3


class TestRefused:
    async def test_what_has_not_left(self, channel: Channel) -> None:
        order_id = await channel.place(order(await channel.stocked_sku(5)))
        for verb in ("lost", "delivered", "reship"):
            problem(await say(channel, f"{order_id}-F1", verb), 409, "step-not-possible")

    async def test_what_is_not_there_or_anothers(self, channel: Channel, engine: AsyncEngine) -> None:
        _, order_id, _ = await handed_over(channel)
        support = await key_of(engine, Role.SUPPORT, Limits.of(channels=["b2b"]), name="kim of b2b")
        partner = await key_of(engine, Role.CHANNEL, Limits.of(channels=["web"]))
        for verb in ("lost", "delivered", "reship"):
            hidden = problem(await say(channel, f"{order_id}-F1", verb, headers=support), 404, "not-found")
            assert hidden["detail"] == f"there is no fulfilment {order_id}-F1"
            gone = problem(await say(channel, f"{order_id}-F9", verb), 404, "not-found")
            assert gone["detail"] == f"there is no fulfilment {order_id}-F9"
            problem(await say(channel, "web-nobody-F1", verb), 404, "not-found")
            problem(await say(channel, f"{order_id}-F1", verb, headers=partner), 403, "forbidden")
        assert (await channel.get(order_id))["status"] == "shipped"
