"""Prints names as they are written: Hebrew, Arabic, Chinese, Japanese and Korean with fonts of their own.

What the printer's built-in letters have is set in these; for the scripts above a font is embedded in the label, of
which only the letters used. Arabic letters are joined, and what runs from right to left is laid out so (Unicode
Standard Annex 9). All else is written in Roman letters, and `unprinted` says of which lines that is so.
"""

import unicodedata
from collections.abc import Iterable
from functools import cache
from importlib.resources import as_file, files
from itertools import groupby
from typing import Final, NamedTuple

import arabic_reshaper
import bidi
from reportlab.pdfbase.pdfmetrics import getFont, registerFont, stringWidth
from reportlab.pdfbase.ttfonts import TTFont

from connectors.carriers.lettering import is_printable, known_in_roman, roman


class _Font(NamedTuple):
    """A font by the name it is registered under, and where its package keeps it."""

    name: str
    package: str
    path: str


_RTL: Final = "justmytype_intl_rtl"
_CJK: Final = "justmytype_intl_cjk"
_HEBREW: Final = _Font("NotoSansHebrew", _RTL, "notosanshebrew/NotoSansHebrew[wdth,wght].ttf")
_ARABIC: Final = _Font("NotoSansArabic", _RTL, "notosansarabic/NotoSansArabic[wdth,wght].ttf")
_JAPANESE: Final = _Font("NotoSansJP", _CJK, "notosansjp/NotoSansJP[wght].ttf")
_KOREAN: Final = _Font("NotoSansKR", _CJK, "notosanskr/NotoSansKR[wght].ttf")
_SIMPLIFIED: Final = _Font("NotoSansSC", _CJK, "notosanssc/NotoSansSC[wght].ttf")
_TRADITIONAL: Final = _Font("NotoSansTC", _CJK, "notosanstc/NotoSansTC[wght].ttf")
_HAN: Final = {"JP": _JAPANESE, "KR": _KOREAN, "TW": _TRADITIONAL, "HK": _TRADITIONAL, "MO": _TRADITIONAL}
"""The shapes of Chinese characters differ by country."""
_THIN: Final = frozenset(each.name for each in (_HEBREW, _JAPANESE, _KOREAN, _SIMPLIFIED, _TRADITIONAL))
"""Fonts whose usual weight is a hairline, which a label printer loses: their outlines are drawn as well."""
_RIGHT_TO_LEFT: Final = frozenset({"R", "AL"})


class TextRun(NamedTuple):
    """Letters of one font, from left to right as they stand on the paper."""

    text: str
    font: str

    @property
    def is_thin(self) -> bool:
        """Whether the outlines are to be drawn as well."""
        return self.font in _THIN


def laid_out(text: str, plain: str, country: str) -> list[TextRun]:
    """A row as it stands on the paper; `plain` is the built-in font."""
    written = _shaped(_written(text, country))
    fonts = [(letter, _font(letter, country)) for letter in written]
    return [
        TextRun("".join(letter for letter, _ in part), plain if font is None else _registered(font))
        for font, part in groupby(fonts, key=lambda pair: pair[1])
    ]


def width(text: str, plain: str, size: float, country: str) -> float:
    """Of a row, in points."""
    return float(sum(stringWidth(run.text, run.font, size) for run in laid_out(text, plain, country)))


def rows(text: str, plain: str, size: float, room: float, country: str) -> list[str]:
    """The text in rows of at most that width, broken between words, or within one that is too long."""
    found: list[str] = []
    row = ""
    for word in " ".join(text.split()).split(" "):
        longer = f"{row} {word}".strip()
        if width(longer, plain, size, country) <= room:
            row = longer
            continue
        if row:
            found.append(row)
        row = ""
        for letter in word:
            if row and width(row + letter, plain, size, country) > room:
                found.append(row)
                row = ""
            row += letter
    return [*found, row] if row else found


def unprinted(lines: Iterable[str], country: str) -> list[str]:
    """The lines with letters that are neither printed as written nor in the usual Roman ones of their script."""
    return [
        line for line in lines if any(_is_foreign(letter, country) for letter in unicodedata.normalize("NFC", line))
    ]


def _is_foreign(letter: str, country: str) -> bool:
    if not letter.isprintable() or letter.isspace() or unicodedata.category(letter) == "Mn":
        return False
    return _font(letter, country) is None and not known_in_roman(letter)


def _written(text: str, country: str) -> str:
    """Letters there is a font for as they are, the others in Roman."""
    composed = unicodedata.normalize("NFC", " ".join(text.split()))
    parts = groupby(composed, key=lambda letter: _font(letter, country) is not None)
    return "".join("".join(part) if has_font else _in_roman("".join(part)) for has_font, part in parts)


def _in_roman(text: str) -> str:
    """As `roman`, which forgets blanks at the ends."""
    before, after = text[:1].isspace(), text[1:] and text[-1:].isspace()
    return f"{' ' if before else ''}{roman(text)}{' ' if after else ''}"


def _shaped(text: str) -> str:
    if not any(unicodedata.bidirectional(letter) in _RIGHT_TO_LEFT for letter in text):
        return text
    return str(bidi.get_display(arabic_reshaper.reshape(text)))


@cache
def _font(letter: str, country: str) -> _Font | None:
    """The font for a letter; None for what is set in the built-in one, and where there is none."""
    if is_printable(letter):
        return None
    name = unicodedata.name(letter, "")
    for script, font in (
        ("HEBREW", _HEBREW),
        ("ARABIC", _ARABIC),
        ("HIRAGANA", _JAPANESE),
        ("KATAKANA", _JAPANESE),
        ("HANGUL", _KOREAN),
        ("CJK", _HAN.get(country, _SIMPLIFIED)),
        ("IDEOGRAPHIC", _HAN.get(country, _SIMPLIFIED)),
        ("FULLWIDTH", _HAN.get(country, _SIMPLIFIED)),
    ):
        if name.startswith(script) and ord(letter) in getFont(_registered(font)).face.charToGlyph:
            return font
    return None


@cache
def _registered(font: _Font) -> str:
    """The font's name, once it is read; the larger ones take half a second."""
    with as_file(files(font.package) / "fonts" / "ofl" / font.path) as path:
        registerFont(TTFont(font.name, str(path)))
    return font.name
