"""Scans and stock through HTTP: each counts once, and none spoils another."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from store import stock
from tests.api.driving import NODE, Channel, new_number, order, problem


class TestScans:
    async def shipped(self, channel: Channel) -> tuple[str, dict[str, Any]]:
        order_id = await channel.place(order(await channel.stocked_sku(10)))
        await channel.step(f"{order_id}-F1", "pack")
        await channel.until_work(f"{order_id}-F1", "booked")
        await channel.step(f"{order_id}-F1", "hand-over")
        return order_id, await channel.until_work(f"{order_id}-F1", "handed_over")

    async def test_a_routine_scan_is_kept_and_moves_nothing(self, channel: Channel) -> None:
        order_id, item = await self.shipped(channel)
        assert (await channel.scan(item, "out_for_delivery"))["status"] == "recorded"
        found = await channel.get(order_id)
        assert found["status"] == "shipped"
        assert found["fulfilments"][0]["shipments"][0]["status"] == "in_transit"

    async def test_an_event_counts_once(self, channel: Channel) -> None:
        order_id, item = await self.shipped(channel)
        scans = [await channel.scan(item, "delivered", "same") for _ in range(3)]
        assert [scan["status"] for scan in scans] == ["recorded", "repeated", "repeated"]
        found = await channel.until_order(order_id, "delivered")
        assert len(found["fulfilments"][0]["shipments"][0]["events"]) == 1
        assert (await channel.scan(item, "delivered", "same"))["status"] == "repeated"

    async def test_a_repeat_tells_the_order_what_the_first_could_not(
        self, channel: Channel, engine: AsyncEngine
    ) -> None:
        """As if the process had died between writing the event down and telling the order."""
        order_id, item = await self.shipped(channel)
        async with engine.begin() as connection:
            await connection.execute(
                text("""
                INSERT INTO carrier_events (carrier, event_id, tracking_number, kind, place, occurred_at)
                VALUES (:carrier, :event, :tracking, 'delivered', 'Leeds', '2026-03-04T11:02:00Z')
                """),
                {"carrier": item["carrier"], "event": "lost-" + order_id, "tracking": item["tracking_number"]},
            )
        assert (await channel.scan(item, "delivered", "lost-" + order_id))["status"] == "repeated"
        await channel.until_order(order_id, "delivered")

    async def test_a_scan_of_nothing_is_refused_by_itself(self, channel: Channel) -> None:
        order_id, item = await self.shipped(channel)
        scan = {"kind": "delivered", "occurred_at": "2026-03-04T11:02:00Z"}
        events = [
            {**scan, "event_id": "z-unknown", "tracking_number": "NOBODY"},
            {**scan, "event_id": "a-good", "tracking_number": item["tracking_number"]},
            {
                **scan,
                "event_id": "b-late",
                "tracking_number": item["tracking_number"],
                "occurred_at": "2999-01-01T00:00Z",
            },
        ]
        answer = await channel.http.post(f"/v1/carriers/{item['carrier']}/events", json={"events": events})
        results = answer.json()["results"]
        assert [result["index"] for result in results] == [0, 1, 2]
        assert [result["status"] for result in results] == ["refused", "recorded", "refused"]
        assert results[0]["problem"]["field"] == "events[0].tracking_number"
        assert results[0]["problem"]["type"] == "/problems/not-found"
        assert results[2]["problem"]["field"] == "events[2].occurred_at"
        await channel.until_order(order_id, "delivered")

    async def test_a_thousand_at_once_and_not_one_more(self, channel: Channel) -> None:
        _, item = await self.shipped(channel)
        events = [
            {
                "event_id": f"many-{number}",
                "tracking_number": item["tracking_number"],
                "kind": "in_transit",
                "occurred_at": "2026-03-04T11:02:00Z",
            }
            for number in range(1001)
        ]
        url = f"/v1/carriers/{item['carrier']}/events"
        problem(await channel.http.post(url, json={"events": events}), 422, "invalid-input", "events")
        answers = await asyncio.gather(
            channel.http.post(url, json={"events": events[:1000]}),
            channel.http.post(url, json={"events": events[:1000][::-1]}),
        )
        statuses = [result["status"] for answer in answers for result in answer.json()["results"]]
        assert (statuses.count("recorded"), statuses.count("repeated")) == (1000, 1000)


class TestAdjustments:
    async def test_each_item_stands_for_itself(self, channel: Channel) -> None:
        sku = await channel.stocked_sku(10)
        changes = [
            change(sku, 5),
            change(sku, -500),
            change(sku, 5, node_id="nowhere"),
            change("no such sku", 5),
            change("no such sku", -5),
            change(sku, 5, occurred_at="2999-01-01T00:00:00Z"),
            change(sku, -3, reason="damaged"),
        ]
        results = await adjust(channel.http, *changes)
        statuses = [result["status"] for result in results]
        assert statuses == ["applied", "refused", "refused", "refused", "refused", "refused", "applied"]
        named = [(r["problem"]["type"], r["problem"]["field"]) for r in results if r["status"] == "refused"]
        assert named == [
            ("/problems/stock-conflict", "adjustments[1].quantity"),
            ("/problems/unknown-node", "adjustments[2].node_id"),
            ("/problems/unknown-sku", "adjustments[3].sku"),
            ("/problems/unknown-sku", "adjustments[4].sku"),
            ("/problems/invalid-input", "adjustments[5].occurred_at"),
        ]
        last = {"index": 6, "status": "applied", "on_hand": 12, "reserved": 0, "available": 12}
        assert results[-1] == last | {"damaged": 0, "quarantine": 0}

    async def test_a_key_counts_once(self, channel: Channel) -> None:
        sku = await channel.stocked_sku(0)
        same = change(sku, 5)
        answers = [(await adjust(channel.http, same))[0] for _ in range(3)]
        assert [answer["status"] for answer in answers] == ["applied", "repeated", "repeated"]
        assert [answer["on_hand"] for answer in answers] == [5, 5, 5]

    async def test_a_key_twice_in_one_call_counts_once(self, channel: Channel) -> None:
        same = change(await channel.stocked_sku(0), 5)
        assert [r["status"] for r in await adjust(channel.http, same, same)] == ["applied", "repeated"]

    async def test_a_key_sent_many_times_at_once_counts_once(self, channel: Channel) -> None:
        same = change(await channel.stocked_sku(1), 5)
        answers = await asyncio.gather(*(adjust(channel.http, same) for _ in range(12)))
        assert sorted(answer[0]["status"] for answer in answers) == ["applied"] + ["repeated"] * 11
        assert {answer[0]["on_hand"] for answer in answers} == {6}

    async def test_a_key_for_another_change_is_refused(self, channel: Channel) -> None:
        first = change(await channel.stocked_sku(0), 5)
        await adjust(channel.http, first)
        result = (await adjust(channel.http, {**first, "quantity": 6}))[0]
        assert (result["status"], result["problem"]["field"]) == ("refused", "adjustments[0].idempotency_key")

    async def test_a_key_cannot_hide_an_entry_of_the_house(self, channel: Channel, engine: AsyncEngine) -> None:
        sku = await channel.stocked_sku(10)
        order_id = await channel.place(order(sku))
        async with engine.connect() as connection:
            written = text("SELECT business_key FROM stock_ledger WHERE order_id = :id")
            keys = (await connection.scalars(written, {"id": order_id})).all()
        assert keys
        for key in keys:
            assert (await adjust(channel.http, change(sku, 1, idempotency_key=key)))[0]["status"] == "applied"

    async def test_reserved_units_cannot_go(self, channel: Channel) -> None:
        sku = await channel.stocked_sku(5)
        await channel.place(order(sku, quantity=4))
        assert (await adjust(channel.http, change(sku, -2)))[0]["problem"]["data"] == {"on_hand": 5, "reserved": 4}
        assert (await adjust(channel.http, change(sku, -1)))[0]["on_hand"] == 4

    async def test_more_than_can_be_counted(self, channel: Channel, engine: AsyncEngine) -> None:
        sku = await channel.stocked_sku(0)
        async with engine.begin() as connection:
            await connection.execute(
                text("INSERT INTO stock (node_id, sku, on_hand) VALUES (:node, :sku, 2147483647)"),
                {"node": NODE, "sku": sku},
            )
        result = (await adjust(channel.http, change(sku, 1)))[0]
        assert (result["status"], result["problem"]["field"]) == ("refused", "adjustments[0].quantity")
        async with engine.begin() as connection:
            await connection.execute(text("DELETE FROM stock WHERE sku = :sku"), {"sku": sku})

    async def test_a_receipt_is_told_from_a_count(self, channel: Channel, engine: AsyncEngine) -> None:
        sku = await channel.stocked_sku(0)
        await adjust(channel.http, change(sku, 5, reason="receipt PO-1"), change(sku, 1, reason="counted"))
        async with engine.connect() as connection:
            kinds = await connection.scalars(
                text("SELECT kind FROM stock_ledger WHERE sku = :sku ORDER BY id"), {"sku": sku}
            )
        assert list(kinds) == ["receipt", "adjustment"]

    async def test_what_comes_in_wakes_the_oldest_order_first(self, channel: Channel) -> None:
        sku = await channel.stocked_sku(0)
        young = await channel.place(order(sku, placed_at="2026-03-02T12:00:00Z"))
        old = await channel.place(order(sku, placed_at="2026-03-01T12:00:00Z"))
        await channel.receive(sku, 2)
        await channel.until_order(old, "accepted")
        assert (await channel.get(young))["status"] == "backordered"
        await channel.receive(sku, 2)
        await channel.until_order(young, "accepted")

    async def test_the_ledger_says_what_the_balances_say(self, channel: Channel, engine: AsyncEngine) -> None:
        sku = await channel.stocked_sku(10)
        order_id = await channel.place(order(sku))
        await channel.deliver(order_id)
        await adjust(channel.http, change(sku, -3), change(sku, -300), change(sku, 4))
        async with engine.connect() as connection:
            _, differences = await stock.check(connection)
        assert [dict(row) for row in differences if row["sku"] == sku] == []


class TestHealth:
    async def test_ready(self, http: httpx.AsyncClient) -> None:
        answer = await http.get("/health/ready")
        assert answer.json() == {"status": "ready", "postgresql": "ready", "temporal": "ready"}


class TestConditions:
    async def test_units_that_broke_are_no_longer_promised(self, channel: Channel) -> None:
        sku = await channel.stocked_sku(10)
        (result,) = await adjust(channel.http, change(sku, 4, reason_code="damage", to="damaged"))
        assert result == {
            "index": 0, "status": "applied", "on_hand": 6, "reserved": 0, "available": 6, "damaged": 4, "quarantine": 0,
        }  # fmt: skip
        (result,) = await adjust(channel.http, change(sku, -5, condition="damaged"))
        assert result["problem"]["detail"] == "5 cannot go: 4 damaged"

    @pytest.mark.parametrize("more", [{"to": "sellable"}, {"to": "damaged", "quantity": -1}, {"to": "eaten"}])
    async def test_a_move_that_is_none(self, channel: Channel, more: dict[str, Any]) -> None:
        body = {"adjustments": [change("A", 1) | more]}
        answer = await channel.http.post("/v1/inventory/adjustments", json=body)
        assert answer.status_code == 422
        assert answer.json()["field"].startswith("adjustments[0]")


class TestCounts:
    async def test_each_item_stands_for_itself(self, channel: Channel) -> None:
        sku = await channel.stocked_sku(10)
        await channel.place(order(sku, quantity=4))
        sent = [
            counted(sku, 8),
            counted(sku, 8, node_id="nowhere"),
            counted("no such sku", 8),
            counted(sku, 8, as_of="2999-01-01T00:00:00Z"),
            counted(sku, 3, sequence=2, as_of="2026-03-02T11:00:00Z"),
        ]
        results = await count(channel.http, *sent)
        assert [result["status"] for result in results] == ["applied", "refused", "refused", "refused", "late"]
        assert [r["problem"]["field"] for r in results if r["status"] == "refused"] == [
            "counts[1].node_id", "counts[2].sku", "counts[3].as_of"]  # fmt: skip
        assert results[0]["available"] == results[0]["on_hand"] - 4

    async def test_a_count_below_what_orders_have(self, channel: Channel, engine: AsyncEngine) -> None:
        sku = await channel.stocked_sku(5)
        await channel.place(order(sku, quantity=4))
        now = datetime.now(UTC).isoformat()
        (result,) = await count(channel.http, counted(sku, 3, as_of=now))
        assert result == {"index": 0, "status": "short", "on_hand": 4, "reserved": 4, "available": 0, "shortfall": 1}
        async with engine.connect() as connection:
            kinds = await connection.scalars(
                text("SELECT kind FROM exceptions WHERE business_key LIKE '%/' || :sku"), {"sku": sku}
            )
        assert list(kinds) == ["count_below_reserved"]

    async def test_again_and_otherwise(self, channel: Channel) -> None:
        sku = await channel.stocked_sku(5)
        now = datetime.now(UTC).isoformat()
        first = counted(sku, 7, as_of=now)
        answers = [(await count(channel.http, each))[0] for each in (first, first, first | {"quantity": 6})]
        assert [answer["status"] for answer in answers] == ["applied", "repeated", "refused"]
        assert answers[2]["problem"]["field"] == "counts[0].sequence"

    async def test_a_thousand_and_not_one_more(self, channel: Channel) -> None:
        body = {"source": "wms", "counts": [counted("A", 1)] * 1001}
        problem(await channel.http.post("/v1/inventory/counts", json=body), 422, "invalid-input", "counts")


@pytest.fixture(scope="module", autouse=True)
def _needs_the_application(app: FastAPI) -> None:
    """The stack is up before the first test counts its time."""


def change(sku: str, quantity: int, **more: Any) -> dict[str, Any]:
    fields = {"node_id": NODE, "reason": "count", "idempotency_key": new_number()} | more
    return {"sku": sku, "quantity": quantity, **fields}


async def adjust(http: httpx.AsyncClient, *changes: dict[str, Any]) -> list[dict[str, Any]]:
    answer = await http.post("/v1/inventory/adjustments", json={"adjustments": list(changes)})
    assert answer.status_code == 200, answer.text
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


def counted(sku: str, quantity: int, **more: Any) -> dict[str, Any]:
    fields = {"node_id": NODE, "as_of": "2026-03-02T12:00:00Z", "sequence": 1} | more
    return {"sku": sku, "quantity": quantity, **fields}


async def count(http: httpx.AsyncClient, *counts: dict[str, Any]) -> list[dict[str, Any]]:
    answer = await http.post("/v1/inventory/counts", json={"source": "wms", "counts": list(counts)})
    assert answer.status_code == 200, answer.text
    results: list[dict[str, Any]] = answer.json()["results"]
    return results
