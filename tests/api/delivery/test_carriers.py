"""What carriers and nodes say of bookings that were taken back, of orders that ended, and twice."""

import json
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from tests.api.driving import Channel, booked, new_number, order, problem, until

WAREHOUSE, OTHER = "dc-daventry", "wh-london"


async def shipped(channel: Channel, units: int = 3, stock: int = 10) -> tuple[str, str, dict[str, Any]]:
    """The same, handed over."""
    sku, order_id, _ = await booked(channel, units, stock)
    await channel.step(f"{order_id}-F1", "hand-over")
    return sku, order_id, await channel.until_work(f"{order_id}-F1", "handed_over")


async def cancel(channel: Channel, order_id: str, units: int | None = None) -> None:
    body = {} if units is None else {"lines": [{"line_id": "1", "quantity": units}]}
    answer = await channel.http.post(f"/v1/orders/{order_id}/cancel", json=body)
    assert answer.status_code == 200, answer.text


async def booked_anew(channel: Channel) -> tuple[str, str, dict[str, Any], dict[str, Any]]:
    """Three units packed as parcel A, one cancelled, two packed as parcel B."""
    sku, order_id, first = await booked(channel)
    await cancel(channel, order_id, 1)

    async def packed_again() -> Any:
        await channel.step(f"{order_id}-F1", "pack")
        items = (await channel.http.get("/v1/fulfilments", params={"order": order_id})).json()["items"]
        new = items[0]
        return new if new["status"] == "booked" and new["shipment_id"] != first["shipment_id"] else None

    return sku, order_id, first, await until(packed_again)


async def strays(channel: Channel, order_id: str, number: int = 1) -> list[dict[str, Any]]:
    """The open exceptions for reports out of turn, once there are so many; each has its entry in the timeline."""

    async def look() -> Any:
        found = [x for x in (await channel.get(order_id))["exceptions"] if x["kind"] == "report_out_of_turn"]
        return found if len(found) >= number else None

    found: list[dict[str, Any]] = await until(look)
    events = (await channel.http.get(f"/v1/orders/{order_id}/timeline")).json()["events"]
    assert len([e for e in events if e["kind"] == "report_out_of_turn"]) == len(found) == number
    return found


async def stock(channel: Channel, sku: str) -> tuple[int, int]:
    """(on hand, reserved) over all nodes."""
    answer = (await channel.http.get("/v1/availability", params={"sku": sku})).json()
    nodes = [node for item in answer["items"] for node in item["nodes"]]
    return sum(node["on_hand"] for node in nodes), sum(node["reserved"] for node in nodes)


async def settled(channel: Channel, order_id: str) -> None:
    """Whatever was told before has been heeded: the order answers a message that was sent later."""
    await channel.http.post(f"/v1/orders/{order_id}/cancel", json={"lines": [{"line_id": "none"}]})


class TestABookingThatWasTakenBack:
    async def test_no_scan_of_it_moves_the_new_parcel(self, channel: Channel) -> None:
        sku, order_id, first, second = await booked_anew(channel)
        for kind in ("picked_up", "lost", "returned_to_sender", "delivered", "in_transit"):
            assert (await channel.scan(first, kind))["status"] == "recorded"
        found = await strays(channel, order_id, 4)
        await settled(channel, order_id)
        work = (await channel.get(order_id))["fulfilments"][0]
        assert (work["status"], await stock(channel, sku)) == ("booked", (10, 2))
        by_id = {each["id"]: each for each in work["shipments"]}
        assert (by_id[first["shipment_id"]]["status"], by_id[second["shipment_id"]]["status"]) == ("voided", "booked")
        assert len(by_id[first["shipment_id"]]["events"]) == 5
        assert found[0]["data"]["units"] == {sku: 3}
        assert (found[0]["data"]["node_id"], found[0]["data"]["on_hand"]) == (WAREHOUSE, "too high")
        await channel.scan(second, "delivered")
        assert (await channel.until_order(order_id, "delivered"))["fulfilments"][0]["status"] == "delivered"
        assert await stock(channel, sku) == (8, 0)

    async def test_nor_one_of_it_while_no_other_is_booked(self, channel: Channel) -> None:
        sku, order_id, first = await booked(channel)
        await cancel(channel, order_id, 1)
        await channel.scan(first, "delivered")
        await strays(channel, order_id)
        assert ((await channel.get(order_id))["fulfilments"][0]["status"], await stock(channel, sku)) == (
            "picked",
            (10, 2),
        )

    async def test_a_node_that_hands_it_over_is_told_no_and_heard(self, channel: Channel) -> None:
        _, order_id, _ = await booked(channel)
        await cancel(channel, order_id, 1)
        await channel.until_work(f"{order_id}-F1", "picked")
        problem(await channel.step(f"{order_id}-F1", "hand-over"), 409, "step-not-possible")
        assert (await strays(channel, order_id))[0]["data"]["report"] == "hand-over"


