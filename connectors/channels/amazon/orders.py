"""An order as Amazon's Orders API (2026-01-01) has it."""

import re
from collections.abc import Mapping
from typing import Any, Final

from dom.channels.telling import PlatformFulfilment, PlatformLine, PlatformOrder, TellStep

_GONE: Final = frozenset({"CANCELLED", "UNDELIVERABLE"})


def known(order: Mapping[str, Any]) -> PlatformOrder:
    """What Amazon knows of the order. What is neither sent nor to be sent was cancelled."""
    lines = {}
    for item in order["orderItems"]:
        told = item.get("fulfillment") or {}
        sent = int(told.get("quantityFulfilled", 0))
        lines[item["orderItemId"]] = PlatformLine(sent + int(told.get("quantityUnfulfilled", 0)), sent)
    packages = [each for each in order.get("packages") or () if each["packageStatus"]["status"] not in _GONE]
    return PlatformOrder(
        reference=order["orderId"],
        lines=lines,
        fulfilments=[
            PlatformFulfilment(
                each["packageReferenceId"],
                each.get("trackingNumber") or "",
                delivered=each["packageStatus"]["status"] == "DELIVERED",
            )
            for each in packages
        ],
        is_cancelled=(order.get("fulfillment") or {}).get("fulfillmentStatus") == "CANCELLED",
        raw=order,
    )


def package(step: TellStep, marketplace: str, ship_date: str) -> dict[str, Any]:
    """The body of `confirmShipment`. A package is told by a number: sent again, it is the same package."""
    return {
        "marketplaceId": marketplace,
        "packageDetail": {
            "packageReferenceId": package_number(step.key),
            "carrierCode": "Other",
            "carrierName": step.carrier or "Other",
            "trackingNumber": step.tracking_number,
            "shipDate": ship_date,
            "orderItems": [{"orderItemId": line_id, "quantity": units} for line_id, units in step.lines.items()],
        },
    }


def package_number(fulfilment: str) -> str:
    """The number of a fulfilment in its order, which its id ends with."""
    found = re.search(r"(\d+)$", fulfilment)
    return found[1] if found else "1"
