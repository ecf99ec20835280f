"""A message read by a mapping: the order as its channel states it, and every field of it that cannot be read."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, cast
from zoneinfo import ZoneInfo

from dom.channels.channel_order import (
    LINE_TYPES,
    NEEDED,
    NEEDED_OF_A_LINE,
    TENDER_TYPES,
    TYPES,
    FieldType,
)
from dom.channels.faults import FaultCode, MessageFault, shown
from dom.channels.mapping import document, paths, values
from dom.channels.mapping.document import FieldRule, Fields, ItemRules
from dom.channels.mapping.values import Numbers, Unfit
from dom.documents.open_expressions import ExpressionFailed, compile_open
from dom.orders.order import MAX_LINES
from dom.shared.texts import keepable

OF_MESSAGE: Final = ("message",)
OF_LINE: Final = ("message", "line")
"""What an expression can name: of the order, and of lines and tenders."""
_NUMBER: Final = re.compile(r"\S(.{0,62}\S)?")
_ORDER: Final = object()
"""In place of an item: the rule is one of the order."""
_EMPTY: Final[tuple[Any, ...]] = (None, "", [], {})


@dataclass(frozen=True, slots=True)
class Mapped:
    """What a message says of an order: its fields, as far as they can be read, and the faults of the others."""

    order: dict[str, Any]
    faults: tuple[MessageFault, ...]


def apply(mapping: document.Mapping, message: Any) -> Mapped:
    """Read a message by a mapping. Raises nothing: what cannot be read is a fault."""
    return _Reading(mapping, message).read()


def order_number(mapping: document.Mapping, message: Any) -> str | None:
    """The number of the order that a message is about; None where it names none that an order can have."""
    found = _Reading(mapping, message).field("number")
    return found if isinstance(found, str) and can_be_number(found) else None


def can_be_number(text: str) -> bool:
    """Whether an order can have this number: one that can also be kept and asked for."""
    return _NUMBER.fullmatch(text) is not None and keepable(text) == text


@dataclass
class _Reading:
    mapping: document.Mapping
    message: Any
    faults: list[MessageFault] = field(default_factory=list)
    rounded: dict[str, str] = field(default_factory=dict)
    currency: str = ""

    def read(self) -> Mapped:
        self.currency = str(self.field("currency") or "")
        order = _nested(self._fields(self.mapping.order, TYPES, "", _ORDER))
        lines = self._items(self.mapping.lines, LINE_TYPES, "lines")
        order["lines"] = [_line(fields, index) for index, fields in enumerate(lines)]
        if self.mapping.tenders is not None:
            order["tenders"] = self._items(self.mapping.tenders, TENDER_TYPES, "tenders")
        self.faults += _missing(order)
        return Mapped({**order, "rounded": self.rounded}, tuple(dict.fromkeys(self.faults)))

    def field(self, name: str) -> Any:
        """A field of the order; None where the message holds none, or none that can be read."""
        return self._value(name, TYPES[name], self.mapping.order[name], _ORDER)

    def _fields(self, rules: Fields, types: Mapping[str, FieldType], place: str, item: Any) -> dict[str, Any]:
        found = {}
        for name, rule in rules.items():
            value = self._value(f"{place}{name}", types[name], rule, item)
            if value is not None:
                found[name] = value
        return found

    def _items(self, rules: ItemRules, types: Mapping[str, FieldType], place: str) -> list[dict[str, Any]]:
        return [
            self._fields(rules.fields, types, f"{place}[{index}].", item)
            for index, item in enumerate(self._listed(rules, place))
        ]

    def _listed(self, rules: ItemRules, place: str) -> list[Any]:
        given = paths.at(self.message, rules.each)
        items = [] if given is None else given if isinstance(given, list) else [given]
        if len(items) > MAX_LINES:
            self._fault(place, FaultCode.WRONG_VALUE, f"there are more than {MAX_LINES}", len(items))
            return []
        return [item for item in items if rules.where is None or self._holds(rules.where, item, place)]

    # --- one value ---------------------------------------------------------------------------------------------------

    def _value(self, name: str, kind: FieldType, rule: FieldRule, item: Any) -> Any:
        """The value of a field; None where the message holds none, or none that can be read."""
        raw = self._raw(rule, name, item)
        if isinstance(raw, str) and rule.strip:
            raw = raw.removeprefix(rule.strip)
        table = self.mapping.table(rule)
        if table is not None:
            raw = self._looked_up(rule, table, raw, name)
        if raw in _EMPTY:
            raw = rule.default
        if raw in _EMPTY:
            return None
        try:
            return self._typed(kind, rule, raw, name)
        except Unfit as unfit:
            self._fault(name, FaultCode.WRONG_VALUE, str(unfit), raw)
            return None

    def _raw(self, rule: FieldRule, name: str, item: Any) -> Any:
        base = self.message if item is _ORDER else item
        if rule.when is not None and not self._holds(rule.when, item, name):
            return None
        if rule.value is not None:
            return rule.value
        if rule.cel is not None:
            return self._evaluated(rule.cel, item, name)
        if rule.join is not None:
            parts = [str(part).strip() for path in rule.join if (part := paths.at(base, path)) not in _EMPTY]
            return rule.between.join([part for part in parts if part])
        return next((found for path in rule.path or () if (found := paths.at(base, path)) not in _EMPTY), None)

    def _looked_up(self, rule: FieldRule, table: document.Table, raw: Any, name: str) -> Any:
        key = "" if raw is None else str(raw).strip()
        folded = {each.casefold(): value for each, value in table.items()}
        if key.casefold() in folded:
            return folded[key.casefold()]
        if rule.otherwise is not None:
            return rule.otherwise
        if raw is not None and rule.default is None:
            self._fault(name, FaultCode.NOT_IN_TABLE, "the mapping's table does not name it", raw)
        return None

    def _typed(self, kind: FieldType, rule: FieldRule, raw: Any, name: str) -> Any:
        numbers: Numbers = rule.numbers or self.mapping.numbers
        if kind == "count":
            return values.count(raw, numbers)
        if kind == "amount":
            minor = self.mapping.minor if rule.minor is None else rule.minor
            amount, rest = values.amount(raw, numbers, self.currency, minor=minor)
            if rest:
                self.rounded[name] = str(rest.normalize())
            return amount
        if kind == "time":
            return values.moment(raw, self._zone, self.mapping.times)
        if kind == "flag":
            return values.flag(raw)
        if kind == "list":
            parts = raw if isinstance(raw, list) else str(raw).split(",") if name == "tags" else [raw]
            return [text for part in parts if (text := values.plain_text(part).strip())]
        return values.plain_text(raw)

    @cached_property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.mapping.zone)

    # --- expressions -------------------------------------------------------------------------------------------------

    def _evaluated(self, text: str, item: Any, name: str) -> Any:
        given = {"message": self.message} if item is _ORDER else {"message": self.message, "line": item}
        try:
            return compile_open(text, OF_MESSAGE if item is _ORDER else OF_LINE).value(**given)
        except ExpressionFailed as failed:
            self._fault(name, FaultCode.EXPRESSION_FAILED, str(failed), text)
            return None

    def _holds(self, text: str, item: Any, name: str) -> bool:
        return self._evaluated(text, item, name) is True

    def _fault(self, name: str, code: FaultCode, message: str, value: Any) -> None:
        self.faults.append(MessageFault(field=name, code=code, message=message, value=shown(value)))


def _nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in flat.items():
        first, _, second = name.partition(".")
        if second:
            found.setdefault(first, {})[second] = value
        else:
            found[first] = value
    return found


def _line(fields: dict[str, Any], index: int) -> dict[str, Any]:
    """A line without a number gets its place, and one of which no later count is told is as it was ordered."""
    fields.setdefault("line_id", str(index + 1))
    if "ordered" in fields:
        fields.setdefault("current", fields["ordered"])
    return fields


def _missing(order: Mapping[str, Any]) -> Iterator[MessageFault]:
    def lacks(field_: str) -> MessageFault:
        return MessageFault(field=field_, code=FaultCode.MISSING, message="the message does not say it")

    for name in NEEDED:
        if paths.at(order, name) in _EMPTY:
            yield lacks(name)
    lines = cast("Sequence[Mapping[str, Any]]", order["lines"])
    if not lines:
        yield lacks("lines")
    for index, line in enumerate(lines):
        yield from (lacks(f"lines[{index}].{name}") for name in NEEDED_OF_A_LINE if line.get(name) in _EMPTY)