class TestTheFirstScan:
    async def test_says_that_the_carrier_has_the_parcel(self, channel: Channel) -> None:
        """Or it could be cancelled, and its units sold again, while it is on its way."""
        sku, order_id, item = await booked(channel)
        await channel.scan(item, "picked_up")
        await channel.until_work(f"{order_id}-F1", "handed_over")
        assert await stock(channel, sku) == (7, 0)
        answer = await channel.http.post(f"/v1/orders/{order_id}/cancel", json={})
        problem(answer, 409, "cannot-cancel", "lines")
        assert (await channel.step(f"{order_id}-F1", "hand-over")).json()["status"] == "repeated"


class TestAnOrderThatEnded:
    async def test_a_parcel_that_left_although_it_was_cancelled(self, channel: Channel) -> None:
        sku, order_id, item = await booked(channel)
        await cancel(channel, order_id)
        await channel.until_order(order_id, "cancelled")
        for kind in ("picked_up", "in_transit", "picked_up", "delivered", "delivered"):
            assert (await channel.scan(item, kind))["status"] == "recorded"
        found = await strays(channel, order_id, 2)
        seen, delivered = found  # which scan on the way is heard first depends on whether the booking is voided yet
        assert seen["data"]["report"] in {"picked_up", "in_transit"}
        assert delivered["data"]["report"] == "delivered"
        assert {each["data"]["on_hand"] for each in found} == {"too high"}
        assert found[0]["data"]["units"] == {sku: 3}
        assert f"3 x {sku}" in found[0]["detail"]
        assert await stock(channel, sku) == (10, 0)

    async def test_one_that_is_lost_after_it_was_delivered(self, channel: Channel) -> None:
        _, order_id, item = await shipped(channel)
        await channel.scan(item, "delivered")
        await channel.until_order(order_id, "delivered")
        await channel.scan(item, "delivered")
        await channel.scan(item, "out_for_delivery")
        await channel.scan(item, "lost")
        found = await strays(channel, order_id)
        assert (found[0]["data"]["report"], found[0]["data"]["on_hand"]) == ("lost", "unchanged")
        assert (await channel.get(order_id))["status"] == "delivered"

    async def test_a_node_that_hands_over_what_was_cancelled(self, channel: Channel) -> None:
        sku, order_id, _ = await booked(channel)
        await cancel(channel, order_id)
        for _ in range(2):
            problem(await channel.step(f"{order_id}-F1", "hand-over"), 409, "step-not-possible")
        found = await strays(channel, order_id)
        assert (found[0]["data"]["units"], found[0]["data"]["on_hand"]) == ({sku: 3}, "too high")

    async def test_a_pick_up_that_was_collected_although_it_was_cancelled(self, channel: Channel) -> None:
        sku = await channel.stocked_sku(5, "store-london")
        order_id = await channel.place(order(sku, shipping_method="pickup", pickup_node="store-london"))
        await channel.step(f"{order_id}-F1", "pack")
        await channel.until_work(f"{order_id}-F1", "ready_for_collection")
        await cancel(channel, order_id)
        problem(await channel.step(f"{order_id}-F1", "collect"), 409, "step-not-possible")
        assert (await strays(channel, order_id))[0]["data"]["units"] == {sku: 2}

    async def test_a_late_step_that_moved_nothing_stands_in_the_timeline(self, channel: Channel) -> None:
        order_id = await channel.place(order(await channel.stocked_sku(5)))
        await cancel(channel, order_id)
        problem(await channel.step(f"{order_id}-F1", "pick"), 409, "step-not-possible")
        events = (await channel.http.get(f"/v1/orders/{order_id}/timeline")).json()["events"]
        assert (events[-1]["kind"], events[-1]["data"]["report"]) == ("report_out_of_turn", "pick")
        assert not (await channel.get(order_id))["exceptions"]

    async def test_a_late_hand_over_of_what_was_lost_needs_nobody(self, channel: Channel) -> None:
        _, order_id, item = await booked(channel)
        await channel.scan(item, "lost")
        await channel.until_work(f"{order_id}-F1", "lost")
        problem(await channel.step(f"{order_id}-F1", "hand-over"), 409, "step-not-possible")
        events = (await channel.http.get(f"/v1/orders/{order_id}/timeline")).json()["events"]
        assert [e["data"]["report"] for e in events if e["kind"] == "report_out_of_turn"] == ["hand-over"]
        assert [x["kind"] for x in (await channel.get(order_id))["exceptions"]] == ["parcel_lost"]


