"""What the policy says of stock that is reserved for work nobody has begun: when it is planned anew, or given away."""

from typing import Annotated

from pydantic import Field

from dom.shared.base import Minor, Value

_Class = Annotated[str, Field(min_length=1, max_length=40)]
_Weight = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]


class Reoptimisation(Value):
    """Whether fulfilments that no node has begun are planned anew."""

    enabled: bool = True
    hold_minutes: Annotated[int, Field(ge=0, le=10_000)] = Field(
        default=0, description="how long work is held back before its node sees it, so that later orders can move it"
    )
    save_at_least: Minor = Field(default=100, description="a change that saves less is not made")


class ReallocationTerms(Value):
    """Whether stock that is reserved for an order which can wait is given to a dearer one that is in danger.

    Only an order of a class that weighs less gives to one that weighs more, once, and only if its own promise is kept.
    """

    enabled: bool = False
    classes: dict[_Class, _Weight] = Field(
        default={}, description="what a day of lateness weighs, by customer class; 1 for one that is not named"
    )
    margin_days: Annotated[int, Field(ge=0, le=30)] = Field(
        default=1, description="days that goods on their way may come later than they are due, and the promise is kept"
    )
    unknown_days: Annotated[int, Field(ge=1, le=365)] = Field(
        default=14, description="days of lateness that count where no goods are known of that end it"
    )
    minimum_gain: Minor = Field(default=500, description="a change that gains less is not made")

    @property
    def least_gain(self) -> int:
        """What a change gains at least that is made: something."""
        return max(self.minimum_gain, 1)

    @property
    def lightest(self) -> float:
        """The least that a class weighs: nobody gives to it."""
        return min(1.0, *self.classes.values()) if self.classes else 1.0

    def weight(self, customer_class: str) -> float:
        """What a day of lateness of the class weighs."""
        return self.classes.get(customer_class, 1.0)
