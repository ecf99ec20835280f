"""Amounts as people write them: with as many decimals as the currency has by ISO 4217."""

from typing import Final

import iso4217

_DECIMALS: Final = {each.code: each.exponent or 0 for each in iso4217.Currency}


def money(minor: float, currency: str) -> str:
    """Minor units of a currency, such as `1,234.56 GBP` or `2,468 JPY`."""
    places = _DECIMALS.get(currency, 2)
    return f"{minor / 10**places:,.{places}f} {currency}"
