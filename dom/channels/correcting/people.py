"""Who bought, and how he is reached: names, phone numbers (libphonenumber), mail addresses."""

import re
from collections.abc import Iterator
from typing import Final

import phonenumbers
from rapidfuzz.distance import OSA

from dom.channels.correcting.case import CorrectionCase, CorrectionFinding
from dom.channels.correcting.confidence import of
from dom.channels.corrections import CorrectionRule
from dom.orders import tidying

_PHONE: Final = "customer.phone"
_EMAIL: Final = "customer.email"
_NAMES: Final = {"ship_to.name": "customer.name", "customer.name": "ship_to.name"}
_TURNED: Final = re.compile(r"([^\W\d_][\w'\u2019-]*), ([^\W\d_][\w'\u2019-]*(?: [^\W\d_][\w'\u2019.-]*)?)")
_FIRM: Final = re.compile(r"\b(inc|ltd|llc|gmbh|corp|co|sa|ag|bv|srl|plc)\b", re.IGNORECASE)
_BETWEEN: Final = re.compile(r"\s*(?:/|;|,|\bor\b|\boder\b|\bou\b)\s*", re.IGNORECASE)
_INTERNATIONAL: Final = re.compile(r"\s*(?:\(?\+|00|\uff0b)")
_DOMAINS: Final = (
    "gmail.com", "googlemail.com", "hotmail.com", "hotmail.co.uk", "hotmail.fr", "outlook.com", "yahoo.com",
    "yahoo.co.uk", "yahoo.fr", "icloud.com", "aol.com", "live.com", "live.co.uk", "btinternet.com", "sky.com", "web.de",
    "gmx.de", "gmx.net", "gmx.at", "t-online.de", "orange.fr", "wanadoo.fr", "free.fr", "laposte.net", "libero.it",
    "msn.com", "me.com", "proton.me", "protonmail.com", "talktalk.net", "virginmedia.com", "ntlworld.com", "mail.ru",
)  # fmt: skip
_REAL: Final = frozenset(
    {*_DOMAINS, "gmx.com", "gmx.ch", "mail.com", "email.com", "ymail.com", "aim.com", "hotmail.de", "hotmail.it"}
    | {"hotmail.es", "outlook.de", "outlook.fr", "live.fr", "live.nl", "live.de", "yahoo.de", "yahoo.it", "yahoo.es"}
    | {
        "yahoo.ie",
        "outlook.ie",
        "mac.com",
        "free.com",
        "sky.de",
        "web.com",
        "msn.de",
        "aol.de",
        "aol.co.uk",
        "love.com",
    }
)
_FAR: Final = 2
_SHORT: Final = 7
_NEIGHBOURS: Final = (
    "GB",
    "DE",
    "FR",
    "ES",
    "IT",
    "NL",
    "BE",
    "IE",
    "AT",
    "CH",
    "SE",
    "DK",
    "NO",
    "FI",
    "PL",
    "PT",
    "US",
)
_MOBILE: Final = (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE)
_UNLIKELY: Final = (phonenumbers.PhoneNumberType.UNKNOWN, phonenumbers.PhoneNumberType.PREMIUM_RATE)


def names(case: CorrectionCase) -> Iterator[CorrectionFinding]:
    """A name that is missing, or turned round; both are for a person to say."""
    for field, other in _NAMES.items():
        name, instead = case.text(field), case.text(other)
        if not name and instead and "@" not in instead:
            sure = of(CorrectionRule.NAME, "of the other")
            yield CorrectionFinding(field, instead, sure, f"{other} is the only name that is given")
        turned = _TURNED.fullmatch(name)
        if turned and not _FIRM.search(name):
            sure = of(CorrectionRule.NAME, "turned round")
            yield CorrectionFinding(field, f"{turned[2]} {turned[1]}", sure, "the last name stands first")


def phone(case: CorrectionCase) -> Iterator[CorrectionFinding]:
    """A phone number in international form (E.164), read as it is dialled where the goods go."""
    given = case.text(_PHONE)
    if not given:
        return
    country = case.country if re.fullmatch(r"[A-Z]{2}", case.country) else ""
    try:
        after = tidying.phone_number(_digits(given), country)
    except ValueError:
        yield from _other_numbers(given, country)
        return
    if not after:
        yield CorrectionFinding(_PHONE, None, of(CorrectionRule.PHONE, "nothing"), "it stands for nothing")
    elif after != given:
        number = phonenumbers.parse(after)
        evidence = "as dialled there"
        if _has_extension(_digits(given), country):
            evidence = "extension"
        elif not phonenumbers.is_valid_number(number) or phonenumbers.number_type(number) in _UNLIKELY:
            evidence = "possible"
        elif _INTERNATIONAL.match(given):
            evidence = "international"
        elif _is_mobile_elsewhere(number, _digits(given), country):
            evidence = "mobile elsewhere"
        yield CorrectionFinding(_PHONE, after, of(CorrectionRule.PHONE, evidence), "in international form")


