"""SKUs that the catalogue does not hold: how else they are written, and what resembles them."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from typing import Final

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

from dom.channels.correcting.case import CatalogueSku, CorrectionCase, CorrectionFinding
from dom.channels.correcting.confidence import of
from dom.channels.corrections import CorrectionRule

_IN_FRONT: Final = re.compile(
    r"^(?:sku|art|article|artikel|item|ref|code)\b[\s.:#-]*(?:(?:no|nr)\b[\s.:#-]*)?", re.IGNORECASE
)
_SCIENTIFIC: Final = re.compile(r"\d(?:[.,]\d+)?[eE]\+?\d{1,2}")
_OTHER_NAME: Final = 45
"""Below this likeness of 100 the article's name speaks against the code."""
_MOST: Final = 3
_FROM: Final = 60
_HIGHEST: Final = 940
"""Per mille: what only resembles is never sure."""


def key(code: str) -> str:
    """A code without case, blanks, dashes and leading zeros. The database has the same (`sku_fold`)."""
    plain = unicodedata.normalize("NFKC", code).upper()
    return re.sub(r"[^A-Z0-9]", "", plain).lstrip("0")


def keys(code: str) -> tuple[tuple[str, str], ...]:
    """What a code may be written for, the likeliest first: keys, each with what was done to it."""
    found = [(key(code), "")]
    bare = _IN_FRONT.sub("", code.strip().lstrip("'#"))
    found.append((key(bare), ""))
    if re.fullmatch(r"\d+[.,]0+", bare):
        found.append((key(re.split("[.,]", bare)[0]), "spreadsheet"))
    if _SCIENTIFIC.fullmatch(bare):
        with suppress(InvalidOperation):
            found.append((key(f"{Decimal(bare.replace(',', '.')):f}"), "spreadsheet"))
    return tuple({each: how for each, how in reversed(found) if each}.items())[::-1]


def form(case: CorrectionCase) -> Iterator[CorrectionFinding]:
    """A code that is written otherwise, where exactly one SKU of the catalogue is meant."""
    for index, line in case.lines():
        code = str(line.get("sku") or "")
        found = case.skus.by_form.get(code, ())
        if not code or code in case.skus.held:
            continue
        field = f"lines[{index}].sku"
        if len(found) != 1:
            for each in found[:_MOST]:
                yield CorrectionFinding(field, each.id, of(CorrectionRule.SKU_FORM, "several"), "several fit")
            continue
        sku = found[0]
        evidence = _evidence(code, sku, str(line.get("name") or ""))
        yield CorrectionFinding(field, sku.id, of(CorrectionRule.SKU_FORM, evidence), "the only SKU written like it")


def _evidence(code: str, sku: CatalogueSku, name: str) -> str:
    if name and sku.name and fuzz.token_set_ratio(name.casefold(), sku.name.casefold()) < _OTHER_NAME:
        return "another name"
    if dict(keys(code)).get(key(sku.id)) == "spreadsheet":
        return "spreadsheet"
    plain = re.sub(r"[^A-Z0-9]", "", _IN_FRONT.sub("", code).upper())
    return "case and marks" if plain == re.sub(r"[^A-Z0-9]", "", sku.id.upper()) else "zeros"


def alike(case: CorrectionCase) -> Iterator[CorrectionFinding]:
    """SKUs with a similar code or name, those that the customer ordered before first. Only ever proposed, but for one
    whose name is the very same.
    """
    for index, line in case.lines():
        code, name = str(line.get("sku") or ""), str(line.get("name") or "")
        if code in case.skus.held or case.skus.by_form.get(code):
            continue
        found = case.skus.alike.get(code or name, ())
        same = [each for each in found if name and each.name and _plain(each.name) == _plain(name)]
        field = f"lines[{index}].sku"
        if len(same) == 1 and OSA.distance(code, same[0].id) <= 1:
            sure = of(CorrectionRule.SKU_SIMILAR, "the same name")
            yield CorrectionFinding(field, same[0].id, sure, f"it is called {same[0].name}", CorrectionRule.SKU_SIMILAR)
            continue
        for score, each in _ranked(found, code, name)[:_MOST]:
            rule = CorrectionRule.SKU_HISTORY if each.bought else CorrectionRule.SKU_SIMILAR
            said = "the customer ordered it before" if each.bought else f"it resembles {each.id} {each.name}".strip()
            yield CorrectionFinding(field, each.id, score, said, rule)


def _ranked(found: Sequence[CatalogueSku], code: str, name: str) -> list[tuple[int, CatalogueSku]]:
    scored = []
    for each in found:
        by_code = fuzz.ratio(code.upper(), each.id.upper()) if code else 0
        by_name = fuzz.token_sort_ratio(_plain(name), _plain(each.name)) if name and each.name else 0
        score = max(by_code, by_name) if not (by_code and by_name) else max(by_name, (by_code + by_name) / 2)
        score += 8 if each.bought else 0
        if score >= _FROM:
            scored.append((min(int(score * 10), _HIGHEST), each))
    return sorted(scored, key=lambda pair: (-pair[0], pair[1].id))


def _plain(name: str) -> str:
    return " ".join(re.sub(r"[^\w]+", " ", name.casefold()).split())
