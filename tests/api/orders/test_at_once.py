"""What carriers, nodes, channels and support say at the same moment, from connections of their own."""

import asyncio
from collections import Counter
from typing import Any

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.api.driving import Channel, new_number, order, until
from tests.worlds.books import agree, one, rows

AT = "2026-03-04T11:{:02}:{:02}Z"
ROUNDS = 4
NOWHERE = """
SELECT l.quantity - l.cancelled - l.backordered - coalesce((
    SELECT sum(fl.quantity) FROM fulfilment_lines fl JOIN fulfilments f ON f.id = fl.fulfilment_id
    WHERE f.order_id = l.order_id
      AND f.status NOT IN ('rejected', 'lost', 'recalled', 'cancelled', 'returned_to_sender')), 0)
FROM order_lines l WHERE l.order_id = :id
"""


def scans(event_ids: list[str], tracking_number: str) -> dict[str, Any]:
    """A feed of scans on the way, made in the sequence of their ids."""
    return {
        "events": [
            {
                "event_id": event_id,
                "tracking_number": tracking_number,
                "kind": "in_transit",
                "occurred_at": AT.format(number // 60, number % 60),
            }
            for number, event_id in enumerate(event_ids)
        ]
    }


async def under_way(channel: Channel, units: int = 2) -> dict[str, Any]:
    """A parcel that left its node, as it stands in the work list."""
    order_id = await channel.place(order(await channel.stocked_sku(units), units))
    await channel.step(f"{order_id}-F1", "pack")
    await channel.until_work(f"{order_id}-F1", "booked")
    await channel.step(f"{order_id}-F1", "hand-over")
    return await channel.until_work(f"{order_id}-F1", "handed_over")


async def together(channel: Channel, *calls: tuple[str, dict[str, Any], dict[str, str]]) -> list[httpx.Response]:
    """The answers to calls made at the same moment."""
    return await asyncio.gather(*(channel.http.post(path, json=body, headers=head) for path, body, head in calls))


class TestCarrierFeeds:
    async def test_of_two_scans_under_one_id_exactly_one_is_kept(self, channel: Channel, engine: AsyncEngine) -> None:
        for _ in range(ROUNDS):
            parcels = [await under_way(channel) for _ in range(2)]
            event = new_number()
            url = f"/v1/carriers/{parcels[0]['carrier']}/events"
            feeds = [scans([event], each["tracking_number"]) for each in (*parcels, parcels[0])]
            feeds[2]["events"][0]["kind"] = "lost"
            answers = await together(channel, *((url, feed, {}) for feed in feeds))
            results = [answer.json()["results"][0] for answer in answers]
            assert Counter(each["status"] for each in results) == {"recorded": 1, "refused": 2}
            refused = [each["problem"] for each in results if each["status"] == "refused"]
            assert {(each["status"], each["type"]) for each in refused} == {(409, "/problems/conflict")}
            assert await one(engine, "SELECT count(*) FROM carrier_events WHERE event_id = :id", id=event) == 1
            await self._order_says_what_was_kept(channel, engine, event, parcels[0])

    async def _order_says_what_was_kept(
        self, channel: Channel, engine: AsyncEngine, event: str, parcel: dict[str, Any]
    ) -> None:
        kept = await one(engine, "SELECT kind FROM carrier_events WHERE event_id = :id", id=event)
        if kept == "lost":
            await channel.until_work(parcel["id"], "lost")
            return
        await asyncio.sleep(0.3)
        status = await one(engine, "SELECT status FROM fulfilments WHERE id = :id", id=parcel["id"])
        assert status == "handed_over"

    async def test_the_same_ids_in_opposite_sequence_do_not_block_each_other(
        self, channel: Channel, engine: AsyncEngine
    ) -> None:
        parcels = [await under_way(channel) for _ in range(2)]
        url = f"/v1/carriers/{parcels[0]['carrier']}/events"
        for _ in range(ROUNDS):
            events = [new_number() for _ in range(80)]
            feeds = [scans(each, p["tracking_number"]) for each, p in zip((events, events[::-1]), parcels, strict=True)]
            answers = await together(channel, *((url, feed, {}) for feed in feeds))
            assert [answer.status_code for answer in answers] == [200, 200], [answer.text[:300] for answer in answers]
            said = [Counter(each["status"] for each in answer.json()["results"]) for answer in answers]
            assert said[0] + said[1] == {"recorded": 80, "refused": 80}
            count = "SELECT count(*) FROM carrier_events WHERE event_id = ANY(:ids)"
            assert await one(engine, count, ids=events) == 80

    async def test_lost_and_delivered_at_once_end_as_delivered_or_before_a_person(
        self, channel: Channel, engine: AsyncEngine
    ) -> None:
        for _ in range(ROUNDS):
            parcel = await under_way(channel)
            url = f"/v1/carriers/{parcel['carrier']}/events"
            feeds = [scans([new_number()], parcel["tracking_number"]) for _ in range(2)]
            feeds[0]["events"][0]["kind"], feeds[1]["events"][0]["kind"] = "lost", "delivered"
            answers = await together(channel, *((url, feed, {}) for feed in feeds))
            assert {answer.json()["results"][0]["status"] for answer in answers} == {"recorded"}
            order_id = parcel["id"].rpartition("-")[0]
            await channel.until_order(order_id, "delivered")

            async def heard(order_id: str = order_id) -> bool:
                query = "SELECT kind FROM timeline WHERE order_id = :id"
                kinds = Counter(each[0] for each in await rows(engine, query, id=order_id))
                both = kinds["fulfilment_lost"] + kinds["report_out_of_turn"]
                assert kinds["fulfilment_delivered"] == 1
                return both == 1

            await until(heard)
            counted = "SELECT cancelled + backordered FROM order_lines WHERE order_id = :id"
            assert await one(engine, counted, id=order_id) == 0
            shipment = "SELECT status FROM shipments WHERE id = :id"
            assert await one(engine, shipment, id=f"{parcel['id']}-B1") == "delivered"
        await agree(engine)


class TestAdjustments:
    async def test_the_same_keys_in_opposite_sequence_do_not_block_each_other(
        self, channel: Channel, engine: AsyncEngine
    ) -> None:
        skus = [await channel.stocked_sku(5) for _ in range(10)]
        for _ in range(ROUNDS):
            changes = [
                {
                    "node_id": "dc-daventry",
                    "sku": sku,
                    "quantity": 1,
                    "reason": "receipt",
                    "idempotency_key": new_number(),
                }
                for sku in skus
                for _ in range(10)
            ]
            answers = await together(
                channel,
                *(("/v1/inventory/adjustments", {"adjustments": each}, {}) for each in (changes, changes[::-1])),
            )
            assert [answer.status_code for answer in answers] == [200, 200], [answer.text[:300] for answer in answers]
            said = Counter(each["status"] for answer in answers for each in answer.json()["results"])
            assert said == {"applied": 100, "repeated": 100}
        assert await agree(engine) >= 0


class TestKeys:
    async def test_returns_under_one_key(self, channel: Channel, engine: AsyncEngine) -> None:
        """One body is one return; of others under its key none."""
        for _ in range(ROUNDS):
            order_id = await channel.place(order(await channel.stocked_sku(9), 9))
            await channel.deliver(order_id)
            key = {"Idempotency-Key": new_number()}
            lines = [[{"line_id": "1", "quantity": n}] for n in (1, 2, 1, 2, 1, 2)]
            bodies: list[dict[str, Any]] = [{"order_id": order_id, "lines": each} for each in lines]
            answers = await together(channel, *(("/v1/returns", body, key) for body in bodies))
            by_quantity = {n: [a.status_code for a, b in zip(answers, bodies, strict=True)
                               if b["lines"][0]["quantity"] == n] for n in (1, 2)}  # fmt: skip
            assert sorted(sorted(codes) for codes in by_quantity.values()) == [[200, 200, 201], [409, 409, 409]]
            assert await one(engine, "SELECT count(*) FROM returns WHERE order_id = :id", id=order_id) == 1

    async def test_returns_of_two_orders_under_one_key(self, channel: Channel, engine: AsyncEngine) -> None:
        placed = [await channel.place(order(await channel.stocked_sku(2))) for _ in range(2)]
        for order_id in placed:
            await channel.deliver(order_id)
        for _ in range(2):
            key = {"Idempotency-Key": new_number()}
            bodies = [{"order_id": order_id, "lines": [{"line_id": "1", "quantity": 1}]} for order_id in placed * 2]
            answers = await together(channel, *(("/v1/returns", body, key) for body in bodies))
            assert sorted(answer.status_code for answer in answers) == [200, 200, 201, 201], [a.text for a in answers]
            found = "SELECT count(*) FROM returns WHERE request_key = :key"
            assert await one(engine, found, key=key["Idempotency-Key"]) == 2, "a key counts for its order"

    async def test_cancels_under_one_key_and_others(self, channel: Channel, engine: AsyncEngine) -> None:
        for _ in range(ROUNDS):
            order_id = await channel.place(order(await channel.stocked_sku(9), 9))
            path = f"/v1/orders/{order_id}/cancel"
            keys = [{"Idempotency-Key": new_number()} for _ in range(2)]
            asked = [(1, keys[0]), (1, keys[0]), (2, keys[0]), (2, keys[0]), (3, keys[1]), (3, keys[1]), (1, {})]
            calls = [(path, {"lines": [{"line_id": "1", "quantity": units}]}, key) for units, key in asked]
            answers = await together(channel, *calls)
            codes = [answer.status_code for answer in answers]
            assert codes[4:] == [200, 200, 200]
            assert sorted((codes[:2], codes[2:4])) == [[200, 200], [409, 409]], codes
            under_the_first = 1 if codes[0] == 200 else 2
            cancelled = "SELECT cancelled FROM order_lines WHERE order_id = :id"
            assert await one(engine, cancelled, id=order_id) == under_the_first + 3 + 1
            whole = await together(channel, *((path, {}, {"Idempotency-Key": new_number()}) for _ in range(4)))
            assert sorted(answer.status_code for answer in whole) == [200, 409, 409, 409]
            assert (await channel.get(order_id))["status"] == "cancelled"
        await agree(engine)


class TestACancelBesideAShortPick:
    async def test_no_unit_is_lost_or_counted_twice(self, channel: Channel, engine: AsyncEngine) -> None:
        for turn in range(ROUNDS):
            order_id = await channel.place(order(await channel.stocked_sku(6), 6))
            units = 3 if turn % 2 else 6
            calls: list[tuple[str, dict[str, Any], dict[str, str]]] = [
                (f"/v1/fulfilments/{order_id}-F1/pick", {"lines": [{"line_id": "1", "quantity": 4}]}, {}),
                (f"/v1/orders/{order_id}/cancel", {"lines": [{"line_id": "1", "quantity": units}]}, {}),
            ]
            answers = await together(channel, *(calls if turn % 3 else calls[::-1]))
            picked, cancelled = answers if turn % 3 else answers[::-1]
            assert cancelled.status_code == 200, cancelled.text
            assert picked.status_code in {200, 409}, picked.text

            async def settled(order_id: str = order_id) -> bool:
                return await one(engine, NOWHERE, id=order_id) == 0

            await until(settled)
            assert (await channel.get(order_id))["lines"][0]["cancelled"] == units
        await agree(engine)
