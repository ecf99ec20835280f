"""What an order's texts look like once the harmless oddities of shops and forms are gone.

Spaces around a text, characters nobody sees, "n/a" where nothing is meant, a phone number as one writes it at home:
none of them is worth an order. Each is corrected, and what was changed is said. Ids, codes, numbers and times are left
as they came: a wrong one names something else.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from dom.orders.order import Correction
from dom.shared import postal
from dom.shared.texts import escaped, visible

_NOTHING: Final = frozenset({"", "-", "--", "---", ".", "n/a", "n.a.", "none", "null", "nil", "undefined"})
"""What forms and exports write where a field is empty."""
MAY_BE_EMPTY: Final = ("pickup_node", "requested_by", "reservation_id")
"""Fields of an order in which an empty text means that there is none."""
_NO_PHONE: Final = _NOTHING | {"na", "no", "unknown"}
_ONLY_ZEROS: Final = re.compile(r"[0\s+()./-]*")
_BESIDE_MAIL: Final = " .,;'<>"
"""What is copied along with an address."""


def phone_number(text: str, country: str) -> str:
    """The number in international form (E.164), read as it is dialled in the country; empty where none is meant.

    Raises ValueError for what is no number.
    """
    if text.strip().lower() in _NO_PHONE or _ONLY_ZEROS.fullmatch(text):
        return ""
    try:
        number = phonenumbers.parse(text, country or None)
    except phonenumbers.NumberParseException as error:
        raise ValueError("give the number in international form, such as +447700900123") from error
    if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
        raise ValueError("no such number is possible; give it with its area code")
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def mail_address(text: str) -> str:
    """The address in its usual form. Raises ValueError for one that is none or that no mail can be sent to.

    A name before it, "mailto:" and marks around it are taken off. A domain may have any letters; before the @ stand
    ASCII characters: others need SMTPUTF8 (RFC 6531) on every server on the way.
    """
    alone = text.strip(_BESIDE_MAIL) if "<" not in text.strip(_BESIDE_MAIL) else text.strip()
    try:
        return validate_email(
            alone.removeprefix("mailto:").replace("\uff20", "@"),
            check_deliverability=False,
            test_environment=True,
            allow_smtputf8=False,
            allow_display_name=True,
        ).normalized
    except EmailNotValidError as error:
        raise ValueError(str(error)) from error


class Tidied:
    """The body of an order with its oddities corrected; `corrections` says what was changed."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        """What is not as an order has it is left alone, for the model to refuse."""
        self.corrections: list[Correction] = []
        self.body = dict(body)
        customer, ship_to = (self._part(name) for name in ("customer", "ship_to"))
        country = ship_to.get("country")
        for name in ("id", "name", "customer_class"):
            self._put(customer, "customer", name, visible)
        self._put(customer, "customer", "email", lambda text: _tried(mail_address, visible(text)))
        self._put(customer, "customer", "phone", lambda text: _phone(visible(text), country))
        self._put(ship_to, "ship_to", "name", visible)
        for name in ("city", "region", "postal_code"):
            self._put(ship_to, "ship_to", name, lambda text: meant(visible(text)))
        self._put(ship_to, "ship_to", "postal_code", lambda text: _postal_code(text, country))
        self._list(ship_to, "ship_to.", "lines", or_empty=True)
        self._list(self.body, "", "tags")
        self._line_ids()
        self._put(self._part("payment"), "payment", "reference", visible)
        self._drop_empty(*MAY_BE_EMPTY)

    def correct(self, part: dict[str, Any], name: str, field: str, kept: Any) -> None:
        """Put another value in the place of one, and say so."""
        earlier = next((each for each in self.corrections if each.field == field), None)
        sent = part[name] if earlier is None else earlier.sent
        self.corrections = [each for each in self.corrections if each.field != field]
        self.corrections.append(
            Correction(field=field, sent=escaped(str(sent)), kept="" if kept is None else str(kept))
        )
        part[name] = kept

    def _part(self, name: str) -> dict[str, Any]:
        part = self.body.get(name)
        if not isinstance(part, Mapping):
            return {}
        copy = self.body[name] = dict(part)
        return copy

    def _put(self, part: dict[str, Any], place: str, name: str, mend: Callable[[str], str]) -> None:
        sent = part.get(name)
        if isinstance(sent, str) and sent and (kept := mend(sent)) != sent:
            self.correct(part, name, f"{place}.{name}" if place else name, kept)

    def _list(self, part: dict[str, Any], place: str, name: str, *, or_empty: bool = False) -> None:
        """Each text of a list as people see it; those of which nothing is left are gone, or were empty if they may."""
        sent = part.get(name)
        if not isinstance(sent, list | tuple):
            return
        kept = []
        for index, each in enumerate(sent):
            seen = visible(each) if isinstance(each, str) else each
            gone = seen == "" and (or_empty or each != "")
            if seen != each or gone:
                field = f"{place}{name}[{index}]"
                self.corrections.append(Correction(field=field, sent=escaped(str(each)), kept=str(seen)))
            if not gone:
                kept.append(seen)
        part[name] = kept

    def _line_ids(self) -> None:
        lines = self.body.get("lines")
        if not isinstance(lines, list | tuple):
            return
        self.body["lines"] = copies = [dict(line) if isinstance(line, Mapping) else line for line in lines]
        for index, line in enumerate(copies):
            if isinstance(line, dict):
                self._put(line, f"lines[{index}]", "line_id", visible)

    def _drop_empty(self, *names: str) -> None:
        for name in names:
            sent = self.body.get(name)
            if isinstance(sent, str) and meant(visible(sent)) == "":
                self.correct(self.body, name, name, None)


def meant(text: str) -> str:
    """The text; empty where it only stands for nothing, as "n/a" does."""
    return "" if text.lower() in _NOTHING else text


def _phone(text: str, country: object) -> str:
    return _tried(lambda number: phone_number(number, country if isinstance(country, str) else ""), text)


def _postal_code(text: str, country: object) -> str:
    return _tried(lambda code: postal.written(country if isinstance(country, str) else "", code), text)


def _tried(mend: Callable[[str], str], text: str) -> str:
    """The text mended; as it is where that cannot be, for the model to refuse."""
    try:
        return mend(text)
    except ValueError:
        return text
