"""A newcomer's way from a first order to its delivery, call by call, as the README shows it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.worlds.stack import until

FIRST_ORDER: dict[str, Any] = json.loads((Path(__file__).parents[2] / "docs" / "first_order.json").read_text())


@dataclass
class Walk:
    """One order with one fulfilment, walked through by hand."""

    client: httpx.Client
    order_id: str

    def get(self, path: str = "") -> dict[str, Any]:
        """What the API shows of the order."""
        found: dict[str, Any] = self.client.get(f"/v1/orders/{self.order_id}{path}").raise_for_status().json()
        return found

    def fulfilment(self) -> dict[str, Any]:
        """The order's fulfilment, as it stands in its node's work list."""
        listed = self.client.get("/v1/fulfilments", params={"order": self.order_id}).raise_for_status().json()
        (only,) = listed["items"]
        return dict(only)

    def step(self, step: str) -> None:
        """The node reports a step."""
        answer = self.client.post(f"/v1/fulfilments/{self.order_id}-F1/{step}", json={})
        assert answer.status_code == 200, answer.text

    def until_fulfilment(self, status: str) -> None:
        """Waits until the fulfilment has come to a status."""
        until(f"{self.order_id}-F1 is {status}", lambda: self.fulfilment()["status"] == status)

    def events(self) -> list[dict[str, Any]]:
        """The timeline."""
        return list(self.get("/timeline")["events"])

    def to_delivered(self) -> None:
        """Accept, pick, pack, hand over; then the carrier reports the delivery."""
        for step in ("accept", "pick", "pack"):
            self.step(step)
        self.until_fulfilment("booked")
        self.step("hand-over")
        self.until_fulfilment("handed_over")
        work = self.fulfilment()
        report = {
            "event_id": f"{work['tracking_number']}-delivered",
            "tracking_number": work["tracking_number"],
            "kind": "delivered",
            "occurred_at": self.events()[-1]["recorded_at"],
            "place": "Leeds",
        }
        answer = self.client.post(f"/v1/carriers/{work['carrier']}/events", json={"events": [report]})
        assert answer.json()["results"][0]["status"] == "recorded", answer.text
        until(f"{self.order_id} is delivered", lambda: self.get()["status"] == "delivered")
