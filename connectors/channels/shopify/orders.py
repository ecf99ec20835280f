"""An order as Shopify's Admin API has it, and what it has to be asked to change it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from dom.channels.telling import PlatformFulfilment, PlatformLine, PlatformOrder, PlatformRefund, TellStep

LINE_PREFIX: Final = "gid://shopify/LineItem/"
ORDER_PREFIX: Final = "gid://shopify/Order/"
_OPEN: Final = frozenset({"OPEN", "IN_PROGRESS", "SCHEDULED", "ON_HOLD"})
"""Statuses of fulfilment orders that can still be fulfilled."""


def with_counts(order: Mapping[str, Any]) -> dict[str, Any]:
    """The order as its mapping reads it: each line also says how many of its units are to be sent or were
    (`wantedQuantity`), and how many were (`shippedQuantity`).

    `currentQuantity` leaves out what was refunded, also of units that the customer has or gave back: refunds that do
    not cancel are added again.
    """
    given_back: dict[str, int] = {}
    for refund in order.get("refunds") or ():
        for item in refund["refundLineItems"]["nodes"]:
            if item["restockType"] != "CANCEL":
                line_id = item["lineItem"]["id"]
                given_back[line_id] = given_back.get(line_id, 0) + int(item["quantity"])
    lines = []
    for line in order["lineItems"]["nodes"]:
        wanted = min(int(line["currentQuantity"]) + given_back.get(line["id"], 0), int(line["quantity"]))
        shipped = max(wanted - int(line["unfulfilledQuantity"]), 0)
        lines.append({**line, "wantedQuantity": wanted, "shippedQuantity": shipped})
    return {**order, "lineItems": {"nodes": lines}}


def known(order: Mapping[str, Any], accepted_tag: str) -> PlatformOrder:
    """What Shopify knows of the order. A fulfilment that was cancelled there is none."""
    lines = {
        _bare(line["id"], LINE_PREFIX): PlatformLine(int(line["wantedQuantity"]), int(line["shippedQuantity"]))
        for line in order["lineItems"]["nodes"]
    }
    live = [each for each in order.get("fulfillments") or () if each["status"] not in {"CANCELLED", "ERROR", "FAILURE"}]
    return PlatformOrder(
        reference=order["id"],
        lines=lines,
        fulfilments=[
            PlatformFulfilment(each["id"], _tracking(each), delivered=each.get("displayStatus") == "DELIVERED")
            for each in live
        ],
        refunds=[PlatformRefund(each["id"], each.get("note") or "") for each in order.get("refunds") or ()],
        is_cancelled=order.get("cancelledAt") is not None,
        is_accepted=accepted_tag in (order.get("tags") or ()),
        raw=order,
    )


def _tracking(fulfilment: Mapping[str, Any]) -> str:
    return next((each["number"] for each in fulfilment.get("trackingInfo") or () if each.get("number")), "")


def _bare(gid: str, prefix: str) -> str:
    return gid.removeprefix(prefix)


def fulfilment(work: Sequence[Mapping[str, Any]], step: TellStep) -> dict[str, Any]:
    """The input of `fulfillmentCreate`: units by fulfilment order (`work`). Raises LookupError if fewer are open than
    left us.

    A fulfilment order without lines would be fulfilled whole, so each is named with its units.
    """
    missing = dict(step.lines)
    parts = []
    for each in work:
        if each["status"] not in _OPEN:
            continue
        items = []
        for item in each["lineItems"]["nodes"]:
            line_id = _bare(item["lineItem"]["id"], LINE_PREFIX)
            units = min(int(item["remainingQuantity"]), missing.get(line_id, 0))
            if units > 0:
                missing[line_id] -= units
                items.append({"id": item["id"], "quantity": units})
        if items:
            parts.append({"fulfillmentOrderId": each["id"], "fulfillmentOrderLineItems": items})
    if any(missing.values()):
        raise LookupError(f"Shopify has no open units for {missing}")
    asked: dict[str, Any] = {"lineItemsByFulfillmentOrder": parts, "notifyCustomer": False}
    if step.tracking_number:
        asked["trackingInfo"] = {"number": step.tracking_number, "company": step.carrier}
    return asked


def refund(order: Mapping[str, Any], step: TellStep, *, pays: bool) -> dict[str, Any]:
    """The input of `refundCreate` for units that are cancelled, or money that goes back.

    Our key stands in the note, by which a repeat is found. Money moves only where `pays`: else it is recorded.
    """
    note = f"{step.key} {step.reason}".strip()
    asked: dict[str, Any] = {"orderId": order["id"], "note": note, "notify": False, "refundLineItems": []}
    restock = "NO_RESTOCK" if step.amount else "CANCEL"
    asked["refundLineItems"] = [
        {"lineItemId": f"{LINE_PREFIX}{line_id}", "quantity": units, "restockType": restock}
        for line_id, units in step.lines.items()
    ]
    paid = next(
        (each for each in order.get("transactions") or () if each["kind"] in {"SALE", "CAPTURE"} and _worked(each)),
        None,
    )
    asked["transactions"] = []
    if pays and step.amount and paid is not None:
        asked["transactions"] = [
            {
                "orderId": order["id"],
                "parentId": paid["id"],
                "gateway": paid["gateway"],
                "kind": "REFUND",
                "amount": str(step.amount),
            }
        ]
    return asked


def _worked(transaction: Mapping[str, Any]) -> bool:
    return bool(transaction["status"] == "SUCCESS")
