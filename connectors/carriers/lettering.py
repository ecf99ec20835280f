"""Writes any name in the letters a label printer's built-in fonts have (Windows code page 1252).

International mail is addressed in Roman letters and Arabic numerals (UPU Convention Manual), so Greek and Cyrillic are
romanised, after ELOT 743 and ICAO Doc 9303 but simplified, letter by letter. Any other script becomes question marks.
"""

import unicodedata
from typing import Final

_ENCODING: Final = "cp1252"
_UNKNOWN: Final = "?"


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
    if _is_printable(character):
        return character
    if character in _ROMAN:
        return _ROMAN[character]
    if character.lower() in _ROMAN:
        return _ROMAN[character.lower()].capitalize()
    base = unicodedata.normalize("NFKD", character)
    if base == character:
        return "" if unicodedata.combining(character) else _UNKNOWN
    return "".join(_written(part) for part in base if not unicodedata.combining(part))


def _is_printable(character: str) -> bool:
    try:
        character.encode(_ENCODING)
    except UnicodeEncodeError:
        return False
    return True
