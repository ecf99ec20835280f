"""Amounts, dates and lists as people say them."""

from collections.abc import Sequence
from datetime import date, datetime, tzinfo

from dom.shared.money import Money


def money(amount: int, currency: str) -> str:
    """An amount in minor units, such as `4.89 GBP`."""
    return str(Money(amount=amount, currency=currency))


def count(number: int, noun: str) -> str:
    """`1 unit`, `3 units`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def listed(parts: Sequence[str], last: str = "and") -> str:
    """`a, b and c`."""
    if len(parts) < 2:  # noqa: PLR2004
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {last} {parts[-1]}"


def day(when: date) -> str:
    """`Monday 2 March`."""
    return f"{when:%A} {when.day} {when:%B}"


def local(when: datetime, zone: tzinfo) -> datetime:
    """The point in time on the clocks of the zone; on its own where the calendar ends."""
    try:
        return when.astimezone(zone)
    except OverflowError:
        return when


def moment(when: datetime, zone: tzinfo) -> str:
    """`14:00 on Monday 2 March`, on the clocks of the zone."""
    at = local(when, zone)
    return f"{at:%H:%M} on {day(at)}"


def span(first: date, last: date) -> str:
    """`on Monday 2 March`, or `between Monday 2 March and Friday 6 March`."""
    return f"on {day(first)}" if first == last else f"between {day(first)} and {day(last)}"


def minutes(number: int) -> str:
    """A span in the largest unit it is a whole number of: `45 minutes`, `6 hours`, `2 days`."""
    if number % 1440 == 0:
        return count(number // 1440, "day")
    return count(number // 60, "hour") if number % 60 == 0 else count(number, "minute")


def sentence(text: str) -> str:
    """With a capital at the front."""
    return text[:1].upper() + text[1:]
