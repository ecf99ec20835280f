"""What is wrong with a purchase order (850) or its change (860), by segment and element, as a 997 tells it.

Codes are those of the 997: AK3-04 for segments, AK4-03 for elements, AK5-02 for the set. What is checked is what an
order cannot be read without; what partners write beyond it is let through.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from connectors.channels.edi.x12.tokens import X12Set, part

ORDER: Final = "850"
CHANGE: Final = "860"
ANSWERS: Final = ("997", "999", "824")
"""What a partner says of what we sent."""
PURPOSES: Final = {
    "00": "original",
    "01": "cancel",
    "04": "change",
    "05": "replace",
    "06": "original",
    "07": "duplicate",
}
"""BEG01 and BCH01: what the set is for."""
CHANGES: Final = frozenset({"AI", "CA", "CT", "DI", "NC", "OA", "PC", "PQ", "PR", "QD", "QI", "RQ", "RZ", "RS"})
"""POC02: what is changed of a line."""
SEGMENT_MISSING: Final = "3"
SEGMENT_HAS_FAULTS: Final = "8"
ELEMENT_MISSING: Final = "1"
TOO_LONG: Final = "5"
NO_NUMBER: Final = "6"
UNKNOWN_CODE: Final = "7"
WRONG_DATE: Final = "8"
SET_NOT_SUPPORTED: Final = "1"
SEGMENTS_IN_ERROR: Final = "5"
SET_NUMBER_MISSING: Final = "7"
_NUMBER: Final = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)")
_LONGEST_NUMBER: Final = 18
_LONGEST_ORDER: Final = 64


@dataclass(frozen=True, slots=True)
class ElementFault:
    """An element that is wrong: its place in the segment, why, and what stood there."""

    place: int
    code: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class SegmentFault:
    """A segment that is wrong, or is not there: its place in the set, ST is 1."""

    name: str
    place: int
    code: str
    elements: tuple[ElementFault, ...] = ()


def faults(found: X12Set) -> list[SegmentFault]:
    """What is wrong with the segments of a purchase order or its change."""
    is_change = found.element(1) == CHANGE
    head, line = ("BCH", "POC") if is_change else ("BEG", "PO1")
    wrong = list(_wrong(found.segments))
    names = [segment[0] for segment in found.segments]
    if head not in names:
        wrong.insert(0, SegmentFault(head, 2, SEGMENT_MISSING))
    elif line not in names and _purpose(found.segments, head) != "01" and not is_change:
        wrong.append(SegmentFault(line, len(names), SEGMENT_MISSING))
    return wrong


def _purpose(segments: Sequence[Sequence[str]], head: str) -> str:
    return next((part(segment, 1) for segment in segments if segment[0] == head), "")


def _wrong(segments: Sequence[Sequence[str]]) -> Iterator[SegmentFault]:
    for place, segment in enumerate(segments, 1):
        check = _CHECKS.get(segment[0])
        elements = tuple(check(segment)) if check else ()
        if elements:
            yield SegmentFault(segment[0], place, SEGMENT_HAS_FAULTS, elements)


def _head(segment: Sequence[str], date_place: int) -> Iterator[ElementFault]:
    yield from _code(segment, 1, frozenset(PURPOSES))
    number = part(segment, 3)
    if not number:
        yield ElementFault(3, ELEMENT_MISSING)
    elif len(number) > _LONGEST_ORDER:
        yield ElementFault(3, TOO_LONG, number[:99])
    yield from _date(segment, date_place)


def _beg(segment: Sequence[str]) -> Iterator[ElementFault]:
    yield from _head(segment, 5)


def _bch(segment: Sequence[str]) -> Iterator[ElementFault]:
    yield from _head(segment, 6)


def _po1(segment: Sequence[str]) -> Iterator[ElementFault]:
    yield from _number(segment, 2, needed=True)
    yield from _number(segment, 4)


def _poc(segment: Sequence[str]) -> Iterator[ElementFault]:
    yield from _code(segment, 2, CHANGES)
    is_gone = part(segment, 2) == "DI"
    if not part(segment, 1):
        yield ElementFault(1, ELEMENT_MISSING)
    yield from _number(segment, 3, needed=part(segment, 2) in {"AI", "QD", "QI"} and not is_gone)
    yield from _number(segment, 6)


def _dtm(segment: Sequence[str]) -> Iterator[ElementFault]:
    yield from _date(segment, 2, needed=False)


def _ctt(segment: Sequence[str]) -> Iterator[ElementFault]:
    yield from _number(segment, 1)


_CHECKS: Final = {"BEG": _beg, "BCH": _bch, "PO1": _po1, "POC": _poc, "DTM": _dtm, "CTT": _ctt}


def _code(segment: Sequence[str], place: int, known: frozenset[str]) -> Iterator[ElementFault]:
    given = part(segment, place)
    if not given:
        yield ElementFault(place, ELEMENT_MISSING)
    elif given not in known:
        yield ElementFault(place, UNKNOWN_CODE, given[:99])


def _number(segment: Sequence[str], place: int, *, needed: bool = False) -> Iterator[ElementFault]:
    given = part(segment, place)
    if not given:
        if needed:
            yield ElementFault(place, ELEMENT_MISSING)
    elif _NUMBER.fullmatch(given) is None or len(given) > _LONGEST_NUMBER:
        yield ElementFault(place, NO_NUMBER, given[:99])


def _date(segment: Sequence[str], place: int, *, needed: bool = True) -> Iterator[ElementFault]:
    given = part(segment, place)
    if not given and needed:
        yield ElementFault(place, ELEMENT_MISSING)
    elif given and day(given) is None:
        yield ElementFault(place, WRONG_DATE, given[:99])


def day(text: str) -> str | None:
    """A date of X12 (CCYYMMDD, or YYMMDD in old releases) as ISO 8601 has it; None if it is none."""
    for form in ("%Y%m%d", "%y%m%d"):
        if len(text) == len(datetime(2000, 1, 1).strftime(form)) and text.isascii() and text.isdecimal():  # noqa: DTZ001 - a length
            try:
                return datetime.strptime(text, form).date().isoformat()  # noqa: DTZ007 - a date has no zone
            except ValueError:
                return None
    return None
