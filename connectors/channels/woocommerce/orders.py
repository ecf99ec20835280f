"""An order as WooCommerce has it. It knows no parcels: ours are kept among the order's own data (`meta_data`)."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from dom.channels.telling import PlatformFulfilment, PlatformLine, PlatformOrder, PlatformRefund, TellStep

PARCEL: Final = "_dom_parcel_"
ACCEPTED: Final = "_dom_accepted"
_COMPLETED: Final = "completed"
_GONE: Final = frozenset({"cancelled", "failed", "refunded", "trash"})


def with_counts(order: Mapping[str, Any], refunds: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The order as it is read by its mapping: each line also says how many of its units are left of it, were sent, and
    were refunded. A refund names units as negative numbers.
    """
    refunded = _sum((int(part["meta_line"]), -int(part["quantity"])) for part in _refunded(refunds))
    sent = _sum((int(line), units) for parcel in parcels(order).values() for line, units in parcel["lines"].items())
    lines = []
    for line in order["line_items"]:
        left = max(int(line["quantity"]) - refunded.get(line["id"], 0), 0)
        shipped = left if order["status"] == _COMPLETED else min(sent.get(line["id"], 0), int(line["quantity"]))
        counts = {"current_quantity": max(left, shipped), "shipped_quantity": shipped}
        lines.append({**line, **counts, "refunded_quantity": refunded.get(line["id"], 0)})
    return {**order, "line_items": lines, "refunds": [_refund(each) for each in refunds]}


def _refund(refund: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": refund["id"], "reason": refund.get("reason") or "", "amount": refund["amount"]}


def _refunded(refunds: Iterable[Mapping[str, Any]]) -> Iterable[dict[str, Any]]:
    for refund in refunds:
        for line in refund.get("line_items") or ():
            of = next((each["value"] for each in line["meta_data"] if each["key"] == "_refunded_item_id"), None)
            if of is not None:
                yield {"meta_line": of, "quantity": line["quantity"]}


def _sum(pairs: Iterable[tuple[int, int]]) -> dict[int, int]:
    found: dict[int, int] = {}
    for line_id, units in pairs:
        found[line_id] = found.get(line_id, 0) + units
    return found


def parcels(order: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Our parcels of the order, by our fulfilment."""
    kept = [each for each in order.get("meta_data") or () if str(each["key"]).startswith(PARCEL)]
    return {each["key"].removeprefix(PARCEL): json.loads(each["value"]) for each in kept}


def known(order: Mapping[str, Any]) -> PlatformOrder:
    """What the shop knows of the order."""
    keys = {each["key"] for each in order.get("meta_data") or ()}
    return PlatformOrder(
        reference=str(order["id"]),
        lines={
            str(line["id"]): PlatformLine(int(line["current_quantity"]), int(line["shipped_quantity"]))
            for line in order["line_items"]
        },
        fulfilments=[
            PlatformFulfilment(key, each["tracking_number"], delivered=each.get("delivered", False))
            for key, each in parcels(order).items()
        ],
        refunds=[PlatformRefund(str(each["id"]), each["reason"]) for each in order["refunds"]],
        is_cancelled=order["status"] in _GONE,
        is_accepted=ACCEPTED in keys,
        raw=order,
    )


def parcel(order: Mapping[str, Any], step: TellStep) -> dict[str, Any]:
    """What is changed of an order of which a parcel left: the parcel, and that all was sent if it was the last."""
    told = {"carrier": step.carrier, "tracking_number": step.tracking_number, "lines": dict(step.lines)}
    changed: dict[str, Any] = {"meta_data": [{"key": f"{PARCEL}{step.key}", "value": json.dumps(told)}]}
    left = [
        int(line["current_quantity"]) - int(line["shipped_quantity"]) - step.lines.get(str(line["id"]), 0)
        for line in order["line_items"]
    ]
    if not any(units > 0 for units in left):
        changed["status"] = _COMPLETED
    return changed


def delivered(order: Mapping[str, Any], key: str) -> dict[str, Any]:
    """What is changed of an order of which a parcel arrived."""
    told = {**parcels(order)[key], "delivered": True}
    return {"meta_data": [{"key": f"{PARCEL}{key}", "value": json.dumps(told)}]}
