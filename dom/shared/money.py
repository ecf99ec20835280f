"""Money: an integer amount of minor units with its currency.

ISO 4217 says how many decimals a currency has: none for the yen, two for the pound, three for the Kuwaiti dinar.
"""

from __future__ import annotations

from typing import Annotated, Final

import iso4217
from pydantic import AfterValidator

from dom.shared.base import Currency, Value
from dom.shared.errors import InvalidInput

_DECIMALS: Final = {each.code: each.exponent for each in iso4217.Currency}
_FUNDS: Final = frozenset(
    each.findtext("Ccy", "")
    for each in iso4217.raw_xml.iter("CcyNtry")
    if each.find("CcyNm[@IsFund='true']") is not None
)
"""The codes that the standard itself marks as funds: CLF, USN, CHE and the like."""
_UNMARKED: Final = frozenset({"UYW", "XAD"})
"""Units of account without that mark: Uruguay's wage index and the dinar of the Arab Monetary Fund."""
_USUAL: Final = 2


def decimals(currency: str) -> int:
    """The decimals of a currency's major unit; two for one that the standard lists no more."""
    return _DECIMALS.get(currency, _USUAL) or 0


def is_currency(code: str) -> bool:
    """Whether goods are paid in it today: no metal, no fund or unit of account, no code for testing or for nothing."""
    return _DECIMALS.get(code) is not None and code not in _FUNDS and code not in _UNMARKED


def minor_per_minor(worth: float, currency: str, into: str) -> float:
    """What a minor unit of one currency is worth in minor units of another, where a major unit is worth `worth`."""
    shift = decimals(into) - decimals(currency)
    factor: int = 10 ** abs(shift)
    return worth * factor if shift >= 0 else worth / factor


def figures(amount: int, currency: str) -> str:
    """An amount without its currency, in major units: `1234.50`, `2468`, `-3.702`."""
    places = decimals(currency)
    sign, digits = "-" if amount < 0 else "", str(abs(amount)).rjust(places + 1, "0")
    return f"{sign}{digits[:-places]}.{digits[-places:]}" if places else sign + digits


def refuse_unknown(currency: str, field: str = "currency") -> None:
    """Raise InvalidInput, naming the field, for a code that is no currency."""
    if not is_currency(currency):
        raise InvalidInput(NO_CURRENCY.format(currency), field=field)


NO_CURRENCY: Final = "{} is no currency of ISO 4217 that goods are paid in"


def _in_use(code: str) -> str:
    if not is_currency(code):
        raise ValueError(NO_CURRENCY.format(code))
    return code


KnownCurrency = Annotated[Currency, AfterValidator(_in_use)]
"""A currency as it comes in. What is stored is a `Currency`: one that the world gave up stays readable."""


class Money(Value):
    """An amount in minor units of one currency; sums of two currencies are a ValueError, never a guess."""

    amount: int
    currency: Currency

    def __add__(self, other: Money) -> Money:
        if other.currency != self.currency:
            raise ValueError(f"cannot add {other.currency} to {self.currency}")
        return Money(amount=self.amount + other.amount, currency=self.currency)

    def __mul__(self, times: int) -> Money:
        return Money(amount=self.amount * times, currency=self.currency)

    def __str__(self) -> str:
        return f"{figures(self.amount, self.currency)} {self.currency}"
