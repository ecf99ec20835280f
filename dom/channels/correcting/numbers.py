"""Currencies, numbers that the mapping could not read, and rows that stand twice: the channel's total tells."""

import re
from collections.abc import Iterator, Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Final

from dom.channels import intake
from dom.channels.channel_order import LINE_TYPES, TENDER_TYPES, TYPES
from dom.channels.correcting.case import CorrectionCase, CorrectionFinding
from dom.channels.correcting.confidence import of
from dom.channels.corrections import CorrectionRule
from dom.channels.faults import FaultCode
from dom.channels.mapping.document import FieldRule
from dom.channels.mapping.values import Numbers, Unfit, number
from dom.shared.money import decimals, is_currency

_MARKS: Final = {
    "£": ("GBP",), "€": ("EUR",), "EURO": ("EUR",), "EUROS": ("EUR",), "US$": ("USD",), "USD$": ("USD",),
    "STG": ("GBP",), "ZŁ": ("PLN",), "KČ": ("CZK",), "₤": ("GBP",), "POUND": ("GBP",), "POUNDS": ("GBP",),
    "£GBP": ("GBP",), "€EUR": ("EUR",), "GBP£": ("GBP",), "EUR€": ("EUR",), "A$": ("AUD",), "C$": ("CAD",),
    "CA$": ("CAD",), "AU$": ("AUD",), "NZ$": ("NZD",), "₹": ("INR",), "₺": ("TRY",), "₪": ("ILS",),
    "$": ("USD", "CAD", "AUD"), "KR": ("SEK", "DKK", "NOK"), "KR.": ("DKK", "SEK", "NOK"), "FR": ("CHF",),
    "SFR": ("CHF",), "UKP": ("GBP",),
}  # fmt: skip
_FIELD: Final = re.compile(r"(lines|tenders)\[\d+\]\.([a-z_]+)")


def currency(case: CorrectionCase) -> Iterator[CorrectionFinding]:
    """A currency's ISO 4217 code by its mark, or in small letters. Amounts were read with the decimals of what stood
    there, so it must have as many.
    """
    given = case.text("currency")
    code = given.strip().upper()
    if not given or is_currency(given):
        return
    if is_currency(code) and decimals(code) == decimals(given):
        yield CorrectionFinding("currency", code, of(CorrectionRule.CURRENCY, "case"), "ISO 4217 has capital letters")
        return
    meant = [each for each in _MARKS.get(code, ()) if decimals(each) == decimals(given)]
    kind = "one country's" if len(meant) == 1 else "several countries'"
    for each in meant:
        yield CorrectionFinding("currency", each, of(CorrectionRule.CURRENCY, kind), f"{given} stands for {each}")


# --- rows that stand twice -------------------------------------------------------------------------------------------


def duplicate_lines(case: CorrectionCase) -> Iterator[CorrectionFinding]:
    """A row that says the same as one before it, its line's number included. Of it no unit is wanted: it keeps its
    place, so that what is said of other lines is still said of them.
    """
    seen: dict[str, Mapping[str, Any]] = {}
    twice = []
    for index, line in case.lines():
        earlier = seen.setdefault(str(line.get("line_id")), line)
        if earlier is not line and earlier == line and line.get("current"):
            twice.append(index)
    if not twice:
        return
    without = case.order
    for index in twice:
        without = intake.put(without, f"lines[{index}].current", 0)
    if _off(without) is None:
        evidence = "no total"
    elif _off(without) == 0:
        evidence = "the total says so"
    else:
        evidence = "the total counts both" if _off(case.order) == 0 else "no total"
    for index in twice:
        sure = of(CorrectionRule.DUPLICATE_LINE, evidence)
        yield CorrectionFinding(f"lines[{index}].current", 0, sure, f"the row stands twice; {evidence}")


def total_doubts(case: CorrectionCase) -> Iterator[tuple[str, FaultCode, str]]:
    """A total that differs from the sum of its parts by more than rounding can leave over: a unit for each line."""
    if not isinstance(case.order, Mapping) or any(fault.code is not FaultCode.MISSING for fault in case.faults):
        return
    off = _off(case.order)
    if off is not None and abs(off) > len(case.items("lines")) + 1:
        yield "total", FaultCode.DOUBTFUL, f"it differs from the sum of its parts by {off} minor units"


