"""Writes any name in the letters a label printer's built-in fonts have (Windows code page 1252).

International mail is addressed in Roman letters and Arabic numerals (UPU Convention Manual), so Greek and Cyrillic are
romanised, after ELOT 743 and ICAO Doc 9303 but simplified, letter by letter. Any other script is written in Roman
letters by `anyascii`, letter by letter too.
"""

import unicodedata
from typing import Final

from anyascii import anyascii

_ENCODING: Final = "cp1252"


def _pairs(letters: str, in_roman: str) -> dict[str, str]:
    return dict(zip(letters, in_roman.split(), strict=True))


_LATIN: Final = _pairs("đħıłŋŧəĳŀẞ", "d h i l n t e ij l SS")
_GREEK: Final = _pairs("αβγδεζηθικλμνξοπρσςτυφχψω", "a v g d e z i th i k l m n x o p r s s t y f ch ps o")
_CYRILLIC: Final = _pairs(
    "абвгдежзийклмнопрстуфхцчшщъыьэюя",
    "a b v g d e zh z i i k l m n o p r s t u f kh ts ch sh shch ' y ' e iu ia",
) | _pairs("іїєґјљњћџђѓќѕў", "i i ie g j lj nj c dz dj g k dz u")
_SIGNS: Final = {"\u2212": "-", "\u2010": "-", "\u2011": "-", "\u2032": "'", "\u2033": '"'}
_ROMAN: Final = _LATIN | _GREEK | _CYRILLIC | _SIGNS


def roman(text: str) -> str:
    """The text on one line, in characters of code page 1252 only; what already is stays as it is.

    >>> roman("Łódź, Αθήνα")
    'Lódz, Athina'
    """
    composed = unicodedata.normalize("NFC", " ".join(text.split()))
    return "".join(map(_written, composed))


def _written(character: str) -> str:
    if not character.isprintable():
        return ""
    if is_printable(character):
        return character
    if character in _ROMAN:
        return _ROMAN[character]
    if character.lower() in _ROMAN:
        return _ROMAN[character.lower()].capitalize()
    base = unicodedata.normalize("NFKD", character)
    if base == character:
        return "" if unicodedata.combining(character) else anyascii(character)
    return "".join(_written(part) for part in base if not unicodedata.combining(part))


def known_in_roman(character: str) -> bool:
    """Whether its script is one that international mail writes in Roman letters by a rule of its own, or is Roman."""
    if is_printable(character) or character in _ROMAN or character.lower() in _ROMAN:
        return True
    base = unicodedata.normalize("NFKD", character)
    return base != character and all(unicodedata.combining(part) or known_in_roman(part) for part in base)


def is_printable(character: str) -> bool:
    """Whether a label printer's built-in fonts have the letter."""
    try:
        character.encode(_ENCODING)
    except UnicodeEncodeError:
        return False
    return True
