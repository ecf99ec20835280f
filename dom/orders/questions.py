"""When a promise slips, the customer is asked: what a slip is, what may be chosen, and what becomes of the question.

All is decided line by line: what the customer was told, and what is expected now.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import blake2b
from typing import Any, Final

from dom.orders.changes import WAITING

MAILED_AGAIN_AFTER: Final = timedelta(days=1)
"""A question that is open is mailed again no sooner than this."""


class CustomerChoice(StrEnum):
    """What a customer may choose when what was promised comes later."""

    WAIT = "wait"
    """All of it comes when it can."""
    PARTIAL = "partial"
    """What there is goes now, the rest when it can: of an order that is otherwise sent at once."""
    SWAP = "swap"
    """Approved substitutes stand for what is short."""
    CANCEL = "cancel"
    """What is late is not sent."""


class QuestionStatus(StrEnum):
    """Whether a question is to be answered, or how it ended."""

    OPEN = "open"
    ANSWERED = "answered"
    EXPIRED = "expired"
    """Nobody answered in time: what silence means was carried out."""
    WITHDRAWN = "withdrawn"
    """There is nothing to ask any more: the date is kept after all, or the units are not to be sent any more."""


class Withdrawal(StrEnum):
    """Why a question was withdrawn."""

    KEPT = "kept"
    """What was promised is expected again."""
    GONE = "gone"
    """The units were cancelled, or left their node."""


@dataclass(frozen=True, slots=True)
class LinePromise:
    """A line's units that have not left their nodes, and what was told of them.

    `promised`: the end of the window that the customer was told last; None where no day was ever told. `waiting` units
    have no node; `in_work` are units by fulfilment with the end of their window. Up to `claimed` of those that wait
    are to come with goods on their way, in time.
    """

    line_id: str
    promised: datetime | None
    waiting: int = 0
    in_work: Mapping[str, tuple[int, datetime]] = field(default_factory=dict)
    claimed: int = 0


@dataclass(frozen=True, slots=True)
class LateUnits:
    """Units of a line that come later than was told: those that wait, and those in work, by fulfilment."""

    waiting: int = 0
    in_work: Mapping[str, int] = field(default_factory=dict)
    until: datetime | None = None
    """When the last of those in work come; None if none is."""

    @property
    def units(self) -> int:
        """All of them."""
        return self.waiting + sum(self.in_work.values())


@dataclass(frozen=True, slots=True)
class Slip:
    """What comes later than the customer was told, by line; `promised` is the earliest day told of these lines,
    `expected` when the last of them comes, None while some of them wait and nobody knows.
    """

    lines: Mapping[str, LateUnits]
    promised: datetime
    expected: datetime | None

    @property
    def units(self) -> dict[str, int]:
        """Late units by line."""
        return {line_id: late.units for line_id, late in self.lines.items()}

    @property
    def places(self) -> dict[str, dict[str, int]]:
        """Late units by the fulfilment they are in, or WAITING, and line."""
        places: dict[str, dict[str, int]] = {}
        for line_id, late in self.lines.items():
            for place, units in ((WAITING, late.waiting), *late.in_work.items()):
                if units:
                    places.setdefault(place, {})[line_id] = units
        return places


@dataclass(frozen=True, slots=True)
class SwapOffer:
    """`units` of a line go as `quantity` of another SKU, at a price of minor units each."""

    line_id: str
    units: int
    sku: str
    quantity: int
    unit_price: int


@dataclass(frozen=True, slots=True)
class Offers:
    """What could be done now instead of waiting: whether a part can go, and what would stand for what is short."""

    partial: bool = False
    swap: tuple[SwapOffer, ...] = ()


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """A question as it was put: late units by line, when they were expected then, and when that was last mailed."""

    id: str
    units: Mapping[str, int]
    expected: datetime | None
    told_expected: datetime | None
    told_at: datetime


def as_seen(question: Mapping[str, Any]) -> str:
    """What a question says and offers, in 16 letters: other ones once any of it is another."""
    said = [question[name] for name in ("units", "choices", "swap", "silence")]
    days = [day and day.timestamp() for day in (question["promised"], question["expected"])]
    return blake2b(json.dumps([said, days], sort_keys=True).encode(), digest_size=8).hexdigest()


def slip(lines: Sequence[LinePromise], from_days: int) -> Slip | None:
    """What of the lines is late by at least so many days; None if nothing is. Waiting units that had a day are late
    however short the wait may be: nobody knows.
    """
    late = {line.line_id: units for line in lines if (units := _late(line, from_days)) is not None}
    if not late:
        return None
    told = [line.promised for line in lines if line.line_id in late and line.promised is not None]
    known = [each.until for each in late.values() if each.until is not None]
    waits = any(each.waiting for each in late.values())
    return Slip(late, min(told), None if waits else max(known))


def _late(line: LinePromise, from_days: int) -> LateUnits | None:
    if line.promised is None:
        return None
    late = {i: each for i, each in line.in_work.items() if days_late(line.promised, each[1]) >= from_days}
    waiting = max(line.waiting - line.claimed, 0)
    if not waiting and not late:
        return None
    until = max((each[1] for each in late.values()), default=None)
    return LateUnits(waiting, {i: units for i, (units, _) in late.items()}, until)


def days_late(promised: datetime, expected: datetime) -> int:
    """Calendar days between the two."""
    return (expected.date() - promised.date()).days


def choices(allowed: Collection[CustomerChoice], found: Slip, offers: Offers) -> tuple[CustomerChoice, ...]:
    """What this customer may choose, of what the policy allows. Waiting always is."""
    possible = {
        CustomerChoice.WAIT: True,
        CustomerChoice.PARTIAL: offers.partial,
        CustomerChoice.SWAP: {each.line_id for each in offers.swap} == set(found.lines),
        CustomerChoice.CANCEL: True,
    }
    return tuple(each for each in CustomerChoice if possible[each] and each in {CustomerChoice.WAIT, *allowed})


def has_moved(question: OpenQuestion, found: Slip) -> bool:
    """Whether the question does not say any more what is so."""
    return dict(question.units) != found.units or question.expected != found.expected


def has_grown(units: Mapping[str, int], found: Slip) -> bool:
    """Whether more is late than the units by line that the customer was asked about."""
    return any(late > units.get(line_id, 0) for line_id, late in found.units.items())


def accepted(found: Slip, shown: datetime | None) -> dict[str, datetime | None]:
    """What counts as told of each late line, to a customer who waits: its own day, but no later one than he was shown.
    None where no day is known, and he was shown that.
    """
    days = {line_id: None if late.waiting else late.until for line_id, late in found.lines.items()}
    if shown is None:
        return days
    return {line_id: shown if day is None else min(day, shown) for line_id, day in days.items()}


def is_mailed_again(question: OpenQuestion, found: Slip, from_days: int, now: datetime) -> bool:
    """Whether the customer is to hear of a change of the question: at once if more units are late than he was asked
    about. Otherwise at most once a day, and only if a day is known now that was not, or is not any more, or is later by
    as many days as a question is worth.
    """
    if has_grown(question.units, found):
        return True
    if now - question.told_at < MAILED_AGAIN_AFTER:
        return False
    if question.told_expected is None or found.expected is None:
        return question.told_expected != found.expected
    return days_late(question.told_expected, found.expected) >= from_days
