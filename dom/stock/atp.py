"""Available to promise on later days: what is free now, what is inbound, and what waiting orders have a claim on.

For one balance and one day: allowed(free + inbound due by the day), where allowed takes off the channel's buffer and
then its share. Over the nodes of a SKU: their sum, in which what waiting orders claim comes off what is gained on now.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from itertools import groupby
from typing import Protocol

from dom.network import Node, Sku


def free(on_hand: int, reserved: int, soft: int, safety: int) -> int:
    """Units of a balance that nobody has or keeps back, as the database counts them; negative if it is short."""
    return on_hand - reserved - soft - safety


def allowed(free: int, buffer: int = 0, share: int = 100) -> int:
    """Units of a balance's `free` that a channel may have, as the database counts them; `share` in percent."""
    return max(free - buffer, 0) * share // 100


@dataclass(frozen=True, slots=True)
class ExpectedArrival:
    """Units counted on at a node on a day, and the balance they come to: its free units, which may be negative, and
    what the channel may have of it.
    """

    node_id: str
    day: date
    units: int
    free: int
    buffer: int = 0
    share: int = 100


@dataclass(frozen=True, slots=True)
class Later:
    """From this day on so many units can be promised in all."""

    date: date
    quantity: int


@dataclass(frozen=True, slots=True)
class StockProjection:
    """A SKU over the nodes asked for: `now` may be promised today, `stock` once the SKU is released.

    `claimed` are the units orders wait for, without those that are allocated to them. All arrivals at a node come to
    one balance, read at one moment: a ValueError where they say otherwise of it.
    """

    now: int
    stock: int
    claimed: int
    arrivals: tuple[ExpectedArrival, ...] = ()
    release_on: date | None = None

    def __post_init__(self) -> None:
        told: dict[str, tuple[int, int, int]] = {}
        for each in self.arrivals:
            balance = (each.free, each.buffer, each.share)
            if told.setdefault(each.node_id, balance) != balance:
                raise ValueError(f"{each.node_id} has two balances at one moment: {told[each.node_id]} and {balance}")

    def later(self, today: date) -> tuple[Later, ...]:
        """The days on which the quantity grows, with the quantity from then on."""
        days = {arrival.day for arrival in self.arrivals if arrival.day >= today}
        if self.release_on is not None and self.release_on >= today:
            days = {max(day, self.release_on) for day in days} | {self.release_on}
        found: list[Later] = []
        for day in sorted(days):
            quantity = self.on(day, today)
            if quantity > (found[-1].quantity if found else self.now):
                found.append(Later(day, quantity))
        return tuple(found)

    def on(self, day: date, today: date) -> int:
        """Units that can be promised for a day. Overdue inbound counts for nothing: nobody knows when it comes."""
        unreleased = self.release_on is not None and self.release_on > today
        if self.release_on is not None and day < self.release_on:
            return self.now
        gain = self._gain(day, today)
        if unreleased:
            return max(self.now, self.stock + gain - self.claimed)
        return self.now + max(self.stock - self.now + gain - self.claimed, 0)

    def _gain(self, day: date, today: date) -> int:
        due = sorted((a for a in self.arrivals if today <= a.day <= day), key=lambda a: a.node_id)
        gain = 0
        for _, group in groupby(due, key=lambda a: a.node_id):
            at_node = list(group)
            one = at_node[0]
            units = sum(arrival.units for arrival in at_node)
            gain += allowed(one.free + units, one.buffer, one.share) - allowed(one.free, one.buffer, one.share)
        return gain


class MissingLine(Protocol):
    """A line of an order, and how many of its units are missing."""

    @property
    def line_id(self) -> str: ...

    @property
    def sku(self) -> str: ...

    @property
    def quantity(self) -> int: ...


def dates_of(
    lines: Iterable[MissingLine], outlooks: Mapping[str, StockProjection], today: date
) -> dict[str, date | None]:
    """When the units that are missing could come, by line; None where nothing that is known of brings them.

    Lines of one SKU stand in line for the same units, in their sequence.
    """
    ahead: dict[str, int] = {}
    found: dict[str, date | None] = {}
    for line in lines:
        ahead[line.sku] = ahead.get(line.sku, 0) + line.quantity
        outlook = outlooks.get(line.sku)
        later = outlook.later(today) if outlook else ()
        now = outlook.now if outlook else 0
        found[line.line_id] = next((each.date for each in later if each.quantity - now >= ahead[line.sku]), None)
    return found


def release_moment(sku: Sku, node: Node) -> datetime | None:
    """When a node may begin to send the SKU, in UTC: the first moment of its release day there. None: at any time."""
    if sku.release_on is None:
        return None
    return datetime.combine(sku.release_on, time(), node.zone).astimezone(UTC)


def is_released(sku: Sku, node: Node, at: datetime) -> bool:
    """Whether a node may send the SKU."""
    moment = release_moment(sku, node)
    return moment is None or moment <= at


def sendable(
    available: dict[tuple[str, str], int], skus: Mapping[str, Sku], nodes: Sequence[Node], at: datetime
) -> dict[tuple[str, str], int]:
    """What is available by (node, SKU), without the SKUs that are not released at the node yet."""
    held_back = {
        (node.id, sku.id)
        for sku in skus.values()
        if sku.release_on is not None
        for node in nodes
        if not is_released(sku, node, at)
    }
    return {key: units for key, units in available.items() if key not in held_back} if held_back else available


def next_release(skus: Collection[Sku], nodes: Iterable[Node], at: datetime) -> datetime | None:
    """The next moment after `at` at which one of the SKUs is released at a node in use; None if there is none."""
    waiting = [sku for sku in skus if sku.release_on is not None]
    moments = (release_moment(sku, node) for node in nodes if node.active for sku in waiting) if waiting else ()
    return min((moment for moment in moments if moment is not None and moment > at), default=None)
