"""From bytes to interchanges, groups, transaction sets and segments; whatever the delimiters, and however broken.

Source: ASC X12.5 (interchange control structures) and X12.6 (application control structures). Delimiters are those of
each ISA segment, which has a fixed length. `draftedi` is not used: it ends at the first mistake of a file, takes the
segment terminator of the first interchange for all of them and forgets trailers, which a 997 has to answer for.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from connectors.channels.edi.interchange import Refusal

ISA_LENGTH: Final = 106
_WIDTHS: Final = (3, 2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1, 1)
"""Characters of the elements of an ISA segment, with its name."""
_BLANK: Final = re.compile(r"[\s\x00]*")
_NOT_FROM_HERE: Final = "00402"
"""From this version on ISA11 is the mark of repetitions; before it names a standard."""


@dataclass(frozen=True, slots=True)
class Delimiters:
    """The delimiters of an interchange."""

    element: str
    component: str
    terminator: str
    repetition: str = ""


@dataclass(slots=True)
class X12Set:
    """A transaction set from ST to SE; `codes` are those of AK5 for what is wrong with it as a whole."""

    segments: list[Sequence[str]]
    start: int
    stop: int = 0
    codes: list[str] = field(default_factory=list)

    def element(self, place: int) -> str:
        """An element of its ST segment."""
        return part(self.segments[0], place)


@dataclass(slots=True)
class X12Group:
    """A functional group; `codes` are those of AK9 for what is wrong with it as a whole."""

    header: Sequence[str]
    sets: list[X12Set] = field(default_factory=list)
    trailer: Sequence[str] | None = None
    codes: list[str] = field(default_factory=list)


@dataclass(slots=True)
class X12Envelope:
    """An interchange from ISA to IEA, with its place in the file."""

    start: int
    stop: int
    header: Sequence[str] = ()
    marks: Delimiters = field(default_factory=lambda: Delimiters("*", ":", "~"))
    groups: list[X12Group] = field(default_factory=list)
    trailer: Sequence[str] | None = None
    fault: Refusal | None = None


def part(segment: Sequence[str], place: int) -> str:
    """An element of a segment, without blanks around it; empty where it has none."""
    return segment[place].strip() if place < len(segment) else ""


def envelopes(raw: bytes) -> Iterator[X12Envelope]:
    """The interchanges of a file, and what stands between them, as one without a header."""
    text = raw.decode("latin-1")
    place = _blank(text, 0)
    while place < len(text):
        marks = _marks(text, place)
        if marks is None:
            following = _next(text, place + 1)
            yield X12Envelope(place, following)
            place = following
        else:
            found = _envelope(text, place, marks)
            yield found
            place = found.stop
        place = _blank(text, place)


def _blank(text: str, place: int) -> int:
    found = _BLANK.match(text, place)
    return found.end() if found else place


def _next(text: str, place: int) -> int:
    """Where the next interchange begins, or the file ends."""
    while (found := text.find("ISA", place)) >= 0:
        if _marks(text, found) is not None:
            return found
        place = found + 1
    return len(text)


def _marks(text: str, place: int) -> Delimiters | None:
    """The delimiters of the interchange that begins here; None if none does."""
    head = text[place : place + ISA_LENGTH]
    if len(head) < ISA_LENGTH or not head.startswith("ISA"):
        return None
    mark = head[3]
    parts = head[:-1].split(mark)
    if mark.isalnum() or tuple([len(each) for each in parts]) != _WIDTHS:
        return None
    repetition = parts[11] if parts[12] >= _NOT_FROM_HERE and not parts[11].isalnum() else ""
    marks = Delimiters(mark, head[-2], head[-1], repetition.strip())
    given = [each for each in (marks.element, marks.component, marks.terminator, marks.repetition) if each]
    return marks if len(set(given)) == len(given) and not any(each.isalnum() for each in given) else None


def _envelope(text: str, start: int, marks: Delimiters) -> X12Envelope:
    found = X12Envelope(start, start, marks=marks)
    walk = _Walk(found)
    # One that is cut ends where the next one begins, which may be in the middle of a segment.
    for segment, begin, end in _segments(text[: _next(text, start + 1)], start, marks):
        found.stop = end
        walk.take(segment, begin, end)
        if segment[0] == "IEA":
            break
    walk.end()
    return found


def _segments(text: str, place: int, marks: Delimiters) -> Iterator[tuple[Sequence[str], int, int]]:
    """Segments, with where each begins and where the next one does. The last one may have no terminator."""
    while (place := _blank(text, place)) < len(text):
        found = text.find(marks.terminator, place)
        stop = len(text) if found < 0 else found
        written = text[place:stop].rstrip("\r\n")
        yield tuple([_decoded(each) for each in written.split(marks.element)]), place, min(stop + 1, len(text))
        place = stop + 1


def _decoded(element: str) -> str:
    """X12 names no encoding: UTF-8, and where it is none Windows-1252."""
    if element.isascii():
        return element
    raw = element.encode("latin-1")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("windows-1252", "replace")


@dataclass(slots=True)
class _Walk:
    """Puts the segments of an interchange where they belong."""

    into: X12Envelope
    group: X12Group | None = None
    open_set: X12Set | None = None

    def take(self, segment: Sequence[str], begin: int, end: int) -> None:
        """One more segment."""
        name = segment[0]
        if name == "ISA":
            self.into.header = segment
        elif name == "IEA":
            self._close_group()
            self.into.trailer = segment
        elif name == "GS":
            self._close_group()
            self.group = X12Group(segment)
            self.into.groups.append(self.group)
        elif name == "TA1" and self.group is None:
            return
        elif self.group is None:
            self.into.fault = self.into.fault or Refusal.STRUCTURE
        else:
            self._take_of_group(self.group, segment, begin, end)

    def _take_of_group(self, group: X12Group, segment: Sequence[str], begin: int, end: int) -> None:
        if segment[0] == "GE":
            self._close_set()
            group.trailer = segment
            self.group = None
        elif segment[0] == "ST":
            self._close_set()
            self.open_set = X12Set([segment], begin, end)
            group.sets.append(self.open_set)
        elif self.open_set is None:
            self.into.fault = self.into.fault or Refusal.STRUCTURE
        else:
            self.open_set.segments.append(segment)
            self.open_set.stop = end
            if segment[0] == "SE":
                self._close_trailer(self.open_set, segment)
                self.open_set = None

    def _close_trailer(self, found: X12Set, trailer: Sequence[str]) -> None:
        if part(trailer, 2) != found.element(2):
            found.codes.append("3")
        if part(trailer, 1) != str(len(found.segments)) and part(trailer, 1).lstrip("0") != str(len(found.segments)):
            found.codes.append("4")

    def _close_set(self) -> None:
        """A set without a trailer ends where the next one begins."""
        if self.open_set is not None:
            self.open_set.codes.append("2")
            self.open_set = None

    def _close_group(self) -> None:
        self._close_set()
        if self.group is not None:
            self.group.codes.append("3")
            self.group = None

    def end(self) -> None:
        """The interchange ends here."""
        self._close_group()
        found = self.into
        for group in found.groups:
            if group.trailer is not None and part(group.trailer, 2) != part(group.header, 6):
                group.codes.append("4")
            if group.trailer is not None and part(group.trailer, 1).lstrip("0") != str(len(group.sets)):
                group.codes.append("5")
        if found.trailer is None:
            found.fault = found.fault or Refusal.CUT
        elif part(found.trailer, 2) != part(found.header, 13):
            found.fault = found.fault or Refusal.CONTROL_NUMBER
        elif part(found.trailer, 1).lstrip("0") != str(len(found.groups)):
            found.fault = found.fault or Refusal.COUNT