class TestAnOrderWithoutAProcess:
    async def test_is_moved_on_all_the_same_and_a_person_hears_that_it_has_none(
        self, channel: Channel, engine: AsyncEngine, temporal_client: Client
    ) -> None:
        """The store decides. Of an order that is over nobody needs to hear."""
        _, order_id, item = await shipped(channel)
        _, lost_id, lost = await shipped(channel)
        for each in (order_id, lost_id):
            await temporal_client.get_workflow_handle(f"order-{each}").terminate()
        key = new_number()
        assert [(await channel.scan(item, "delivered", key))["status"] for _ in range(2)] == ["recorded", "repeated"]
        found = await channel.get(order_id)
        assert (found["status"], found["exceptions"]) == ("delivered", [])
        await channel.scan(lost, "lost")

        async def told() -> bool:
            kinds = [each["kind"] for each in (await channel.get(lost_id))["exceptions"]]
            return sorted(kinds) == ["no_process", "parcel_lost"]

        await until(told)
        arrived = await channel.http.post(f"/v1/fulfilments/{lost_id}-F1/arrived", json={})
        problem(arrived, 503, "no-process")
        async with engine.connect() as connection:
            query = text("SELECT count(*) FROM carrier_events WHERE event_id = :id AND notified_at IS NOT NULL")
            assert await connection.scalar(query, {"id": key}) == 1


class TestAnEventIdUsedAgain:
    async def test_with_other_content_is_refused_and_does_nothing(self, channel: Channel) -> None:
        _, order_id, item = await shipped(channel)
        key = new_number()
        assert (await channel.scan(item, "in_transit", key))["status"] == "recorded"
        for kind in ("lost", "delivered", "returned_to_sender"):
            result = await channel.scan(item, kind, key)
            assert (result["status"], result["problem"]["type"]) == ("refused", "/problems/conflict")
            assert result["problem"]["field"] == "events[0].event_id"
        assert (await channel.scan(item, "in_transit", key))["status"] == "repeated"
        await settled(channel, order_id)
        found = await channel.get(order_id)
        assert (found["status"], len(found["fulfilments"])) == ("shipped", 1)
        assert [each["kind"] for each in found["fulfilments"][0]["shipments"][0]["events"]] == ["in_transit"]

    async def test_for_another_parcel_or_twice_in_one_feed(self, channel: Channel) -> None:
        _, one, first = await shipped(channel)
        _, other, second = await shipped(channel)
        key, at = new_number(), "2026-03-04T11:02:00Z"
        events = [
            {"event_id": key, "tracking_number": first["tracking_number"], "kind": "delivered", "occurred_at": at},
            {"event_id": key, "tracking_number": second["tracking_number"], "kind": "lost", "occurred_at": at},
            {"event_id": key, "tracking_number": first["tracking_number"], "kind": "delivered", "occurred_at": at},
        ]
        answer = await channel.http.post(f"/v1/carriers/{first['carrier']}/events", json={"events": events})
        assert [each["status"] for each in answer.json()["results"]] == ["recorded", "refused", "repeated"]
        await channel.until_order(one, "delivered")
        await settled(channel, other)
        assert (await channel.get(other))["status"] == "shipped"

    async def test_a_true_repeat_does_not_act_again(self, channel: Channel) -> None:
        """Lost, then found and delivered: the first report comes once more."""
        _, order_id, item = await shipped(channel)
        key = new_number()
        await channel.scan(item, "lost", key)
        await channel.until_work(f"{order_id}-F1", "lost")
        await channel.scan(item, "delivered")
        await channel.until_order(order_id, "delivered")
        assert (await channel.scan(item, "lost", key))["status"] == "repeated"
        await settled(channel, order_id)
        found = await channel.get(order_id)
        assert (found["status"], [x["kind"] for x in found["exceptions"]]) == ("delivered", ["parcel_lost"])

    async def test_a_repeat_whose_first_was_told_but_not_noted_as_told(
        self, channel: Channel, engine: AsyncEngine
    ) -> None:
        sku, order_id, item = await shipped(channel)
        key = new_number()
        await channel.scan(item, "lost", key)
        await channel.until_work(f"{order_id}-F2", "released")
        await channel.scan(item, "delivered")
        await channel.until_work(f"{order_id}-F1", "delivered")
        async with engine.begin() as connection:
            await connection.execute(text("UPDATE carrier_events SET notified_at = NULL"))
        await channel.scan(item, "lost", key)
        await settled(channel, order_id)
        assert (await channel.get(order_id))["status"] == "delivered"
        assert await stock(channel, sku) == (7, 0)


