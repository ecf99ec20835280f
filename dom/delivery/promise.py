"""The calendar behind every promise: when a node can ship or hand out, and when the goods arrive.

All of it counts in local days of the place concerned and answers in UTC, so that a change of the clocks moves the UTC
time and not the time on the wall.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final

from opening_hours import OpeningHours, State, UnknownCountryError  # type: ignore[attr-defined] # not in its stub

from dom.delivery.zones import zone_of
from dom.network import Node
from dom.orders.order import Promise

DAYS_LOOKED_AHEAD: Final = 30
"""A node that has no open day with capacity left in so many days takes nothing on."""
DELIVERY_FROM: Final = time(8)
DELIVERY_UNTIL: Final = time(20)
PICKUP_HANDLING: Final = timedelta(hours=2)
"""Opening time a node needs to make a pick-up order ready."""
PICKUP_KEPT: Final = timedelta(days=7)
"""How long goods wait for the customer after they are ready."""

Full = Callable[[date], bool]
"""Whether a node's capacity of a local day is used up."""

Calendar = tuple[str, str, str, time]
"""Opening hours, country (for its holidays), time zone and cut-off."""


@dataclass(frozen=True, slots=True)
class ShipDay:
    """The local day on which a node can do the work, and the moment (UTC) by which it is done."""

    day: date
    ship_by: datetime


@dataclass(frozen=True, slots=True)
class Collection:
    """When a node prepares a pick-up order, and when the customer can fetch it."""

    ship_day: ShipDay
    promise: Promise


def ship_day(node: Node, as_of: datetime, is_full: Full) -> ShipDay | None:
    """The first day on which the node can ship; None if there is none within `DAYS_LOOKED_AHEAD`.

    Today counts up to and including the cut-off. A day counts if the node opens at any time of it.
    """
    return next((each for each in ship_days(node, as_of) if not is_full(each.day)), None)


def ship_days(node: Node, as_of: datetime) -> Iterator[ShipDay]:
    """The days on which the node can ship if it has capacity left, the first one first.

    They depend on its `calendar` and on nothing else of it.
    """
    zone = node.zone
    today = as_of.astimezone(zone).date()
    for ahead in range(DAYS_LOOKED_AHEAD):
        day = today + timedelta(days=ahead)
        if openings(node.opening_hours, node.address.country, day):
            ship_by = datetime.combine(day, node.cut_off, zone).astimezone(UTC)
            if ship_by >= as_of:
                yield ShipDay(day, ship_by)


def calendar(node: Node) -> Calendar:
    """What the days on which a node can ship depend on; nodes that share it share them."""
    return (node.opening_hours, node.address.country, node.time_zone, node.cut_off)


@lru_cache(maxsize=10_000)
def delivery_window(day: date, transit_days_min: int, transit_days_max: int, country: str) -> Promise:
    """When goods that leave on `day` arrive: from 08:00 on the earliest to 20:00 on the latest day at the destination.

    Transit is counted in working days, Monday to Friday: what leaves on Friday or Saturday with one day of transit
    arrives on Monday. Public holidays on the way are not known here.
    """
    zone = zone_of(country)
    earliest = datetime.combine(_working_days_after(day, transit_days_min), DELIVERY_FROM, zone)
    latest = datetime.combine(_working_days_after(day, transit_days_max), DELIVERY_UNTIL, zone)
    return Promise(earliest=earliest.astimezone(UTC), latest=latest.astimezone(UTC))


def collection_window(node: Node, as_of: datetime, is_full: Full) -> Collection | None:
    """When a pick-up order can be fetched; None if no day within `DAYS_LOOKED_AHEAD` has capacity.

    The node starts on its first day with capacity (as for shipping, the cut-off holds), needs `PICKUP_HANDLING` of
    opening time, and keeps the goods for `PICKUP_KEPT`, up to the last closing time in it.
    """
    start = ship_day(node, as_of, is_full)
    if start is None:
        return None
    work = PICKUP_HANDLING
    for opens, closes in _open_spans(node, start.day, DAYS_LOOKED_AHEAD):
        begin = max(opens, as_of)
        if closes - begin >= work:
            ready = begin + work
            return Collection(ShipDay(start.day, ready), Promise(earliest=ready, latest=_kept_until(node, ready)))
        work -= max(closes - begin, timedelta())
    return None


