"""What a channel's message means for an order: whether it can be taken, whether there is anything to do, and what."""

import hashlib
import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pydantic import ValidationError

from dom.channels.channel_order import (
    LINE_TYPES,
    TENDER_TYPES,
    TYPES,
    ChannelLine,
    ChannelOrder,
    ChannelState,
    FieldType,
)
from dom.channels.faults import FaultCode, MessageFault, shown
from dom.channels.mapping import paths
from dom.channels.mapping.applying import Mapped
from dom.channels.outcomes import MessageOutcome
from dom.documents.findings import written
from dom.orders.calls import CancelLine
from dom.orders.intake import OrderRequest
from dom.orders.order import ExternalId, Order
from dom.shared.base import Value

_TYPES_OF: Final = {"lines": LINE_TYPES, "tenders": TENDER_TYPES}
_OF_LINE: Final = re.compile(r"lines\[(\d+)\]")
_REQUEST_FIELDS: Final = {"external_id": "number", "payment": "tenders"}
"""Fields of an order as we capture it, and what channels' orders call them."""
_WISHES: Final = ("ship_to", "shipping_method", "pickup_node", "requested_by")
"""What a channel may change of an order beside its lines."""


@dataclass(frozen=True, slots=True)
class NothingToDo:
    """Why a message changes nothing."""

    outcome: MessageOutcome
    detail: str


class CancelledOrder(Value):
    """An order that its channel says is cancelled, and of which it says no more that can be read: enough to cancel it,
    or never to capture it.
    """

    number: ExternalId
    channel_id: str = ""
    version: str = ""
    state: ChannelState = ChannelState.CANCELLED

    @property
    def digest(self) -> str:
        """Tells this state of the order from others."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:32]


def cancelled(mapped: Mapped) -> CancelledOrder | None:
    """The cancellation that a message states, if it states one, whatever else of it cannot be read."""
    if mapped.order.get("state") != ChannelState.CANCELLED:
        return None
    given = {name: mapped.order[name] for name in ("number", "channel_id", "version") if name in mapped.order}
    try:
        return CancelledOrder.model_validate(given)
    except ValidationError:
        return None


def is_none_yet(mapped: Mapped) -> NothingToDo | None:
    """Why a message is of no order yet, or of none that is meant; None if it is of one. What is not ordered yet may
    lack anything: marketplaces tell no price and no address before it is paid.
    """
    if mapped.order.get("test") is True:
        return NothingToDo(MessageOutcome.IGNORED, "it is a test order of the channel")
    state = mapped.order.get("state")
    if state in {ChannelState.DRAFT, ChannelState.PENDING}:
        return NothingToDo(MessageOutcome.IGNORED, f"the order is {state} in its channel")
    return None


def checked(mapped: Mapped, repairs: Mapping[str, Any]) -> tuple[ChannelOrder | None, tuple[MessageFault, ...]]:
    """The order that a message states, with what a person put in place of its fields; None with the faults of one that
    cannot be taken.
    """
    order = mapped.order
    faults = [fault for fault in mapped.faults if not any(_is_part(fault.field, field) for field in repairs)]
    for field, value in repairs.items():
        try:
            order = put(order, field, as_field(field, value))
        except LookupError:
            if value is not None:  # null takes back what was put in no place
                faults.append(_no_place(field, value))
    if faults:
        return None, tuple(faults)
    try:
        return ChannelOrder.model_validate(order), ()
    except ValidationError as refused:
        return None, faults_of(refused)


def faults_of(refused: ValidationError, order: ChannelOrder | None = None) -> tuple[MessageFault, ...]:
    """What a model refuses, each field by its place in the channel's order: `order` is the one whose request it is."""
    found = []
    for problem in refused.errors(include_url=False):
        path = own_field(written(problem["loc"]), order)
        code = FaultCode.MISSING if problem["type"] == "missing" else FaultCode.WRONG_VALUE
        said = str(problem["msg"]).removeprefix("Value error, ")
        found.append(MessageFault(field=path, code=code, message=said, value=shown(problem["input"])))
    return tuple(found)


def own_field(field: str, order: ChannelOrder | None) -> str:
    """A field of an order as we capture it, by its place in the channel's order: lines that are not sent are not in
    what we capture.
    """
    first = field.partition(".")[0].partition("[")[0]
    renamed = _REQUEST_FIELDS.get(first, first) + field[len(first) :]
    found = _OF_LINE.match(renamed)
    if order is None or found is None:
        return renamed
    places = [place for place, line in enumerate(order.lines) if line in unsent_lines(order)]
    index = int(found[1])
    return f"lines[{places[index] if index < len(places) else index}]{renamed[found.end() :]}"


def put(order: Any, field: str, value: Any) -> Any:
    """The order with another value in a field, which may be one that it does not have yet. It stays as it is itself.

    Raises LookupError for a place beyond the end of a list: it can only be put right after its last.
    """
    return _put(order, paths.steps(field), value)


