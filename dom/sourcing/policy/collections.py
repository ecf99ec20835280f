"""What the policy says of goods that wait for their customer."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from dom.shared.base import Value


class Collections(Value):
    """How long goods that are ready are kept for their customer, and how he is reminded of them."""

    keep_days: Annotated[int, Field(ge=1, le=365)] = Field(
        default=7, description="in the node's own days, up to its closing time; what is not collected then is cancelled"
    )
    remind_days_before: tuple[Annotated[int, Field(ge=0, le=364)], ...] = Field(
        default=(2,), max_length=10, description="the customer is reminded so many days before the time is over"
    )
    code_required: bool = Field(
        default=True, description="goods are given out for the code alone that the customer was sent"
    )

    @model_validator(mode="after")
    def _reminders_come_while_it_is_kept(self) -> Self:
        if any(days >= self.keep_days for days in self.remind_days_before):
            raise ValueError("a reminder comes before the goods are ready: remind fewer days before than they are kept")
        if len(set(self.remind_days_before)) < len(self.remind_days_before):
            raise ValueError("a reminder stands twice")
        return self
