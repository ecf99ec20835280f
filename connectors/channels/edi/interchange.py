"""What interchanges of both standards are read as."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, Protocol

Message = dict[str, Any]
"""A transaction set as mappings read it; the fields are in docs/channels/edi.md."""
_DATES: Final = {8: "%Y%m%d", 6: "%y%m%d"}
_TIMES: Final = {4: "%H%M", 6: "%H%M%S"}
"""By length: `strptime` alone reads 2603021200 as the year 2603."""
Segment = Sequence[str]
"""A segment of X12: its name and its elements."""


class Refusal(StrEnum):
    """Why an interchange is refused as a whole."""

    DUPLICATE = "duplicate"
    """One with its control number came before."""
    SENDER = "sender"
    RECEIVER = "receiver"
    CONTROL_NUMBER = "control-number"
    """That of its trailer is another."""
    COUNT = "count"
    """Its trailer counts otherwise."""
    CUT = "cut"
    """It ends before its trailer."""
    STRUCTURE = "structure"
    """Its segments are not where they belong."""


@dataclass(slots=True)
class OrderSet:
    """A transaction set of an interchange. Without a message it is refused, or none of an order.

    `is_answer`: it acknowledges what we sent, and nothing is made of it.
    """

    id: str
    raw: bytes
    message: Message | None = None
    is_answer: bool = False


@dataclass(slots=True)
class Interchange:
    """An interchange, as far as it can be read. Without a `control` number it is none: bytes that stand where one
    should. `report` is what its standard needs in order to acknowledge it.
    """

    raw: bytes
    sender: str = ""
    receiver: str = ""
    control: str = ""
    sets: list[OrderSet] = field(default_factory=list)
    refusal: Refusal | None = None
    report: Any = None

    @property
    def is_answer(self) -> bool:
        """Whether it only acknowledges what we sent: that is not acknowledged in turn."""
        return bool(self.sets) and all(each.is_answer for each in self.sets)


@dataclass(frozen=True, slots=True)
class AnsweredLine:
    """What we say of a line: of the `ordered` units so many are `accepted`; the others wait, or will not come."""

    line: Message
    ordered: int
    accepted: int
    is_backordered: bool = False


@dataclass(frozen=True, slots=True)
class Despatch:
    """A parcel that left."""

    id: str
    carrier: str
    tracking_number: str
    lines: Sequence[tuple[Message, int]]


Render = Callable[[int, datetime], bytes]
"""From a control number and a time to an interchange."""


class Standard(Protocol):
    """What each standard does in its own way."""

    extension: str

    def read(self, raw: bytes) -> list[Interchange]:
        """The interchanges of a file. Raises nothing: what is none is one without a control number."""

    def acknowledgement(self, interchange: Interchange) -> Render | None:
        """What the partner is told of an interchange; None: nothing."""

    def response(self, order: Message, lines: Sequence[AnsweredLine], *, is_first: bool) -> Render:
        """What we say of an order; `is_first`: for the first time."""

    def despatch_advice(self, order: Message, despatch: Despatch) -> Render:
        """That a parcel left."""


def moment(date: str, time: str) -> str:
    """The time of an interchange or group, which has no zone: it is taken for UTC. Empty for what is none."""
    if len(date) not in _DATES or len(time) not in _TIMES:
        return ""
    try:
        return datetime.strptime(date + time, _DATES[len(date)] + _TIMES[len(time)]).replace(tzinfo=UTC).isoformat()
    except ValueError:
        return ""