def type_of(field: str) -> FieldType | None:
    """What a field of an order holds, also one of any line (`lines[*].sku`); None for one that no order has."""
    group, _, name = field.rpartition(".")
    types = _TYPES_OF.get(group.partition("[")[0] if "[" in group else "", TYPES)
    return types.get(name if types is not TYPES else field)


def as_field(field: str, value: Any) -> Any:
    """A person's value as its field has it: 84879 is a text where a SKU is meant, and "2" a number where units are."""
    kind = type_of(field)
    if kind in {"count", "amount"}:
        return int(value) if isinstance(value, str) and value.isdecimal() else value
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if is_number and kind not in {None, "flag", "list"} else value


def _put(part: Any, steps: Sequence[str | int], value: Any) -> Any:
    if not steps:
        return value
    first, rest = steps[0], steps[1:]
    if isinstance(first, int):
        items = list(part) if isinstance(part, list) else []
        if first > len(items) or (value is None and first == len(items)):
            raise LookupError(first)
        if first == len(items):
            items.append({})
        return [_put(item, rest, value) if index == first else item for index, item in enumerate(items)]
    if value is None and (not rest or not isinstance(part, Mapping) or first not in part):
        # As if the message did not say it. So a repair of a field that no order has is taken back.
        return {name: each for name, each in part.items() if name != first} if isinstance(part, Mapping) else part
    fields = dict(part) if isinstance(part, Mapping) else {}
    return {**fields, first: _put(fields.get(first), rest, value)}


def _no_place(field: str, value: Any) -> MessageFault:
    said = "the order has no such line; null takes the repair back"
    return MessageFault(field=field, code=FaultCode.WRONG_VALUE, message=said, value=shown(value))


def _is_part(field: str, whole: str) -> bool:
    return field == whole or field.startswith((f"{whole}.", f"{whole}["))


# --- whether there is anything to do ---------------------------------------------------------------------------------


def needs_nothing(order: ChannelOrder | CancelledOrder, known_version: str | None) -> NothingToDo | None:
    """Why nothing is to be done for this state of an order; None if something may be."""
    if known_version is None or not order.version or not known_version:
        return None
    # States of one moment count in the sequence in which they come: many channels tell the time in whole seconds.
    if is_later(known_version, order.version):
        return NothingToDo(MessageOutcome.STALE, f"the state of {known_version} is known already")
    return None


def is_later(version: str, than: str) -> bool:
    """Whether a channel's version comes after another: times as times, numbers as numbers, others as texts."""
    for read in (_time, _number):
        here, there = read(version), read(than)
        if here is not None and there is not None:
            return here > there
    return version > than


def _time(version: str) -> float | None:
    try:
        at = datetime.fromisoformat(version)
    except ValueError:
        return None
    return at.timestamp() if at.tzinfo else None


def _number(version: str) -> int | None:
    """As a whole number: as floats, long ones that differ in their last digits are the same."""
    return int(version) if version.isdecimal() else None


# --- what is to be done ----------------------------------------------------------------------------------------------


def sent_lines(order: ChannelOrder) -> tuple[ChannelLine, ...]:
    """Lines of which something is to be sent, or was."""
    return tuple([line for line in order.lines if line.ships and line.wanted])


def unsent_lines(order: ChannelOrder) -> tuple[ChannelLine, ...]:
    """Lines of which something is to be sent that the channel has not sent already."""
    return tuple([line for line in order.lines if line.ships and line.unsent])


def request(channel: str, order: ChannelOrder) -> OrderRequest:
    """The order as it is captured: of each line what is still to be sent of it. Raises ValidationError.

    What does not ship (gift cards, downloads) is left out; a line whose units were all taken off or sent is, too.
    """
    ship_to = order.ship_to.model_dump(exclude={"company"})
    if order.ship_to.company:
        ship_to["lines"] = (order.ship_to.company, *ship_to["lines"])
    asked: dict[str, Any] = {
        "channel": channel,
        "external_id": order.number,
        "placed_at": order.placed_at,
        "currency": order.currency,
        "customer": {**order.customer.model_dump(), "id": order.customer.id or order.customer.email or order.number},
        "ship_to": ship_to,
        "lines": [
            {"line_id": line.line_id, "sku": line.sku, "quantity": line.unsent, "unit_price": line.unit_price}
            for line in unsent_lines(order)
        ],
        "shipping_method": order.shipping_method,
        "pickup_node": order.pickup_node,
        "requested_by": order.requested_by,
        "payment": _payment(order),
        "tags": order.tags,
        "ship_complete": order.ship_complete,
        "allow_substitutes": order.allow_substitutes,
    }
    return OrderRequest.model_validate(asked)


