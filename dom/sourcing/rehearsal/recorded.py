"""What was decided, and what happened to it, as it was written down."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from dom.sourcing.models import Demand, Snapshot, SourcingDecision


@dataclass(frozen=True, slots=True)
class Recorded:
    """A decision with what was asked and what the planner saw; `snapshot` is None where that was not kept.

    `recorded_at` is when it was written down, by the database's clock: decisions drew on the stock in that sequence,
    whatever their business time. Its shipments are the order's fulfilments from `first_fulfilment` on.
    """

    order_id: str
    attempt: int
    cause: str
    policy_version: int
    first_fulfilment: int
    recorded_at: datetime
    demand: Demand
    decision: SourcingDecision
    snapshot: Snapshot | None


class Happening(StrEnum):
    """What can happen to planned units."""

    REJECTED = "rejected"
    """The node gave the whole fulfilment back."""
    SOURCED_AGAIN = "sourced_again"
    """Staff took the whole fulfilment from its node, which had not begun it."""
    SHORT = "short"
    """The node did not find some of it."""
    LOST = "lost"
    """The carrier lost it after hand-over."""
    CANCELLED = "cancelled"
    """Somebody cancelled units, wherever they stood."""
    GIVEN_UP = "given_up"
    """Units waited for too long, and were cancelled by the policy."""


@dataclass(frozen=True, slots=True)
class Happened:
    """Something that happened to an order's units. `lines` are units by line, empty: all of the fulfilment."""

    order_id: str
    kind: Happening
    recorded_at: datetime
    fulfilment: int = 0
    lines: Mapping[str, int] = field(default_factory=dict)
