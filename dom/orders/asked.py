"""Cancellations that a node or a carrier is asked for: it has the goods, so it says whether they can be taken out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class AskedOf(StrEnum):
    """Who has the goods, and is asked."""

    NODE = "node"
    CARRIER = "carrier"
    """It is asked to bring a parcel back that it has, whole."""


class CancellationStatus(StrEnum):
    """Where a request for a cancellation stands. All but `asked` are final."""

    ASKED = "asked"
    GRANTED = "granted"
    """The units are cancelled."""
    REFUSED = "refused"
    """They go on their way."""
    EXPIRED = "expired"
    """Nobody answered in time, and they go on their way."""
    WITHDRAWN = "withdrawn"
    """There is nothing left to ask for: the units were cancelled otherwise."""


class CancellationEnd(StrEnum):
    """Why a request ended without the node's answer. The value is stored, and callers read it."""

    NO_ANSWER = "no_answer"
    """Its time was over."""
    HANDED_OVER = "handed_over"
    """The carrier had the parcel first."""
    COLLECTED = "collected"
    """The customer collected the goods first."""
    NODE_GAVE_UP = "node_gave_up"
    """The work ended without the goods leaving, so that the units could be cancelled."""
    CANCELLED_OTHERWISE = "cancelled_otherwise"
    """None of the units is in the work any more."""
    INTERCEPT_FAILED = "intercept_failed"
    """The carrier does not bring the parcel back."""
    DELIVERED = "delivered"
    """The carrier delivered the parcel."""
    CAME_BACK = "came_back"
    """The carrier brings the parcel back; with that its units were cancelled."""
    LOST = "lost"
    """The carrier lost the parcel: its units are not sent again."""


@dataclass(frozen=True, slots=True)
class OpenCancellation:
    """A request that is not answered: units of a fulfilment, by line, and until when there is time."""

    id: str
    fulfilment_id: str
    units: Mapping[str, int]
    answer_by: datetime
    reason: str = ""
    asked_of: AskedOf = AskedOf.NODE


@dataclass(frozen=True, slots=True)
class EndedCancellation:
    """How a request ended; `reply`: what the node says of it."""

    id: str
    status: CancellationStatus
    end: CancellationEnd | None = None
    reply: str = ""