class TestALostParcelThatArrives:
    async def test_counts_as_delivered_while_its_replacement_is_not_begun(self, channel: Channel) -> None:
        sku, order_id, item = await shipped(channel)
        await channel.scan(item, "lost")
        await channel.until_work(f"{order_id}-F2", "released")
        await channel.scan(item, "delivered")
        found = await channel.until_order(order_id, "delivered")
        assert [f["status"] for f in found["fulfilments"]] == ["delivered", "cancelled"]
        assert found["fulfilments"][0]["shipments"][0]["status"] == "delivered"
        assert (found["lines"][0]["delivered"], found["lines"][0]["cancelled"]) == (3, 0)
        assert [x["kind"] for x in found["exceptions"]] == ["parcel_lost"]
        assert await stock(channel, sku) == (7, 0)

    async def test_also_while_nobody_has_its_replacement(self, channel: Channel) -> None:
        sku, order_id, item = await shipped(channel, 3, 3)
        await channel.scan(item, "lost")
        await channel.until_order(order_id, "backordered")
        await channel.scan(item, "delivered")
        found = await channel.until_order(order_id, "delivered")
        assert (found["lines"][0]["backordered"], await stock(channel, sku)) == (0, (0, 0))
        assert [x["kind"] for x in found["exceptions"]] == ["parcel_lost"]

    async def test_is_put_before_a_person_once_it_is_begun_and_a_call_puts_it_right(self, channel: Channel) -> None:
        sku, order_id, item = await shipped(channel)
        await channel.scan(item, "lost")
        await channel.until_work(f"{order_id}-F2", "released")
        await channel.step(f"{order_id}-F2", "pack")
        await channel.until_work(f"{order_id}-F2", "booked")
        await channel.scan(item, "delivered")
        (stray,) = await strays(channel, order_id)
        assert [each["fulfilment_id"] for each in stray["data"]["replaced_by"]] == [f"{order_id}-F2"]
        assert f"/v1/fulfilments/{order_id}-F1/arrived" in stray["detail"]
        url = f"/v1/fulfilments/{order_id}-F1/arrived"
        answer = await channel.http.post(url, json={"reason": "the customer has it"})
        assert (answer.status_code, answer.json()["taken_back"]) == (200, {"1": 3}), answer.text
        found = await channel.until_order(order_id, "delivered")
        assert [f["status"] for f in found["fulfilments"]] == ["delivered", "cancelled"]
        assert await stock(channel, sku) == (7, 0)

    async def test_a_replacement_that_left_cannot_be_taken_back(self, channel: Channel) -> None:
        sku, order_id, item = await shipped(channel)
        await channel.scan(item, "lost")
        await channel.until_work(f"{order_id}-F2", "released")
        await channel.step(f"{order_id}-F2", "pack")
        await channel.until_work(f"{order_id}-F2", "booked")
        await channel.step(f"{order_id}-F2", "hand-over")
        await channel.until_work(f"{order_id}-F2", "handed_over")
        answer = await channel.http.post(f"/v1/fulfilments/{order_id}-F1/arrived", json={})
        assert problem(answer, 409, "step-not-possible")["data"]["living"] == {f"{order_id}-F2": "handed_over"}
        assert await stock(channel, sku) == (4, 0)

    async def test_of_what_was_never_lost_there_is_nothing_to_put_right(self, channel: Channel) -> None:
        _, order_id, _ = await shipped(channel)
        url = f"/v1/fulfilments/{order_id}-F1/arrived"
        problem(await channel.http.post(url, json={}), 409, "step-not-possible")
        problem(await channel.http.post("/v1/fulfilments/web-none-F1/arrived", json={}), 404, "not-found")


