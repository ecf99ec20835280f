"""An order's priority for scarce stock."""

from pydantic import BaseModel, Field

from dom.orders.calls import Reason, Request
from dom.orders.order import Priority
from dom.orders.status import OrderStatus


class PrioritiseRequest(Request):
    """The order's place among those that wait for stock."""

    priority: Priority | None = Field(description="A lower one is served first; null: the order's channel's.")
    reason: Reason = ""


class OrderPrioritised(BaseModel):
    """The order's priority, and what it waits for."""

    order_id: str
    order_status: OrderStatus = Field(description="What has become of the order as a whole.")
    repeated: bool = Field(description="Whether it had been done before, under the same request.")
    priority: int | None = Field(description="A lower one is served first; null: the order's channel's.")
    waiting: dict[str, int] = Field(description="Units that wait for stock, by line.")
