"""Returns as the API shows them."""

from pydantic import BaseModel, Field

from api.http.models import Page
from dom.orders.status import Disposition, ReturnStatus
from dom.shared.base import Utc


class ReturnLinks(BaseModel):
    """Where more about the return stands."""

    self: str
    order: str


class ReturnOpened(BaseModel):
    """Permission to send goods back, and where to."""

    return_id: str
    order_id: str
    status: ReturnStatus
    node_id: str
    links: ReturnLinks


class ReturnLine(BaseModel):
    """Units of an order line that come back."""

    line_id: str
    sku: str
    quantity: int
    received: int
    released: int = Field(description="Units that never came and may be returned otherwise.")
    dispositions: dict[Disposition, int]


class Refund(BaseModel):
    """Money recorded to go back, for all that was inspected so far; `recorded_at` is the last time."""

    amount: int = Field(description="Minor units.")
    currency: str
    recorded_at: Utc


class ReturnSummary(BaseModel):
    """A return in a list."""

    id: str
    order_id: str
    node_id: str
    status: ReturnStatus
    reason: str
    requested_at: Utc
    received_at: Utc | None = Field(description="When goods of it arrived last.")
    finished_at: Utc | None
    expires_at: Utc | None = Field(
        description="When what has not come by then may be returned otherwise; null once that is decided."
    )


class ReturnDetail(ReturnSummary):
    """A return with its lines and its refund."""

    lines: list[ReturnLine]
    refund: Refund | None


class ReturnList(Page):
    """A page of returns, newest first."""

    items: list[ReturnSummary]
