"""Money: an integer amount of minor units with its currency."""

from __future__ import annotations

from dom.base import Currency, Value


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
        sign, amount = ("-", -self.amount) if self.amount < 0 else ("", self.amount)
        return f"{sign}{amount // 100}.{amount % 100:02d} {self.currency}"
