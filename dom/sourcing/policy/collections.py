"""What the policy says of goods that wait for their customer."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from dom.network import ShippingMethod
from dom.shared.base import Value


class ShipToStore(Value):
    """What a pick-up order asks for may also come from other nodes, which send it to the store by a carrier."""

    service: ShippingMethod = Field(
        default=ShippingMethod.STANDARD, description="by which it is sent to the store; `pickup` is none"
    )
    handling_minutes: Annotated[int, Field(ge=0, le=10_080)] = Field(
        default=120, description="opening time that the store needs between the carrier's visit and the customer's"
    )

    @model_validator(mode="after")
    def _is_sent(self) -> Self:
        if self.service is ShippingMethod.PICKUP:
            raise ValueError("goods are sent to a store by a carrier's service, and `pickup` is none")
        return self


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
    ship_to_store: ShipToStore | None = Field(
        default=None, description="absent: what the customer collects comes from that store's own stock alone"
    )

    @model_validator(mode="after")
    def _reminders_come_while_it_is_kept(self) -> Self:
        if any(days >= self.keep_days for days in self.remind_days_before):
            raise ValueError("a reminder comes before the goods are ready: remind fewer days before than they are kept")
        if len(set(self.remind_days_before)) < len(self.remind_days_before):
            raise ValueError("a reminder stands twice")
        return self
