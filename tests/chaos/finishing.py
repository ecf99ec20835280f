"""Nodes and carriers that finish whatever is open, through the public API, after the simulator has gone."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

import httpx

from tests.worlds.stack import RunningStack

NEXT_STEP: Final = {
    "released": "accept",
    "accepted": "pick",
    "picked": "pack",
    "booked": "hand-over",
    "ready_for_collection": "collect",
}
_OPEN: Final = """
SELECT f.id, f.status, s.carrier, s.tracking_number, c.code FROM fulfilments f
LEFT JOIN collections c ON c.fulfilment_id = f.id
LEFT JOIN shipment_fulfilments sf ON sf.fulfilment_id = f.id
LEFT JOIN shipments s ON s.id = sf.shipment_id AND s.status = 'booked'
WHERE f.status IN ('released', 'accepted', 'picked', 'packed', 'booked', 'ready_for_collection', 'handed_over')
ORDER BY f.id
"""
_NOT_OVER: Final = """
SELECT id, status FROM orders WHERE status NOT IN ('delivered', 'cancelled')
UNION ALL SELECT id, status FROM returns WHERE status IN ('requested', 'received', 'part_refunded', 'part_put_away')
"""
_WAITING: Final = "SELECT order_id, line_id, backordered FROM order_lines WHERE backordered > 0"
_RETURNS: Final = """
SELECT r.id, r.status, l.line_id, l.quantity FROM returns r JOIN return_lines l ON l.return_id = r.id
WHERE r.status IN ('requested', 'received')
"""


@dataclass
class Finisher:
    """Takes the next step of everything that is open, again and again."""

    stack: RunningStack
    http: httpx.Client

    def until_over(self, seconds: float) -> None:
        """Returns when no order and no return is open; AssertionError with what is left when it takes too long."""
        deadline = time.monotonic() + seconds
        while open_ := self.open():
            assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {open_}; {self._left(open_)}"
            self.round()
            time.sleep(0.2)

    def open(self) -> list[dict[str, Any]]:
        """What is not over yet."""
        return self.stack.rows(_NOT_OVER)

    def _left(self, open_: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Fulfilments, bookings and timelines of what is left, for the message of a failed test."""
        named = ", ".join(f"'{each['id']}'" for each in open_[:3])
        told = "SELECT order_id, kind, business_key, recorded_at FROM timeline WHERE order_id IN"
        work = "SELECT f.id, f.status, s.id AS booking, s.status AS booked, s.tracking_number FROM fulfilments f"
        joined = (
            "LEFT JOIN shipment_fulfilments b ON b.fulfilment_id = f.id LEFT JOIN shipments s ON s.id = b.shipment_id"
        )
        return [
            *self.stack.rows(f"{work} {joined} WHERE f.order_id IN ({named})"),
            *self.stack.rows(f"{told} ({named}) ORDER BY id"),
        ]

    def round(self) -> None:
        """One step of each; what is refused, because the order has gone on meanwhile, is left to the next round."""
        for work in self.stack.rows(_OPEN):
            if work["status"] in NEXT_STEP:
                said = {"code": work["code"]} if work["status"] == "ready_for_collection" else {}
                self.http.post(f"/v1/fulfilments/{work['id']}/{NEXT_STEP[work['status']]}", json=said)
            elif work["status"] == "handed_over" and work["tracking_number"]:
                self._deliver(work)
        for waiting in self.stack.rows(_WAITING):
            line = {"line_id": waiting["line_id"], "quantity": waiting["backordered"]}
            self._post(f"/v1/orders/{waiting['order_id']}/cancel", {"lines": [line], "reason": "no stock is coming"})
        for line in self.stack.rows(_RETURNS):
            self._go_on(line)

    def _deliver(self, work: dict[str, Any]) -> None:
        event = {
            "event_id": uuid4().hex,
            "tracking_number": work["tracking_number"],
            "kind": "delivered",
            "occurred_at": datetime.now(UTC).isoformat(),
            "place": "Leeds",
        }
        self.http.post(f"/v1/carriers/{work['carrier']}/events", json={"events": [event]})

    def _go_on(self, line: dict[str, Any]) -> None:
        url = f"/v1/returns/{line['id']}"
        if line["status"] == "requested":
            self._post(f"{url}/receive", None)
        else:
            found = {"line_id": line["line_id"], "quantity": line["quantity"], "disposition": "scrap"}
            self._post(f"{url}/inspect", {"lines": [found]})

    def _post(self, url: str, body: dict[str, Any] | None) -> None:
        self.http.post(url, json=body, headers={"Idempotency-Key": uuid4().hex})
