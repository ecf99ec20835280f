"""How stock is priced."""

from typing import Annotated

from pydantic import Field

from dom.shared.base import Value

Positive = Annotated[int, Field(ge=1)]


class PricingTerms(Value):
    """How stock is priced; see the settings of the same names."""

    lifetime_minutes: Positive = 360
    horizon_days: Positive = 14
    history_days: Positive = 56
    margin_percent: Annotated[int, Field(ge=0)] = 30
