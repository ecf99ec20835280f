"""Bulk runs as callers ask for them and see them."""

from enum import StrEnum
from typing import Annotated, Any

from fastapi import Path
from pydantic import BaseModel, Field

from api.http.models import Page
from dom.orders.bulk import MOST_NAMED, MOST_ORDERS, BulkAction, BulkOutcome, BulkSelection, BulkStatus
from dom.orders.calls import Request
from dom.shared.base import Utc

BulkId = Annotated[str, Path(max_length=64, description="The bulk run's id.", examples=["bulk-0f6b1c2d3e4f5a6b7c8d"])]


class ItemState(StrEnum):
    """What became of an order, or `open`: nothing yet."""

    OPEN = "open"
    DONE = "done"
    UNCHANGED = "unchanged"
    REFUSED = "refused"
    FAILED = "failed"


class BulkRequest(Request):
    """One action on many orders."""

    action: BulkAction = Field(description="What is done to each order.")
    selection: BulkSelection = Field(
        description=f"Which orders: `orders` by id, at most {MOST_NAMED:,}, or `filter` and `view`, which find at most "
        f"{MOST_ORDERS:,}. A selection that says nothing is refused: all orders are none."
    )
    reason: str = Field(min_length=1, max_length=200, description="Why; it stands in the timeline of each order.")
    expected: int | None = Field(
        default=None,
        ge=0,
        le=MOST_ORDERS,
        description="How many orders the preview said. If it is another number now, nothing is done: 409 `stale`.",
    )


class BulkPreview(BaseModel):
    """What a bulk run would be about; nothing is written."""

    orders: int = Field(description="Orders that would be changed.")
    first: list[str] = Field(description="The first twenty of them, by id.")
    not_found: list[str] = Field(description="Of the orders that are named: those that are not there for the caller.")


class BulkDetail(BaseModel):
    """A bulk run, and how far it is."""

    id: str
    status: BulkStatus = Field(
        description="`queued`, `running`, then `done`: every order has an outcome. `stopped`: it can be resumed."
    )
    action: BulkAction = Field(description="What is done to each order.")
    selection: dict[str, Any] = Field(
        description="Which orders were asked for, as the request said it; in a list, of named orders the first twenty."
    )
    reason: str
    orders: int = Field(description="Orders that were selected.")
    outcomes: dict[BulkOutcome, int] = Field(description="Orders by what became of them.")
    open: int = Field(description="Orders that have no outcome yet.")
    orders_per_second: float | None = Field(
        description="Orders with an outcome a second since it began, while it runs and when it is done; else null."
    )
    requested_by: str = Field(description="Who asked for it.")
    stopped_by: str | None = Field(description="Who stopped it; null unless it is stopped.")
    created_at: Utc
    started_at: Utc | None = Field(description="When its first order was begun, in UTC; null before.")
    finished_at: Utc | None
    links: dict[str, str]


class BulkList(Page):
    """A page of bulk runs, the newest first."""

    items: list[BulkDetail]


class BulkItem(BaseModel):
    """An order of a bulk run, and what became of it."""

    position: int = Field(description="Its place in the run, from 1.")
    order_id: str
    outcome: ItemState
    detail: str = Field(description="What was done, or why it was not.")
    problem: str | None = Field(description="Of one that was refused: the type of the problem, as in other answers.")
    data: dict[str, Any] = Field(
        description="What a program needs of it: units `cancelled` and `not_cancelled` by line, the `hold_id`, or the "
        "fulfilments `taken_from` nodes and `now_at` nodes, and units `waiting` by line."
    )
    done_at: Utc | None = Field(description="When it got its outcome, in UTC; null while it is open.")


class BulkItemList(Page):
    """A page of the orders of a bulk run, in their sequence."""

    items: list[BulkItem]
