"""Takes an order to its end with as little looking as can be; the driver looks into the store, and does not count."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from bench.counts.meter import Meter
from bench.door import Door, Json
from dom.orders.status import CarrierEventKind, FulfilmentStatus, FulfilmentStep

STEP_SECONDS: Final = 0.3
"""Between two messages to one order, so that each finds it at rest, as in life."""
_LOOK_SECONDS: Final = 0.1
_LOOKS: Final = 300
_FULFILMENTS: Final = """
SELECT f.id, f.status, s.carrier, s.tracking_number FROM fulfilments f
LEFT JOIN shipment_fulfilments sf ON sf.fulfilment_id = f.id LEFT JOIN shipments s ON s.id = sf.shipment_id
WHERE f.order_id = %s ORDER BY f.id
"""
_TOLD: Final = "SELECT bool_and(status = 'sent') FROM outbox WHERE order_id = %s"


async def deliver(door: Door, meter: Meter, order: Json) -> str:
    """Hand an order over and take it to delivered, with all its mails; answers its id. Raises TimeoutError."""
    order_id: str = (await door.post("/orders", order))["order_id"]
    await asyncio.sleep(STEP_SECONDS)
    for step in (FulfilmentStep.ACCEPT, FulfilmentStep.PICK, FulfilmentStep.PACK):
        for fulfilment_id, *_ in meter.ask(_FULFILMENTS, order_id):
            await door.post(f"/fulfilments/{fulfilment_id}/{step}", {})
        await asyncio.sleep(STEP_SECONDS)
    await _until(lambda: _all(meter, order_id, FulfilmentStatus.BOOKED))
    for fulfilment_id, _, carrier, tracking_number in meter.ask(_FULFILMENTS, order_id):
        await door.post(f"/fulfilments/{fulfilment_id}/{FulfilmentStep.HAND_OVER}", {})
        await asyncio.sleep(STEP_SECONDS)
        event = {
            "event_id": f"{tracking_number}-delivered",
            "tracking_number": tracking_number,
            "kind": CarrierEventKind.DELIVERED,
            "occurred_at": datetime.now(UTC).isoformat(),
        }
        await door.post(f"/carriers/{carrier}/events", {"events": [event]})
    await _until(lambda: _all(meter, order_id, FulfilmentStatus.DELIVERED))
    await _until(lambda: bool(meter.ask(_TOLD, order_id)[0][0]))
    return order_id


def _all(meter: Meter, order_id: str, status: FulfilmentStatus) -> bool:
    return all(found == status for _, found, *_ in meter.ask(_FULFILMENTS, order_id))


async def _until(condition: Callable[[], bool]) -> None:
    for _ in range(_LOOKS):
        if condition():
            return
        await asyncio.sleep(_LOOK_SECONDS)
    raise TimeoutError("the order does not go on")