def _off(order: Any) -> int | None:
    """Minor units by which the channel's total differs from the sum of its parts; None where either is not known."""
    total, lines = order.get("total"), order.get("lines")
    if not isinstance(lines, list | tuple) or not all(isinstance(line, Mapping) for line in lines):
        return None
    parts = [_worth(line) for line in lines]
    if not isinstance(total, int) or any(part is None for part in parts):
        return None
    taxes = 0
    if order.get("tax_included", True) is False:
        taxes = sum([line.get("tax") or 0 for line in lines]) + (order.get("shipping_tax") or 0)
    reckoned = sum([part or 0 for part in parts]) + (order.get("shipping") or 0) + taxes - (order.get("discount") or 0)
    return total - reckoned


def _worth(line: Any) -> int | None:
    units, price = line.get("current", line.get("ordered")), line.get("unit_price")
    if not isinstance(units, int) or not isinstance(price, int):
        return None
    return units * price - (line.get("discount") or 0)


# --- numbers ---------------------------------------------------------------------------------------------------------


def number_marks(case: CorrectionCase) -> Iterator[CorrectionFinding]:
    """A number with the other decimal mark than the mapping's, where it can be read in one way alone: `12,50`."""
    found = {}
    for field, given in _unread(case):
        try:
            found[field] = _read(case, field, given, "either")
        except Unfit:
            continue
    if not found:
        return
    off = _off(_with(case.order, found))
    kind = "" if off is None else "the total says so" if off == 0 else "the total differs"
    for field, value in found.items():
        yield CorrectionFinding(field, value, of(CorrectionRule.NUMBER_MARK, kind), "with the other decimal mark")


def number_totals(case: CorrectionCase) -> Iterator[CorrectionFinding]:
    """A number that can be read in two ways: by which of them the channel's total is right. Only ever proposed."""
    given = [(field, text) for field, text in _unread(case) if _can_be_two(text)]
    readings: list[tuple[str, dict[str, int]]] = []
    for marks, words in (("point", "with decimals"), ("comma", "with thousands")):
        try:
            readings.append((words, {field: _read(case, field, text, _marks(text, marks)) for field, text in given}))
        except Unfit:
            continue
    fitting = [(words, values) for words, values in readings if given and _off(_with(case.order, values)) == 0]
    kind = "only this fits" if len(fitting) == 1 else "both fit"
    for words, values in fitting:
        sure = of(CorrectionRule.NUMBER_TOTAL, kind)
        for field, value in values.items():
            yield CorrectionFinding(field, value, sure, f"read {words} it makes the total right")


def _can_be_two(text: str) -> bool:
    return re.fullmatch(r"\D*\d{1,3}[.,]\d{3}\D*", text) is not None


def _marks(text: str, reading: str) -> Numbers:
    """The decimal mark by which a text is read with decimals (`point`) or with thousands: that depends on its mark."""
    if "," in text:
        return "comma" if reading == "point" else "point"
    return "point" if reading == "point" else "comma"


def _unread(case: CorrectionCase) -> Iterator[tuple[str, str]]:
    for fault in case.faults:
        if fault.code is FaultCode.WRONG_VALUE and fault.value and _kind(fault.field) in {"amount", "count"}:
            yield fault.field, fault.value


def _with(order: Any, values: Mapping[str, int]) -> Any:
    for field, value in values.items():
        try:
            order = intake.put(order, field, value)
        except LookupError:
            continue
        if field.endswith(".ordered"):
            current = f"{field.removesuffix('ordered')}current"
            line = order["lines"][int(field.split("[")[1].split("]")[0])]
            order = intake.put(order, current, line.get("current", value))
    return order


def _kind(field: str) -> str:
    inside = _FIELD.fullmatch(field)
    if inside is None:
        return TYPES.get(field, "")
    return (LINE_TYPES if inside[1] == "lines" else TENDER_TYPES).get(inside[2], "")


def _read(case: CorrectionCase, field: str, text: str, marks: Numbers) -> int:
    """The number as the field has it. Raises Unfit for one with more decimals than it can have."""
    value = number(text, marks)
    if _kind(field) == "amount" and not _is_minor(case, field):
        value *= Decimal(10) ** decimals(case.text("currency"))
        return int(value.to_integral_value(ROUND_HALF_EVEN))
    if value != value.to_integral_value():
        raise Unfit("no whole number")
    return int(value)


def _is_minor(case: CorrectionCase, field: str) -> bool:
    if case.mapping is None:
        return False
    inside = _FIELD.fullmatch(field)
    rules: Mapping[str, FieldRule] = case.mapping.order
    if inside is not None and inside[1] == "lines":
        rules = case.mapping.lines.fields
    elif inside is not None:
        rules = {} if case.mapping.tenders is None else case.mapping.tenders.fields
    rule = rules.get(inside[2] if inside else field)
    return case.mapping.minor if rule is None or rule.minor is None else rule.minor
