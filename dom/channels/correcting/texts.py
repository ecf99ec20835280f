"""Texts as they were meant: encodings, characters nobody sees, what labels cannot print, what stands for nothing."""

import html
import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any, Final

import ftfy

from dom.channels.correcting.case import CorrectionCase, CorrectionFinding
from dom.channels.correcting.confidence import of
from dom.channels.corrections import CorrectionRule
from dom.channels.faults import FaultCode
from dom.shared.texts import visible

_PRINTED: Final = ("customer.name", "ship_to.name", "ship_to.company", "ship_to.city", "ship_to.region")
_OTHERS: Final = (
    "ship_to.postal_code", "ship_to.country", "customer.email", "customer.phone", "customer.customer_class", "currency",
    "note", "gift_message",
)  # fmt: skip
_FREE: Final = frozenset({"note", "gift_message"})
"""What people wrote to people: line breaks and runs of blanks are theirs."""
_ENTITY: Final = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
_MOST_ENCODINGS: Final = 3
"""`&amp;amp;eacute;`: a text may have been encoded again on each step of its way."""
_EMOJI: Final = re.compile(
    "[\U0001f000-\U0001faff\u2600-\u27bf\u2b00-\u2bff\u231a-\u23ff\ufe0e\ufe0f\u20e3\U000e0020-\U000e007f]"
    "|(?<=[\U0001f000-\U0001faff\u2600-\u27bf])\u200d"
)
_NOTHING: Final = frozenset(
    {"-", "--", "---", ".", "n/a", "#n/a", "n.a.", "none", "null", "(null)", "<null>", "nil", "undefined", "nan", "\\n"}
)
_NEVER_EMPTY: Final = frozenset({"customer.name", "ship_to.name", "ship_to.city", "ship_to.country"})
"""Somebody may be called Null, and Piedmont has a town None: of these a person decides."""
_LOST: Final = "\ufffd"
MOST_LINES: Final = 4
"""Lines of an address above the town that labels have room for."""


def tidied(text: str) -> str:
    """A text as the rules of this module leave it, pictures aside."""
    composed = unicodedata.normalize("NFC", text)
    fixed = composed if composed.isascii() else ftfy.fix_encoding(composed)
    return " ".join(visible(_unescaped(fixed)).split())


def _fields(case: CorrectionCase, *, printed: bool = False) -> Iterator[str]:
    yield from _PRINTED
    for index, _ in enumerate(case.items("ship_to.lines")):
        yield f"ship_to.lines[{index}]"
    if printed:
        return
    yield from _OTHERS
    for index, _ in case.lines():
        yield f"lines[{index}].sku"
        yield f"lines[{index}].name"


def _each(
    case: CorrectionCase, mend: Callable[[str], str], confidence: int, why: str, *, printed: bool = False
) -> Iterator[CorrectionFinding]:
    for field in _fields(case, printed=printed):
        text = case.text(field)
        if text and (after := mend(text)) != text:
            yield CorrectionFinding(field, after or None, confidence, why)


def normal_form(case: CorrectionCase) -> Iterator[CorrectionFinding]:
    """Letters and their accents as one character (Unicode NFC)."""
    return _each(
        case, lambda text: unicodedata.normalize("NFC", text), of(CorrectionRule.NORMAL_FORM), "the same, composed"
    )


def mojibake(case: CorrectionCase) -> Iterator[CorrectionFinding]:
    """Bytes that were read in another encoding than they were written in: `MÃ¼nchen`."""
    why = "it was read in another encoding than it was written in"
    for found in _each(
        case, lambda text: text if text.isascii() else ftfy.fix_encoding(text), of(CorrectionRule.MOJIBAKE), why
    ):
        # `Ã ` may be an à whose second half became a blank, or the letter Ã and a blank.
        yield _unsure(found) if "Ã " in case.text(found.field) else found


def _unsure(found: CorrectionFinding) -> CorrectionFinding:
    return CorrectionFinding(found.field, found.after, of(CorrectionRule.MOJIBAKE, "a blank"), found.why)


