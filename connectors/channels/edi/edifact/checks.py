"""What is wrong with an ORDERS or ORDCHG message, by segment and element, as a CONTRL tells it.

Codes are those of data element 0085. What is checked is what an order cannot be read without.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from connectors.channels.edi.edifact.tokens import EdifactSet, Elements, part

ORDERS: Final = "ORDERS"
ORDCHG: Final = "ORDCHG"
ANSWERS: Final = ("CONTRL", "APERAK")
"""What a partner says of what we sent."""
PURPOSES: Final = {
    "1": "cancel", "3": "cancel", "4": "change", "5": "replace", "7": "duplicate", "9": "original", "": "original",
    "31": "duplicate",
}  # fmt: skip
"""1225 of BGM: what the message is for."""
CHANGES: Final = {"1": "AI", "2": "DI", "3": "CA", "4": "NC", "": ""}
"""1229 of LIN, as X12 has it: added, deleted, changed, as it was."""
INVALID: Final = "12"
MISSING: Final = "13"
NOT_SUPPORTED: Final = "15"
TOO_LONG: Final = "39"
_NUMBER: Final = re.compile(r"[+-]?([0-9]+([.,][0-9]*)?|[.,][0-9]+)")
_LONGEST_NUMBER: Final = 18
_LONGEST_ORDER: Final = 64
_FORMS: Final = {"102": "%Y%m%d", "203": "%Y%m%d%H%M", "204": "%Y%m%d%H%M%S", "101": "%y%m%d", "201": "%y%m%d%H%M"}
"""2379 of DTM."""


@dataclass(frozen=True, slots=True)
class EdifactFault:
    """What is wrong with a segment: its place in the message, UNH is 1; the element and its component, from 1 on, or 0
    for the segment itself; and the code.
    """

    place: int
    code: str
    element: int = 0
    component: int = 0


def faults(found: EdifactSet) -> list[EdifactFault]:
    """What is wrong with the segments of an order or its change."""
    names = [part(segment, 0) for segment in found.segments]
    wrong = [
        fault
        for place, segment in enumerate(found.segments, 1)
        for fault in _wrong(part(segment, 0), segment, place)
    ]  # fmt: skip
    if "BGM" not in names:
        wrong.insert(0, EdifactFault(2, MISSING))
    elif "LIN" not in names and _purpose(found.segments) != "cancel" and part(found.segments[0], 2) == ORDERS:
        wrong.append(EdifactFault(len(names), MISSING))
    return wrong


def _purpose(segments: Sequence[Elements]) -> str:
    found = next(segment for segment in segments if part(segment, 0) == "BGM")
    return PURPOSES.get(part(found, 3), "")


def _wrong(name: str, segment: Elements, place: int) -> Iterator[EdifactFault]:
    if not name:
        yield EdifactFault(place, INVALID)
    elif name == "BGM":
        number = part(segment, 2)
        if not number:
            yield EdifactFault(place, MISSING, 2, 1)
        elif len(number) > _LONGEST_ORDER:
            yield EdifactFault(place, TOO_LONG, 2, 1)
        if part(segment, 3) not in PURPOSES:
            yield EdifactFault(place, INVALID, 3)
    elif name == "DTM" and part(segment, 1) == "137" and moment(segment) is None:
        yield EdifactFault(place, INVALID, 1, 2)
    elif name == "QTY" and not _is_number(part(segment, 1, 1)):
        yield EdifactFault(place, INVALID if part(segment, 1, 1) else MISSING, 1, 2)
    elif name == "PRI" and part(segment, 1, 1) and not _is_number(part(segment, 1, 1)):
        yield EdifactFault(place, INVALID, 1, 2)
    elif name == "LIN" and part(segment, 2) not in CHANGES:
        yield EdifactFault(place, INVALID, 2)


def _is_number(text: str) -> bool:
    return len(text) <= _LONGEST_NUMBER and _NUMBER.fullmatch(text) is not None


def moment(segment: Elements) -> str | None:
    """The date, or the time, of a DTM as ISO 8601 has it; None if it is none."""
    given, form = part(segment, 1, 1), _FORMS.get(part(segment, 1, 2) or "102")
    if form is None or not given.isascii() or not given.isdecimal():
        return None
    try:
        found = datetime.strptime(given, form)  # noqa: DTZ007 - the partner's own clock
    except ValueError:
        return None
    return found.isoformat() if "%H" in form else found.date().isoformat()
