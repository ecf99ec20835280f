"""Which orders are rehearsed."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Final

from dom.shared.base import Utc, Value
from dom.shared.errors import InvalidInput

EXAMPLES: Final = "all, last-30-days, last-500-orders, 2026-02-01..2026-02-28"
_LAST: Final = re.compile(r"last-(?P<number>[1-9]\d{0,6})-(?P<what>day|order)s?")
_DAYS_AT_MOST: Final = 36_500


class Span(Value):
    """Orders by the moment of their first decision, which is business time: for replayed orders that of the order.

    `days` count back from the newest decision there is, `orders` are those decided last; `since` and `before` bound
    the moment itself. Nothing named: all orders. An order in the span brings all its decisions along, later ones too.
    """

    said: str
    days: int | None = None
    orders: int | None = None
    since: Utc | None = None
    before: Utc | None = None


def read_span(said: str) -> Span:
    """The span somebody asks for. A day that ends a range belongs to it. InvalidInput names what is possible."""
    if said == "all":
        return Span(said=said)
    if last := _LAST.fullmatch(said):
        number = int(last["number"])
        if last["what"] == "order":
            return Span(said=said, orders=number)
        return Span(said=said, days=min(number, _DAYS_AT_MOST))
    first, dots, last_day = said.partition("..")
    if not dots:
        raise InvalidInput(f"say which orders: {EXAMPLES}", field="orders")
    since, before = _moment(first, ends=False), _moment(last_day, ends=True)
    if since >= before:
        raise InvalidInput("the range ends before it begins", field="orders")
    return Span(said=said, since=since, before=before)


def _moment(said: str, *, ends: bool) -> datetime:
    try:
        if "T" not in said:
            day = datetime.combine(date.fromisoformat(said), datetime.min.time(), UTC)
            return day + timedelta(days=1) if ends else day
        at = datetime.fromisoformat(said)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidInput(f"{said!r} is no day and no time; possible are {EXAMPLES}", field="orders") from error
