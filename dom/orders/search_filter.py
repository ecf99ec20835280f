"""Which orders are asked for: the filter of the order list, which saved views keep."""

import re
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from dom.orders.status import OrderStatus
from dom.shared.base import Value
from dom.shared.strict import FULL_DATE

STUCK_HOURS: Final = 48
"""After so many hours without anything an order that is not final is stuck, unless the filter says another number."""
FEWEST_OF_A_NUMBER: Final = 4
"""Characters of a tracking number, or of a return's, that find it."""
_RELATIVE: Final = re.compile(r"today([+-]\d{1,3})?")
_YEARS: Final = (1900, 9000)
_MOST: Final = 50


class OrderSort(StrEnum):
    """In which sequence orders are listed."""

    CAPTURED = "captured"
    """Newest capture first."""
    PLACED = "placed"
    """Placed last first."""
    PROMISE = "promise"
    """Earliest end of the promise first; orders without a promise last."""


def _day(text: str) -> str:
    if FULL_DATE.fullmatch(text):
        try:
            year = date.fromisoformat(text).year
        except ValueError as error:
            raise ValueError("there is no such day") from error
        if not _YEARS[0] <= year <= _YEARS[1]:
            raise ValueError(f"give a day of the years {_YEARS[0]} to {_YEARS[1]}")
    elif not _RELATIVE.fullmatch(text):
        raise ValueError("give a day as YYYY-MM-DD, or today, today+2, today-7")
    return text


FilterDay = Annotated[str, Field(max_length=10, examples=["today+1", "2026-12-24"]), AfterValidator(_day)]
"""A day in UTC: YYYY-MM-DD, or counted from the day of asking, as a saved view wants it."""


def day_of(text: str, today: date) -> date:
    """The day that a `FilterDay` names."""
    return date.fromisoformat(text) if FULL_DATE.fullmatch(text) else today + timedelta(int(text[5:] or 0))


def beginning(day: date) -> datetime:
    """The first moment of a day in UTC."""
    return datetime.combine(day, time(), UTC)


Code = Annotated[str, Field(max_length=64)]
Tag = Annotated[str, Field(min_length=1, max_length=40)]


class OrderFilter(Value):
    """Which orders are asked for. Parts that are given all have to hold; of the values of a list any one."""

    q: str | None = Field(
        default=None,
        min_length=1,
        max_length=200,
        description="What a person types: name, mail, phone in any spelling, town, postal code, tag, a whole SKU, or "
        "part of any number (order, customer, fulfilment, return, tracking). Case and accents do not matter. Of "
        "several words all must be there. A word of three characters or more is found anywhere, of two at the "
        "beginning of a word, of one as a whole word.",
        examples=["müller 10115"],
    )
    channel: tuple[Code, ...] | None = Field(default=None, description="Any of these.", examples=[["web"]])
    status: tuple[OrderStatus, ...] | None = Field(default=None, description="Any of these.")
    customer: str | None = Field(default=None, max_length=64, description="The channel's id of the customer.")
    node: tuple[Code, ...] | None = Field(
        default=None,
        max_length=_MOST,
        description="Orders with work of any of these nodes, begun, done or to be done; not work that was given up.",
    )
    sku: str | None = Field(default=None, max_length=64, description="A SKU on any line.")
    postal_code: str | None = Field(
        default=None, min_length=1, max_length=20, description="Where it goes; the code or its beginning.",
        examples=["LS1"],
    )  # fmt: skip
    tracking: str | None = Field(
        default=None,
        min_length=FEWEST_OF_A_NUMBER,
        max_length=64,
        description="The carrier's number of a shipment, or a part of it of four characters or more.",
    )
    tag: tuple[Tag, ...] | None = Field(
        default=None, max_length=20, description="Any of these marks that the channel gave the order."
    )
    placed_from: FilterDay | None = Field(default=None, description="Placed on this day (UTC) or later.")
    placed_to: FilterDay | None = Field(default=None, description="Placed on this day (UTC) or earlier.")
    promise_from: FilterDay | None = Field(default=None, description="The promise ends on this day (UTC) or later.")
    promise_to: FilterDay | None = Field(default=None, description="The promise ends on this day (UTC) or earlier.")
    late: bool | None = Field(
        default=None,
        description="Not final, and the promise has passed or cannot be kept any more: a node has not handed over "
        "work that had to leave it, and counted from now it arrives after the order's promise. Or none of that.",
    )
    stuck: bool | None = Field(
        default=None,
        description="Not final, and either an exception is open for it, or for `stuck_hours` nothing was written in "
        "its timeline and no carrier reported anything. Orders of which everything waits for stock are not stuck for "
        "being silent: `waiting` finds them. Or none of that.",
    )
    stuck_hours: int | None = Field(
        default=None,
        ge=1,
        le=2160,
        description=f"Hours of silence after which an order is stuck: {STUCK_HOURS} if it is not given. Given alone, "
        "it asks for stuck orders.",
    )
    waiting: bool | None = Field(
        default=None, description="Orders with units that no node has, whatever else is on its way; or without."
    )
    held: bool | None = Field(
        default=None, description="Not final, and a hold stands that blocks one of its steps; or none of that."
    )
    sort: OrderSort | None = Field(
        default=None,
        description="`captured` (as without it) and `placed`: the newest first. `promise`: the earliest end of the "
        "promise first, orders without a promise last.",
    )
