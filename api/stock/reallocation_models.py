"""Re-allocation: stock reserved for an order that can wait is given to a dearer one whose promise is in danger."""

from datetime import date
from typing import Annotated

from pydantic import BaseModel, Field

from dom.orders.calls import Request
from dom.shared.base import SkuId, Utc
from dom.sourcing.reallocation import Obstacle


class ReallocationRequest(Request):
    """Which stock is looked at, and whether anything is changed."""

    skus: Annotated[tuple[SkuId, ...], Field(min_length=1, max_length=1000)] | None = Field(
        default=None, description="Only these; absent: all that orders wait for."
    )
    preview: bool = Field(default=True, description="Change nothing; say what would be made.")


class GivingOrder(BaseModel):
    """An order that gives units which are reserved for it, and keeps its promise."""

    order_id: str
    customer_class: str = Field(description="The class of its customer; empty for none.")
    fulfilment_id: str = Field(description="The work that the units are taken from; no node has begun it.")
    units: int
    new_node: str = Field(description="Where its own units come from then.")
    due_on: date | None = Field(description="The day on which they are due there; null: they are there.")
    promised: Utc = Field(description="By when its customer was told that the goods arrive.")
    after: Utc = Field(description="When they arrive at the latest then.")
    extra: int = Field(description="What its new plan costs more, in minor units of the policy's currency.")


class ReallocationMade(BaseModel):
    """An order whose promise is in danger, who gives to it, and the figures, in minor units of `currency`."""

    order_id: str
    customer_class: str = Field(description="The class of its customer; empty for none.")
    sku: str
    units: int
    node_id: str = Field(description="Where the units lie.")
    promised: Utc = Field(description="What its customer was told or, without that, wants.")
    before: Utc | None = Field(description="When the goods would arrive without it; null: nothing known brings them.")
    after: Utc = Field(description="When they arrive at the latest then.")
    days_late_before: int = Field(description="Days begun after `promised`, without it.")
    days_late_after: int = Field(description="Days begun after `promised`, with it.")
    lateness_avoided: int = Field(description="What the days that are avoided cost, weighed by class.")
    extra: int = Field(description="What all of it costs more.")
    gain: int = Field(description="What is avoided, less what it costs more.")
    currency: str
    gives: list[GivingOrder] = Field(description="Who gives: one order, or two.")


class OrderNotHelped(BaseModel):
    """An order whose promise is in danger, and to which nobody gives."""

    order_id: str
    customer_class: str = Field(description="The class of its customer; empty for none.")
    sku: str
    units: int
    promised: Utc = Field(description="What its customer was told or, without that, wants.")
    why: Obstacle = Field(description="What stood in the way where the search came furthest.")
    says: str = Field(description="The same in words.")


class Reallocations(BaseModel):
    """What was made, or would be."""

    preview: bool = Field(description="Whether nothing was changed.")
    waiting: int = Field(description="How many orders wait for a SKU by a day, counted for each SKU.")
    made: list[ReallocationMade] = Field(description="The choice that gains most together.")
    again: list[str] = Field(description="SKUs of what could not be made as somebody was busy; ask again.")
    not_helped: list[OrderNotHelped] = Field(
        description="To whom nobody gives, and why: the first 50, the most urgent first."
    )