def _payment(order: ChannelOrder) -> dict[str, Any] | None:
    """All payments as one, named by the largest of them."""
    if not order.tenders:
        return None
    largest = max(order.tenders, key=lambda tender: tender.amount)
    total = sum([tender.amount for tender in order.tenders])
    return {"method": largest.method, "amount": total, "reference": largest.reference}


def same_wishes(before: ChannelOrder, now: ChannelOrder) -> bool:
    """Whether the channel wants the same sent to the same place in the same way."""
    return _wanted(before) == _wanted(now) and _rest(before) == _rest(now)


@dataclass(frozen=True, slots=True)
class OrderHere:
    """An order here, and its units by line: those that are not cancelled, of these those that left a node, and those
    that the channel had sent before the order was captured.
    """

    order: Order
    wanted: Mapping[str, int]
    left: Mapping[str, int]
    sent_before: Mapping[str, int]


def touched(before: ChannelOrder, now: ChannelOrder) -> frozenset[str]:
    """Lines of which the channel wants fewer units than before, or has sent more."""
    had, wants = _wanted(before), _wanted(now)
    fewer_ = {line_id for (line_id, sku), units in had.items() if units > wants.get((line_id, sku), 0)}
    sent, sends = _sent(before), _sent(now)
    return frozenset(fewer_ | {line_id for line_id, units in sends.items() if units > sent.get(line_id, 0)})


def same_sent(before: ChannelOrder, now: ChannelOrder) -> bool:
    """Whether the channel knows the same units to be sent."""
    return _sent(before) == _sent(now)


def _sent(order: ChannelOrder) -> dict[str, int]:
    found: dict[str, int] = {}
    for line in order.lines:
        if line.ships:
            found[line.line_id] = found.get(line.line_id, 0) + line.shipped
    return found


def not_needed(lines: Set[str], order: ChannelOrder, here: OrderHere) -> tuple[CancelLine, ...]:
    """Units of these lines that nobody needs from us any more: the channel wants fewer, or its people sent some
    themselves. What was cancelled here already, and told by us, is not cancelled again.
    """
    theirs: dict[str, int] = {}
    for line in order.lines:
        theirs[line.line_id] = theirs.get(line.line_id, 0) + (line.wanted if line.ships else 0)
    sent, found = _sent(order), []
    for line_id in sorted(lines):
        left, before = here.left.get(line_id, 0), here.sent_before.get(line_id, 0)
        by_them = max(sent.get(line_id, 0) - before - left, 0)
        needed = max(theirs.get(line_id, 0) - before - by_them, left)
        units = here.wanted.get(line_id, 0) - needed
        if units > 0:
            found.append(CancelLine(line_id=line_id, quantity=units))
    return tuple(found)


def beyond_units(channel: str, before: ChannelOrder, now: ChannelOrder, here: OrderHere) -> tuple[MessageFault, ...]:
    """What the channel changed of an order that a person must change here: all but fewer units, and but what is here
    already as the channel has it, because somebody made the same change.
    """
    said = "the channel changed it; change the order here, then replay this"
    faults = []
    try:
        wished: Order | None = request(channel, now)
    except ValidationError:
        wished = None
    for name in _WISHES:
        if getattr(before, name) == getattr(now, name):
            continue
        # As documents: what was asked for and what is kept are of two classes.
        if wished is None or wished.model_dump(include={name}) != here.order.model_dump(include={name}):
            value = shown(getattr(now, name))
            faults.append(MessageFault(field=name, code=FaultCode.REFUSED, message=said, value=value))
    had, skus = _wanted(before), {line.line_id: line.sku for line in here.order.lines}
    for place, line in enumerate(now.lines):
        needed = line.wanted - here.sent_before.get(line.line_id, 0)
        more = line.ships and line.wanted > had.get((line.line_id, line.sku), 0)
        if more and (needed > here.wanted.get(line.line_id, 0) or skus.get(line.line_id) != line.sku):
            field_, value = f"lines[{place}].current", str(line.wanted)
            faults.append(MessageFault(field=field_, code=FaultCode.REFUSED, message=said, value=value))
    return tuple(faults)


def repaired(repairs: Mapping[str, Any], mapped: Mapped) -> dict[str, list[Any]]:
    """A person's repairs with what stood in their place."""
    return {field: [paths.at(mapped.order, field), value] for field, value in repairs.items()}


def still_needed(known: Mapping[str, Sequence[Any]], mapped: Mapped) -> dict[str, Any]:
    """Repairs of former messages of the order that this one needs as well: the same stands in the same place."""
    return {field: value for field, (stood, value) in known.items() if paths.at(mapped.order, field) == stood}


def _wanted(order: ChannelOrder) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = {}
    for line in sent_lines(order):
        # A line that stands twice counts twice: of the last one alone too many units would be cancelled.
        found[line.line_id, line.sku] = found.get((line.line_id, line.sku), 0) + line.wanted
    return found


def _rest(order: ChannelOrder) -> tuple[Any, ...]:
    return tuple([getattr(order, name) for name in _WISHES])
