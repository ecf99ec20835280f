"""Customers who cancel what is picked, and nodes that answer, played by the simulator against the real system."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.delivery.promise import ship_days
from dom.network import Node
from dom.shared import ids
from simulator import carriers, chance, customers, demo, nodes
from tests.api import driving
from tests.api.driving import NODE, Channel, new_number, on_hand
from tests.unit.simulator.fakes import cancellation, config, write_sample
from tests.worlds.access import KEY

STOCK, UNITS, PRICE = 10, 2, 255
BEFORE_HAND_OVER = timedelta(hours=1)
"""Less than a node of the simulator leaves between picking and handing over."""


def numbers(*, refuses: bool) -> Iterator[str]:
    """Numbers of orders whose customer asks, whose node grants or refuses, and of which nothing else goes wrong."""
    goes_wrong = {
        "reject": nodes.REJECTED,
        "short": nodes.SHORT,
        "lost": carriers.LOST,
        "sent back": carriers.SENT_BACK,
    }
    for tried in count():
        number = f"{new_number()}-{tried}"
        order_id = ids.order_id("web", number)
        work, request = ids.fulfilment_id(order_id, 1), ids.cancellation_request_id(order_id, 1)
        asks = chance.happens(customers.ASKS, "asks", order_id, f"C{number}")
        wrong = any(chance.happens(share, about, work) for about, share in goes_wrong.items())
        if asks and not wrong and chance.happens(nodes.REFUSED, "refuse", request) is refuses:
            yield number


async def ship_by(channel: Channel) -> datetime:
    """By when the node hands over what is ordered now."""
    document = (await channel.http.get(f"/v1/nodes/{NODE}")).raise_for_status().json()
    node = Node.model_validate({name: document[name] for name in Node.model_fields if name in document})
    return next(ship_days(node, datetime.now(UTC))).ship_by


def sold(sku: str, number: str, at: datetime) -> dict[str, Any]:
    lines = [{"line_id": "1", "sku": sku, "quantity": UNITS, "unit_price": PRICE}]
    told: dict[str, Any] = {"external_id": number, "shipping_method": "standard", "lines": lines}
    return driving.order(sku, placed_at=f"{at:%Y-%m-%dT%H:%M:%SZ}", **told)


async def exceptions(channel: Channel, order_id: str) -> list[dict[str, Any]]:
    listed = await channel.http.get("/v1/exceptions", params={"order": order_id})
    return list(listed.json()["items"])


async def test_one_is_granted_and_another_one_refused(
    channel: Channel, app: FastAPI, engine: AsyncEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Granted: the goods stand on the shelf again. Refused: they are delivered, come back, and are refunded."""
    monkeypatch.setattr(demo, "whole_weeks", lambda *_: timedelta())  # the sample is of today
    at = datetime.now(UTC) - timedelta(days=1)
    cancelled_after = await ship_by(channel) - BEFORE_HAND_OVER - at
    skus = [await channel.stocked_sku(STOCK) for _ in range(2)]
    let_go, kept = (next(numbers(refuses=refuses)) for refuses in (False, True))
    orders = [sold(sku, number, at) for sku, number in zip(skus, (let_go, kept), strict=True)]
    sample = write_sample(tmp_path, orders, [cancellation(each, cancelled_after, UNITS) for each in orders], ())
    (tmp_path / "operator").write_text(KEY)

    summary = await demo.run(config(sample, keys=tmp_path, patience=30.0), transport=httpx.ASGITransport(app))

    assert summary.all_final, summary.unfinished
    tally = summary.tally
    assert (tally["requests_granted"], tally["requests_refused"], dict(tally["refusals"])) == (1, 1, {})
    assert (summary.cancelled, summary.delivered, tally["returns"], tally["refunds"]) == (1, 1, 1, 1)

    gone, sent = (ids.order_id("web", number) for number in (let_go, kept))
    granted = await channel.until_order(gone, "cancelled")
    assert (granted["lines"][0]["cancelled"], granted["refunds"]) == (UNITS, [])
    assert await on_hand(engine, skus[0]) == (STOCK, 0)
    assert await exceptions(channel, gone) == []

    delivered = await channel.get(sent)
    (line,) = delivered["lines"]
    assert (delivered["status"], line["cancelled"], line["returned"]) == ("delivered", 0, UNITS)
    assert [each["amount"] for each in delivered["refunds"]] == [UNITS * PRICE]
    (back,) = delivered["returns"]
    found = (await channel.http.get(f"/v1/returns/{back['id']}")).json()["lines"][0]["dispositions"]
    assert await on_hand(engine, skus[1]) == (STOCK - UNITS + found.get("restock", 0), 0)

    (heard,) = await exceptions(channel, sent)
    assert (heard["kind"], heard["status"]) == ("cancellation_not_granted", "open")
    url, ends = f"/v1/exceptions/{heard['id']}/resolve", {"version": heard["version"], "resolution": "it came back"}
    assert (await channel.http.post(url, json=ends)).json()["status"] == "closed"
