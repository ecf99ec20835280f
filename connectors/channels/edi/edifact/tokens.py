"""From bytes to interchanges, messages and segments; whatever the delimiters, and however broken.

Source: ISO 9735, syntax versions 1 to 3. `pydifact` reads the elements of each segment. Interchanges and segments are
told apart here: it looks for `'UNA` anywhere in a text and forgets what stands before it, and it ends at the first
mistake.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from pydifact.control import Characters
from pydifact.exceptions import EDISyntaxError
from pydifact.parser import Parser, TokenIterator
from pydifact.tokenizer import Tokenizer

from connectors.channels.edi.interchange import Refusal

Element = str | Sequence[str]
Elements = Sequence[Element]
_UNA_LENGTH: Final = 9
_BLANK: Final = re.compile(r"[\s\x00]*")
_HEADER: Final = re.compile(r"UNA.{6}\s*UNB|UNB", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ServiceMarks:
    """The service characters of an interchange."""

    component: str = ":"
    element: str = "+"
    decimal: str = "."
    release: str = "?"
    terminator: str = "'"


@dataclass(slots=True)
class EdifactSet:
    """A message from UNH to UNT; `fault` is the code (0085) of what is wrong with it as a whole."""

    segments: list[Elements]
    start: int
    stop: int = 0
    fault: str = ""


@dataclass(slots=True)
class EdifactEnvelope:
    """An interchange from UNB to UNZ, with its place in the file."""

    start: int
    stop: int
    header: Elements = ()
    marks: ServiceMarks = field(default_factory=ServiceMarks)
    sets: list[EdifactSet] = field(default_factory=list)
    trailer: Elements | None = None
    fault: Refusal | None = None
    groups: int = 0


def part(segment: Elements, place: int, component: int = 0) -> str:
    """A component of an element, without blanks around it; empty where there is none."""
    element = segment[place] if place < len(segment) else ""
    parts = (element,) if isinstance(element, str) else element
    return parts[component].strip() if component < len(parts) else ""


def envelopes(raw: bytes) -> Iterator[EdifactEnvelope]:
    """The interchanges of a file, and what stands between them, as one without a header."""
    text = raw.decode("latin-1")
    place = _blank(text, 0)
    while place < len(text):
        found = _header(text, place)
        if found is None or found[0] > place:
            following = len(text) if found is None else found[0]
            yield EdifactEnvelope(place, following)
            place = following
            continue
        envelope = _envelope(text, *found)
        yield envelope
        place = _blank(text, envelope.stop)


def _blank(text: str, place: int) -> int:
    found = _BLANK.match(text, place)
    return found.end() if found else place


def _header(text: str, place: int) -> tuple[int, int, ServiceMarks] | None:
    """Where the next interchange begins, where its UNB does, and its service characters; None if none follows."""
    while (found := _HEADER.search(text, place)) is not None:
        unb, marks = found.end() - 3, ServiceMarks()
        if found[0].startswith("UNA"):
            given = found[0][3:_UNA_LENGTH]
            marks = ServiceMarks(given[0], given[1], given[2], given[3], given[5])
        if _can_be(marks) and text[found.end() : found.end() + 1] == marks.element:
            return found.start(), unb, marks
        place = found.start() + 1
    return None


def _can_be(marks: ServiceMarks) -> bool:
    given = [marks.component, marks.element, marks.terminator]
    if marks.release != " ":
        given.append(marks.release)
    return len(set(given)) == len(given) and not any(each.isalnum() or each == " " for each in given)


def _envelope(text: str, start: int, unb: int, marks: ServiceMarks) -> EdifactEnvelope:
    found = EdifactEnvelope(start, unb, marks=marks)
    following = _header(text, unb + 3)
    end = len(text) if following is None else following[0]
    charset = "utf-8"
    open_set: EdifactSet | None = None
    for raw, begin, stop in _segments(text[:end], unb, marks):
        segment = _elements(raw, marks, charset)
        found.stop = stop
        name = part(segment, 0)
        if name == "UNB":
            found.header, charset = segment, _charset(part(segment, 1))
        elif name == "UNH":
            _cut(open_set)
            open_set = EdifactSet([segment], begin, stop)
            found.sets.append(open_set)
        elif name == "UNZ":
            _cut(open_set)
            open_set, found.trailer = None, segment
            break
        elif name in {"UNG", "UNE"}:
            found.groups += name == "UNG"
        elif open_set is None:
            found.fault = found.fault or Refusal.STRUCTURE
        else:
            open_set.segments.append(segment)
            open_set.stop = stop
            if name == "UNT":
                _close(open_set, segment)
                open_set = None
    _cut(open_set)
    return _checked(found)


def _checked(found: EdifactEnvelope) -> EdifactEnvelope:
    if found.trailer is None:
        found.fault = found.fault or Refusal.CUT
    elif part(found.trailer, 2) != part(found.header, 5):
        found.fault = found.fault or Refusal.CONTROL_NUMBER
    elif part(found.trailer, 1).lstrip("0") != str(found.groups or len(found.sets)):
        found.fault = found.fault or Refusal.COUNT
    return found


CUT: Final = "13"
COUNT: Final = "29"
NUMBER: Final = "28"
"""Codes of CONTRL (0085): missing, control count does not match, references do not match."""


def _cut(found: EdifactSet | None) -> None:
    """A message without a trailer ends where the next one begins."""
    if found is not None:
        found.fault = found.fault or CUT


def _close(found: EdifactSet, trailer: Elements) -> None:
    if part(trailer, 2) != part(found.segments[0], 1):
        found.fault = NUMBER
    elif part(trailer, 1).lstrip("0") != str(len(found.segments)):
        found.fault = COUNT


def _segments(text: str, place: int, marks: ServiceMarks) -> Iterator[tuple[str, int, int]]:
    """Segments with their terminators, where each begins and where the next one does."""
    pattern = _pattern(marks.release, marks.terminator)
    while (place := _blank(text, place)) < len(text):
        found = pattern.match(text, place)
        stop = len(text) if found is None else found.end()
        yield text[place:stop], place, stop
        place = stop


@lru_cache(maxsize=16)
def _pattern(release: str, terminator: str) -> re.Pattern[str]:
    end = re.escape(terminator)
    if release == " ":
        return re.compile(f"[^{end}]*{end}", re.DOTALL)
    let_through = re.escape(release)
    return re.compile(f"(?:[^{end}{let_through}]|{let_through}.)*{end}", re.DOTALL)


def _elements(raw: str, marks: ServiceMarks, charset: str) -> Elements:
    """The elements of a segment. One that cannot be read has no name."""
    characters = Characters(
        marks.component, marks.element, marks.decimal, "\x00" if marks.release == " " else marks.release, " ",
        marks.terminator,
    )  # fmt: skip
    bare = raw if marks.terminator in "\r\n" else raw.replace("\r", "").replace("\n", "")
    written = bare if bare.endswith(marks.terminator) else bare + marks.terminator
    try:
        found = list(
            Parser.convert_tokens_to_raw_segments(Parser(), TokenIterator(Tokenizer().get_tokens(written, characters)))
        )
    except (EDISyntaxError, RuntimeError):
        return ("",)
    return [_decoded(each, charset) for each in found[0]] if len(found) == 1 else ("",)


def _decoded(element: Element, charset: str) -> Element:
    if not isinstance(element, str):
        return [str(_decoded(each, charset)) for each in element]
    if element.isascii():
        return element
    raw = element.encode("latin-1")
    for name in (charset, "windows-1252"):
        try:
            return raw.decode(name)
        except UnicodeDecodeError:
            continue
    return element


_CHARSETS: Final = {
    "UNOC": "iso-8859-1", "UNOD": "iso-8859-2", "UNOE": "iso-8859-5", "UNOF": "iso-8859-7", "UNOY": "utf-8",
    "UNOW": "utf-8",
}  # fmt: skip


def _charset(name: str) -> str:
    """By the syntax identifier of UNB. Who names UNOA or UNOB and writes more is taken to write UTF-8."""
    return _CHARSETS.get(name, "utf-8")
