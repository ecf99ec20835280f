"""Cancellations that a node is asked for: it has begun, so it says whether the units can still be taken out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class CancellationStatus(StrEnum):
    """Where a request for a cancellation stands. All but `asked` are final."""

    ASKED = "asked"
    GRANTED = "granted"
    """The units are cancelled."""
    REFUSED = "refused"
    """They go on their way."""
    EXPIRED = "expired"
    """The node did not answer in time, and they go on their way."""
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


@dataclass(frozen=True, slots=True)
class OpenCancellation:
    """A request that its node has not answered: units of a fulfilment, by line, and until when it has time."""

    id: str
    fulfilment_id: str
    units: Mapping[str, int]
    answer_by: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class EndedCancellation:
    """How a request ended; `reply`: what the node says of it."""

    id: str
    status: CancellationStatus
    end: CancellationEnd | None = None
    reply: str = ""