def collection_after(node: Node, arrival: datetime, minutes: int) -> Promise | None:
    """When goods can be fetched that a carrier brings to the node by a moment: after so many minutes of opening time.
    They are kept as long as any. None if the node does not open for so long in the days that are looked ahead.
    """
    ready = open_for(node, arrival, minutes)
    return None if ready is None else Promise(earliest=ready, latest=_kept_until(node, ready))


@dataclass(frozen=True, slots=True)
class Missed:
    """Why a node cannot do work on the day it was planned for, and from when on (UTC); None: at no time of that day."""

    why: str
    since: datetime | None = None


def missed(node: Node, day: date, by: datetime, *, pickup: bool) -> Missed | None:
    """What the node's calendar, as it is now, says against work planned for a local day, to be done by a moment.

    None where the day still stands. An earlier cut-off counts from its moment on: until then the work can be done.
    """
    if not openings(node.opening_hours, node.address.country, day):
        return Missed(f"the node is closed on {day:%a} {day}, the day it was planned for")
    if pickup:
        days = max((by.astimezone(node.zone).date() - day).days, 0) + 1
        spans = [(opens, min(closes, by)) for opens, closes in _open_spans(node, day, days)]
        if sum([max(closes - opens, timedelta()) for opens, closes in spans], timedelta()) < PICKUP_HANDLING:
            ready = by.astimezone(node.zone)
            return Missed(f"the node does not open for long enough before {ready:%a %Y-%m-%d %H:%M} now")
        return None
    cut_off = datetime.combine(day, node.cut_off, node.zone).astimezone(UTC)
    if cut_off < by:
        return Missed(f"the node's cut-off on {day:%a} {day} is {node.cut_off:%H:%M} now, and is past", cut_off)
    return None


def open_for(node: Node, since: datetime, minutes: int) -> datetime | None:
    """The moment at which the node has been open for so many minutes since then; None if that is not within the days
    that are looked ahead.
    """
    left = timedelta(minutes=minutes)
    for opens, closes in _open_spans(node, since.astimezone(node.zone).date(), DAYS_LOOKED_AHEAD):
        begin = max(opens, since)
        if closes - begin >= left:
            return begin + left
        left -= max(closes - begin, timedelta())
    return None


def kept_until(node: Node, since: datetime, days: int) -> datetime:
    """Until when goods are kept for so many local days: the last closing time of that day, or of the next on which the
    node opens. Midnight of it, if the node does not open in the days that are looked ahead.
    """
    first = since.astimezone(node.zone).date() + timedelta(days=days)
    for ahead in range(DAYS_LOOKED_AHEAD):
        closing = [closes for _, closes in _open_spans(node, first + timedelta(days=ahead), 1)]
        if closing:
            return max(closing)
    return datetime.combine(first + timedelta(days=1), time(), node.zone).astimezone(UTC)


@lru_cache(maxsize=50_000)
def openings(hours: str, country: str, day: date) -> tuple[tuple[datetime, datetime], ...]:
    """When a place with these OpenStreetMap opening hours is open on a local day, as local times without a zone.

    `PH` in the hours means the public holidays of the country.
    """
    midnight = datetime.combine(day, time())
    spans = _parsed(hours, country).intervals(midnight, midnight + timedelta(days=1))
    return tuple((opens, closes) for opens, closes, state, _ in spans if state == State.OPEN)


@lru_cache(maxsize=10_000)
def _parsed(hours: str, country: str) -> OpeningHours:
    try:
        return OpeningHours(hours, country=country)
    except UnknownCountryError:
        return OpeningHours(hours)


def _open_spans(node: Node, first: date, days: int) -> Iterator[tuple[datetime, datetime]]:
    """The node's opening times from a day on, in UTC."""
    for ahead in range(days):
        for opens, closes in openings(node.opening_hours, node.address.country, first + timedelta(days=ahead)):
            yield opens.replace(tzinfo=node.zone).astimezone(UTC), closes.replace(tzinfo=node.zone).astimezone(UTC)


def _kept_until(node: Node, ready: datetime) -> datetime:
    end = ready + PICKUP_KEPT
    first = ready.astimezone(node.zone).date()
    spans = _open_spans(node, first, PICKUP_KEPT.days + 1)
    return max(min(closes, end) for opens, closes in spans if opens < end and closes >= ready)


def _working_days_after(day: date, count: int) -> date:
    while count > 0:
        day += timedelta(days=1)
        count -= _is_working_day(day)
    while not _is_working_day(day):
        day += timedelta(days=1)
    return day


def _is_working_day(day: date) -> bool:
    return day.weekday() < 5  # noqa: PLR2004