def _has_extension(text: str, country: str) -> bool:
    """Whether more is dialled after the number, for which E.164 has no place."""
    return bool(phonenumbers.parse(text, country or None).extension)


def _is_mobile_elsewhere(number: phonenumbers.PhoneNumber, text: str, country: str) -> bool:
    """Whether what is a fixed line where the goods go is a mobile phone in another country: where numbers have no fixed
    length nearly any of them is one. Somebody may have a gift sent abroad, and have given the number as he dials it.
    """
    if phonenumbers.number_type(number) in _MOBILE:
        return False
    for other in _NEIGHBOURS:
        try:
            there = phonenumbers.parse(text, other)
        except phonenumbers.NumberParseException:
            continue
        if other != country and phonenumbers.number_type(there) == phonenumbers.PhoneNumberType.MOBILE:
            return True
    return False


def _digits(given: str) -> str:
    """Without what stands before it, what a spreadsheet made of it, and an apostrophe that kept it a text."""
    text = re.sub(
        r"^(?:tel|phone|mob(?:ile)?|mobil|telefon|t|m|p)\b\s*[.:]*\s*", "", given.strip(), flags=re.IGNORECASE
    )
    return re.sub(r"^'|(?<=\d)\.0$", "", text)


def _other_numbers(given: str, country: str) -> Iterator[CorrectionFinding]:
    for part in _BETWEEN.split(given):
        try:
            after = tidying.phone_number(_digits(part), country)
        except ValueError:
            continue
        if after and phonenumbers.is_valid_number(phonenumbers.parse(after)):
            sure = of(CorrectionRule.PHONE, "first of several")
            yield CorrectionFinding(_PHONE, after, sure, "the first number that can be one")
            return
    yield CorrectionFinding(_PHONE, None, of(CorrectionRule.PHONE, "none"), "no number can be read in it")


def email(case: CorrectionCase) -> Iterator[CorrectionFinding]:
    """A mail address in its usual form, and what a mistyped one could be."""
    given = case.text(_EMAIL)
    if not given:
        return
    try:
        after = tidying.mail_address(re.sub(r"^mailto:", "", given.strip(), flags=re.IGNORECASE))
    except ValueError:
        yield from _guessed(given)
        return
    if after != given:
        yield CorrectionFinding(_EMAIL, after, of(CorrectionRule.EMAIL), "in its usual form")


def _guessed(given: str) -> Iterator[CorrectionFinding]:
    bare = re.sub(r"\s+", "", given)
    attempts = (
        (bare, "blanks inside"),
        (re.split(r"[;,]", bare)[0], "guessed"),
        (re.sub(r"@+", "@", re.sub(r",(?=[a-z]{2,3}$)", ".", bare)), "guessed"),
        (re.sub(r"\.{2,}", ".", bare.strip(".")), "guessed"),
        (re.sub(r"\(at\)|\[at\]", "@", bare, flags=re.IGNORECASE), "guessed"),
    )
    for attempt, evidence in attempts:
        try:
            after = tidying.mail_address(attempt)
        except ValueError:
            continue
        if after != given:
            yield CorrectionFinding(_EMAIL, after, of(CorrectionRule.EMAIL, evidence), "it is no address as it stands")
            return


def email_domain(case: CorrectionCase) -> Iterator[CorrectionFinding]:
    """A well-known domain with a typing mistake: only ever a proposal, since the other one may be somebody's."""
    given = case.text(_EMAIL)
    name, at, domain = given.rpartition("@")
    domain = domain.lower()
    if not at or domain in _REAL or len(domain) < _SHORT:
        return
    near = sorted((OSA.distance(domain, each, score_cutoff=_FAR), each) for each in _DOMAINS)
    distance, meant = near[0]
    if distance == 1 or (distance == _FAR and len(meant) > _SHORT + _FAR):
        sure = of(CorrectionRule.EMAIL_DOMAIN)
        yield CorrectionFinding(_EMAIL, f"{name}@{meant}", sure, f"{domain} resembles {meant}")