class TestAFeedWithAWrongScan:
    async def test_the_others_are_taken(self, channel: Channel) -> None:
        _, order_id, item = await shipped(channel)
        good = {"tracking_number": item["tracking_number"], "kind": "in_transit", "occurred_at": "2026-03-04T11:02:00Z"}
        events: list[Any] = [
            {**good, "event_id": "unknown-kind", "kind": "teleported"},
            {**good, "event_id": f"good-{order_id}"},
            {**good, "event_id": "no-zone", "occurred_at": "2026-03-04T11:02:00"},
            {**good, "kind": "delivered"},
            "nonsense",
            {**good, "event_id": f"end-{order_id}", "kind": "delivered"},
        ]
        answer = await channel.http.post(f"/v1/carriers/{item['carrier']}/events", json={"events": events})
        results = answer.json()["results"]
        assert [each["index"] for each in results] == [0, 1, 2, 3, 4, 5]
        taken = ["refused", "recorded", "refused", "refused", "refused", "recorded"]
        assert [each["status"] for each in results] == taken
        assert [each["event_id"] for each in results[:3]] == ["unknown-kind", f"good-{order_id}", "no-zone"]
        fields = [each["problem"]["field"] for each in results if each["status"] == "refused"]
        assert fields == ["events[0].kind", "events[2].occurred_at", "events[3].event_id", "events[4]"]
        assert {each["problem"]["type"] for each in results if "problem" in each} == {"/problems/invalid-input"}
        await channel.until_order(order_id, "delivered")

    async def test_also_where_one_holds_text_that_is_none(self, channel: Channel) -> None:
        """The NUL character, and half a surrogate pair: of a character that was cut in two. In a place, which people
        write, what nobody sees is left out.
        """
        _, order_id, item = await shipped(channel)
        good = {"tracking_number": item["tracking_number"], "kind": "in_transit", "occurred_at": "2026-03-04T11:02:00Z"}
        events = [
            {**good, "event_id": "nul\0"},
            {**good, "event_id": "half\ud83d"},
            {**good, "event_id": "key", "\ud83d": 1},
            {**good, "event_id": f"place-{order_id}", "place": "Leeds\0"},
            {**good, "event_id": f"end-{order_id}", "kind": "delivered"},
        ]
        url, as_json = f"/v1/carriers/{item['carrier']}/events", {"Content-Type": "application/json"}
        answer = await channel.http.post(url, content=json.dumps({"events": events}), headers=as_json)
        assert answer.status_code == 200, answer.text
        results = answer.json()["results"]
        assert [each["status"] for each in results] == ["refused"] * 3 + ["recorded"] * 2
        assert results[1]["event_id"] == "half\\ud83d"
        await channel.until_order(order_id, "delivered")

    async def test_the_same_of_changes_and_counts(self, channel: Channel) -> None:
        sku = await channel.stocked_sku(10)
        here = {"node_id": WAREHOUSE, "sku": sku}
        change = {**here, "quantity": 1, "reason": "found", "idempotency_key": new_number()}
        count = {**here, "quantity": 7, "as_of": "2026-03-02T12:00:00Z", "sequence": 1}
        for method, path, body in (
            ("POST", "adjustments", {"adjustments": [{**change, "quantity": 0}, change]}),
            ("POST", "counts", {"source": "wms", "counts": [{**count, "as_of": "2026-03-02T12:00:00"}, count]}),
        ):
            answer = await channel.http.request(method, f"/v1/inventory/{path}", json=body)
            results = answer.json()["results"]
            assert [each["status"] for each in results] == ["refused", "applied"], path
            assert results[0]["problem"]["field"].startswith(f"{path}[0]."), results[0]

    async def test_only_one_of_which_nothing_can_be_read_is_refused_whole(self, channel: Channel) -> None:
        answer = await channel.http.post("/v1/carriers/northline/events", json={"events": [{}, {"kind": "x"}]})
        found = problem(answer, 422, "invalid-input", "events[0].event_id")
        assert {each["field"] for each in found["errors"]} >= {"events[0].event_id", "events[1].kind"}
