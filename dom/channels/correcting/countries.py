"""Countries by whatever people call them: ISO 3166 codes of two and three letters, and names in many languages (Unicode
CLDR, in `babel`).

A name that means two countries in two languages is no answer by itself: both are given.
"""

import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from typing import Final

from babel import Locale
from babel.core import get_global

from dom.shared import postal

_LANGUAGES: Final = (
    "en", "fr", "de", "es", "it", "nl", "pt", "pl", "sv", "da", "nb", "fi", "is", "et", "lv", "lt", "cs", "sk", "hu",
    "sl", "hr", "sr", "bs", "mk", "sq", "ro", "bg", "el", "tr", "ru", "uk", "be", "ga", "cy", "mt", "ca", "eu", "gl",
    "ar", "he", "fa", "hi", "th", "vi", "id", "ja", "ko", "zh", "zh_Hant", "ka", "hy",
)  # fmt: skip
_ALSO: Final = {
    "uk": "GB", "england": "GB", "scotland": "GB", "wales": "GB", "northern ireland": "GB", "great britain": "GB",
    "britain": "GB", "gb": "GB", "eng": "GB", "schottland": "GB", "grossbritannien": "GB", "inglaterra": "GB",
    "angleterre": "GB", "engeland": "GB", "inghilterra": "GB", "gran bretagna": "GB", "gran bretana": "GB",
    "u k": "GB", "united kingdom of great britain and northern ireland": "GB",
    "usa": "US", "u s a": "US", "u s": "US", "us": "US", "united states of america": "US", "america": "US",
    "eire": "IE", "republic of ireland": "IE", "irish republic": "IE", "roi": "IE", "holland": "NL",
    "the netherlands": "NL", "rsa": "ZA", "uae": "AE", "u a e": "AE", "el": "GR", "hellas": "GR", "brd": "DE",
    "federal republic of germany": "DE", "bundesrepublik deutschland": "DE", "viet nam": "VN", "korea": "KR",
    "south korea": "KR", "republic of korea": "KR", "russian federation": "RU", "czech republic": "CZ",
    "tschechische republik": "CZ", "turkey": "TR", "slovak republic": "SK", "peoples republic of china": "CN",
    "p r china": "CN", "pr china": "CN", "republic of singapore": "SG", "taiwan r o c": "TW", "swiss": "CH",
    "kingdom of spain": "ES", "republic of south africa": "ZA", "holy see": "VA", "macedonia": "MK", "swaziland": "SZ",
    "hong kong": "HK", "macau": "MO", "macao": "MO", "bosnia": "BA", "korea south": "KR", "russia": "RU", "iran": "IR",
    "ivory coast": "CI", "cape verde": "CV", "burma": "MM", "east timor": "TL",
}  # fmt: skip
"""What people and old systems write besides. Of codes: EL is Greece in the EU's tax numbers, UK is reserved."""
_SEVERAL: Final = {"channel islands": ("JE", "GG"), "ireland uk": ("IE", "GB"), "congo": ("CD", "CG")}
_ALPHA: Final = 2


@cache
def _names() -> Mapping[str, frozenset[str]]:
    """Countries by folded name. Built once, in a third of a second."""
    found: dict[str, set[str]] = {}
    for language in _LANGUAGES:
        for code, name in Locale.parse(language).territories.items():
            if len(code) == _ALPHA and code.isalpha() and postal.is_country(code):
                found.setdefault(folded(name), set()).add(code)
    for alias, codes in get_global("territory_aliases").items():
        if alias.isalpha() and len(codes) == 1 and postal.is_country(codes[0]):
            found.setdefault(alias.casefold(), set()).add(codes[0])
    found |= {name: {code} for name, code in _ALSO.items()}
    found |= {name: set(codes) for name, codes in _SEVERAL.items()}
    return {name: frozenset(codes) for name, codes in found.items()}


def folded(name: str) -> str:
    """A name without case, accents and marks: `Côte-d'Ivoire` is `cote d ivoire`."""
    plain = "".join(
        each for each in unicodedata.normalize("NFKD", name.casefold()) if unicodedata.category(each) != "Mn"
    )
    return " ".join(re.sub(r"[^\w]+", " ", plain).split())


def called(name: str) -> frozenset[str]:
    """Codes of the countries that are called so; none where nobody knows one."""
    text = folded(name)
    code = text.upper()
    if len(code) == _ALPHA and code.isascii() and code not in {"UK", "EL"} and postal.is_country(code):
        return frozenset({code})
    return _names().get(text, frozenset())


def all_names() -> Mapping[str, frozenset[str]]:
    """Every name that is known, folded, with the countries it means."""
    return _names()