def entities(case: CorrectionCase) -> Iterator[CorrectionFinding]:
    """Characters written as HTML writes them: `Marks &amp; Spencer`."""
    return _each(case, _unescaped, of(CorrectionRule.ENTITIES), "it is written as in HTML")


def _unescaped(text: str) -> str:
    for _ in range(_MOST_ENCODINGS):
        if not _ENTITY.search(text):
            return text
        text = _ENTITY.sub(lambda found: html.unescape(found[0]), text)
    return text


def line_breaks(case: CorrectionCase) -> Iterator[CorrectionFinding]:
    """A street in one field with line breaks in it: lines of their own, where there is room."""
    given = case.items("ship_to.lines")
    if not any(isinstance(line, str) and re.search(r"[\r\n]|<br ?/?>", line, re.IGNORECASE) for line in given):
        return
    parts = [
        part.strip(" ,")
        for line in given
        if isinstance(line, str)
        for part in re.split(r"\r\n|\r|\n|<br ?/?>", line, flags=re.IGNORECASE)
    ]
    lines = [part for part in parts if part]
    if lines and len(lines) <= MOST_LINES:
        yield CorrectionFinding("ship_to.lines", lines, of(CorrectionRule.LINE_BREAKS), "each on a line of its own")


def unseen(case: CorrectionCase) -> Iterator[CorrectionFinding]:
    """Characters that nobody sees: zero width, marks of writing direction, control characters."""
    why = "it held characters that nobody sees"
    for found in _each(case, _seen, of(CorrectionRule.UNSEEN), why):
        if found.field not in _FREE:
            yield found


def _seen(text: str) -> str:
    # Blanks around it are another rule's. An ASCII text has only control characters to lose.
    if text.isascii() and text.isprintable():
        return text
    lead, trail = len(text) - len(text.lstrip()), len(text) - len(text.rstrip())
    return text[:lead] + visible(text) + (text[-trail:] if trail else "") if visible(text) else ""


def emoji(case: CorrectionCase) -> Iterator[CorrectionFinding]:
    """Pictures in what is printed on labels. Where nothing else is left a person decides."""
    for field in _fields(case, printed=True):
        text = case.text(field)
        if text.isascii() or not _EMOJI.search(text):
            continue
        after = " ".join(_EMOJI.sub(" ", text).split()).strip(" -,|*~")
        sure = of(CorrectionRule.EMOJI, "" if after else "nothing left")
        yield CorrectionFinding(field, after or None, sure, "labels print no pictures")


def white_space(case: CorrectionCase) -> Iterator[CorrectionFinding]:
    """Blanks around a text and runs of them; commas that a form left at the end."""
    for found in _each(case, lambda text: " ".join(text.split()), of(CorrectionRule.WHITE_SPACE), "blanks too many"):
        if found.field not in _FREE:
            yield found


def nothing(case: CorrectionCase) -> Iterator[CorrectionFinding]:
    """`NULL`, `N/A` and the like, which exports write where a field is empty. Codes of articles are left alone."""
    for field in _fields(case):
        text = case.text(field)
        if text.casefold() not in _NOTHING or field.endswith(".sku") or field.startswith("ship_to.lines["):
            continue
        evidence = "a name" if field in _NEVER_EMPTY and text[:1].isalpha() else ""
        yield CorrectionFinding(field, None, of(CorrectionRule.NOTHING, evidence), "it stands for nothing")
    yield from _empty_lines(case.items("ship_to.lines"))


def _empty_lines(given: list[Any]) -> Iterator[CorrectionFinding]:
    left = [line for line in given if not (isinstance(line, str) and line.casefold() in {*_NOTHING, ""})]
    if left and len(left) < len(given):
        yield CorrectionFinding("ship_to.lines", left, of(CorrectionRule.NOTHING), "a line of it stands for nothing")


def lost_characters(case: CorrectionCase) -> Iterator[tuple[str, FaultCode, str]]:
    """Fields in which characters were lost before they came, so that only a person can say what stood there."""
    for field in _fields(case):
        if _LOST in case.text(field):
            yield field, FaultCode.DOUBTFUL, "characters of it were lost before it came"
