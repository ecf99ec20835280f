"""From transaction sets to the present state of an order, and what the partner knows of it.

A partner sends differences, too: an 860 or an ORDCHG names the lines that change. A mapping reads whole orders, so each
message is made whole by the last state of its order.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from connectors.channels.edi.interchange import AnsweredLine, Message
from dom.channels.telling import PlatformFulfilment, PlatformLine, PlatformOrder, TellStep

CANCEL: Final = "cancel"
_GONE: Final = "DI"
_OF_HEAD: Final = ("type", "currency", "carrier", "contact")
"""What a change that does not name it leaves as it was."""


def whole(message: Message, known: Message | None) -> Message:
    """The message with what is known of its order: the lines that it does not name, what was ordered first.

    A change of an order that nobody knows has no lines: a mapping cannot read it, and a person looks at it.
    """
    before = {line["line"]: line for line in known["lines"]} if known else {}
    if not message["is_delta"] and (message["lines"] or message["purpose"] != CANCEL):
        lines = [{**line, "ordered": _first(line, before)} for line in message["lines"]]
        return {**message, "lines": lines}
    if known is None:
        return {**message, "changes": message["lines"], "lines": []}
    lines = _changed(list(known["lines"]), message["lines"])
    made = {**message, "changes": message["lines"], "lines": lines, "date": known["date"] or message["date"]}
    for name in _OF_HEAD:
        made[name] = message.get(name) or known.get(name)
    for name in ("parties", "references", "dates", "totals"):
        made[name] = {**known[name], **message[name]}
    made["notes"] = message["notes"] or known["notes"]
    return made


def _first(line: Message, before: Mapping[str, Message]) -> Any:
    known = before.get(line["line"])
    return line["quantity"] if known is None else known["ordered"]


def _changed(lines: list[Message], changes: Sequence[Message]) -> list[Message]:
    places = {line["line"]: place for place, line in enumerate(lines)}
    for change in changes:
        place = places.get(change["line"])
        if place is None:
            places[change["line"]] = len(lines)
            lines.append({**change, "ordered": change["quantity"]})
            continue
        given = {name: value for name, value in change.items() if value not in ("", None, {}, [])}
        gone = {"quantity": "0"} if change.get("change") == _GONE else {}
        lines[place] = {**lines[place], **given, "ordered": lines[place]["ordered"], **gone}
    return lines


def is_older(message: Message, known: Message) -> bool:
    """Whether the message was sent before what is known."""
    return bool(message["sent_at"] and known["sent_at"] and message["sent_at"] < known["sent_at"])


# --- what is kept of an order ----------------------------------------------------------------------------------------


def kept(message: Message, before: Mapping[str, Any] | None) -> dict[str, Any]:
    """What is kept of an order: its state, and what the partner was told. Of lines that the partner changed since,
    what we took off them does not count any more: it says itself what it wants.
    """
    nothing = {"accepted": False, "cancelled": {}, "fulfilments": [], "keys": []}
    told: dict[str, Any] = dict(before["told"]) if before else nothing
    old = {line["line"]: line["quantity"] for line in before["message"]["lines"]} if before else {}
    same = {line["line"] for line in message["lines"] if old.get(line["line"]) == line["quantity"]}
    told["cancelled"] = {name: units for name, units in told["cancelled"].items() if name in same}
    return {"message": message, "told": told}


def told(kept_order: Mapping[str, Any], step: TellStep) -> dict[str, Any]:
    """What is kept once a step was told."""
    message, before = kept_order["message"], kept_order["told"]
    if step.key in before["keys"]:
        return dict(kept_order)
    after = {**before, "keys": [*before["keys"], step.key], "accepted": True}
    if step.kind == "fulfil":
        parcel = {"id": step.key, "tracking_number": step.tracking_number, "lines": dict(step.lines)}
        after["fulfilments"] = [*before["fulfilments"], parcel]
    if step.kind == "cancel":
        taken = dict(before["cancelled"])
        for name, units in step.lines.items():
            taken[name] = taken.get(name, 0) + units
        after["cancelled"] = taken
    return {"message": message, "told": after}


def known_order(kept_order: Mapping[str, Any]) -> PlatformOrder:
    """What the partner knows of an order."""
    message, so_far = kept_order["message"], kept_order["told"]
    shipped: dict[str, int] = {}
    for parcel in so_far["fulfilments"]:
        for name, units in parcel["lines"].items():
            shipped[name] = shipped.get(name, 0) + units
    lines = {
        line["line"]: PlatformLine(
            max(units_of(line) - so_far["cancelled"].get(line["line"], 0), 0), shipped.get(line["line"], 0)
        )
        for line in message["lines"]
    }
    return PlatformOrder(
        reference=message["number"],
        lines=lines,
        fulfilments=[PlatformFulfilment(parcel["id"], parcel["tracking_number"]) for parcel in so_far["fulfilments"]],
        is_cancelled=message["purpose"] == CANCEL or (bool(lines) and not any(each.wanted for each in lines.values())),
        is_accepted=so_far["accepted"],
        raw=kept_order,
    )


def units_of(line: Message) -> int:
    """The units of a line; 0 where it names none that can be counted."""
    try:
        return int(float(line["quantity"]))
    except (ValueError, OverflowError):
        return 0


def answered(order: PlatformOrder, step: TellStep) -> list[AnsweredLine]:
    """What is said of each line: with `accept`, that it comes; with `cancel`, how many units of it still do.

    An `accept` with lines accepts so many units of each; the others wait where its reason says `backorder`.
    """
    found = []
    for line in order.raw["message"]["lines"]:
        wanted = order.lines[line["line"]].wanted
        if step.kind == "cancel":
            left = max(wanted - step.lines.get(line["line"], 0), 0)
        else:
            left = min(step.lines.get(line["line"], 0), wanted) if step.lines else wanted
        if units_of(line):
            found.append(AnsweredLine(line, units_of(line), left, is_backordered=step.reason == "backorder"))
    return found
