"""An order as Vendure's Admin API has it, and what it knows of it."""

from collections.abc import Mapping
from typing import Any, Final

from dom.channels.telling import PlatformFulfilment, PlatformLine, PlatformOrder, PlatformRefund

ACCEPTED: Final = "accepted"
"""The note that an order gets once it is taken."""
_SENT: Final = frozenset({"Shipped", "Delivered"})
_NO_REFUND: Final = "Failed"


def with_shipped(order: Mapping[str, Any]) -> dict[str, Any]:
    """The order as it is read by its mapping: each line also says how many of its units were sent (`shipped`)."""
    sent = _units(order, _SENT)
    return {**order, "lines": [{**line, "shipped": sent.get(line["id"], 0)} for line in order["lines"]]}


def _units(order: Mapping[str, Any], states: frozenset[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for each in order.get("fulfillments") or ():
        if each["state"] in states:
            for line in each["lines"]:
                found[line["orderLineId"]] = found.get(line["orderLineId"], 0) + int(line["quantity"])
    return found


def known(order: Mapping[str, Any]) -> PlatformOrder:
    """What Vendure knows of the order. A fulfilment that was made and not sent yet is none: it is gone on with."""
    sent = _units(order, _SENT)
    lines = {
        line["id"]: PlatformLine(int(line["quantity"]), min(sent.get(line["id"], 0), int(line["quantity"])))
        for line in order["lines"]
    }
    refunds = [
        PlatformRefund(each["id"], each["reason"] or "")
        for payment in order.get("payments") or ()
        for each in payment.get("refunds") or ()
        if each["state"] != _NO_REFUND
    ]
    notes = [each["data"].get("note", "") for each in order["history"]["items"]]
    return PlatformOrder(
        reference=order["code"],
        lines=lines,
        fulfilments=[
            PlatformFulfilment(each["id"], each["trackingCode"] or "", delivered=each["state"] == "Delivered")
            for each in order.get("fulfillments") or ()
            if each["state"] in _SENT
        ],
        refunds=refunds,
        is_cancelled=order["state"] == "Cancelled",
        is_accepted=ACCEPTED in notes,
        raw=order,
    )


def begun(order: Mapping[str, Any], tracking_number: str) -> str | None:
    """A fulfilment of this parcel that was made and not sent yet."""
    for each in order.get("fulfillments") or ():
        if each["state"] == "Pending" and tracking_number and each["trackingCode"] == tracking_number:
            return str(each["id"])
    return None


def paid(order: Mapping[str, Any], amount: int) -> str | None:
    """The payment of which so much can be paid back."""
    for each in order.get("payments") or ():
        gone = sum(int(one["total"]) for one in each.get("refunds") or () if one["state"] != _NO_REFUND)
        if each["state"] == "Settled" and int(each["amount"]) - gone >= amount:
            return str(each["id"])
    return None
