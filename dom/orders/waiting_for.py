"""What an order waits for, for whom, and until when: nothing waits without a name.

Made of what the store holds. An order that is not final waits for something: units of it have no node, or are in work
that has not ended.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from pydantic import Field

from dom.orders.asked import AskedOf
from dom.orders.status import FINAL_FULFILMENT, FINAL_RETURN, FulfilmentStatus, ReturnStatus
from dom.shared.base import Utc, Value


class Awaited(StrEnum):
    """What an order can wait for."""

    STOCK = "stock"
    RELEASE_DAY = "release_day"
    DECISION = "decision"
    ACCEPTANCE = "acceptance"
    PICKING = "picking"
    PACKING = "packing"
    BOOKING = "booking"
    PICK_UP = "pick_up"
    DELIVERY = "delivery"
    COLLECTION = "collection"
    GOODS_BACK = "goods_back"
    INSPECTION = "inspection"
    ANSWER = "answer"
    HOLD = "hold"
    CANCELLATION = "cancellation"


class Party(StrEnum):
    """Whose turn it is."""

    NODE = "node"
    CARRIER = "carrier"
    CUSTOMER = "customer"
    PLANNER = "planner"
    STAFF = "staff"
    SYSTEM = "system"


class WaitsFor(Value):
    """One thing that an order waits for."""

    what: Awaited = Field(description="What is waited for; decide by it. Others may be added.")
    who: Party = Field(description="Whose turn it is. Of stock it is the system's: it looks again by itself.")
    name: str | None = Field(
        description="Code of the node or carrier, of a hold its type; null for others, and a carrier not named yet."
    )
    until: Utc = Field(
        description="Until when, in UTC: when the work must leave, the goods arrive or can be collected, the units are "
        "released or sourced again, a hold is due or released by itself, or the time of the return or of an answer is "
        "over. A time that is past is late."
    )
    gives_up_at: Utc | None = Field(
        default=None, description="When units without a node are cancelled at last, in UTC; null for what is not."
    )
    units: int | None = Field(
        default=None,
        description="Units without a node, or that the customer, a node or a carrier is asked about; null otherwise.",
    )
    fulfilment_id: str | None = Field(default=None, description="The work it is of; null if it is of none.")
    return_id: str | None = Field(default=None, description="The return it is of; null if it is of none.")
    question_id: str | None = Field(default=None, description="What the customer is asked; null for other things.")


@dataclass(frozen=True, slots=True)
class WorkWaiting:
    """A fulfilment, as far as it waits."""

    id: str
    node_id: str
    carrier: str | None
    status: FulfilmentStatus
    ship_by: datetime
    promised: datetime


@dataclass(frozen=True, slots=True)
class ReturnWaiting:
    """A return, as far as it waits; `parcel` is the fulfilment whose parcel its carrier brings back."""

    id: str
    node_id: str
    status: ReturnStatus
    expires_at: datetime
    parcel: str | None = None


@dataclass(frozen=True, slots=True)
class AnswerWaiting:
    """What the order's customer is asked, about so many units."""

    question_id: str
    answer_by: datetime
    units: int


@dataclass(frozen=True, slots=True)
class HoldWaiting:
    """A hold that stands. `until`: when it is released by itself, or else is due, or else when it was put on."""

    type: str
    until: datetime
    by_time: bool


@dataclass(frozen=True, slots=True)
class CancellationWaiting:
    """A cancellation of so many units of work that its node or carrier is asked for."""

    fulfilment_id: str
    asked_of: AskedOf
    name: str | None
    units: int
    answer_by: datetime


@dataclass(frozen=True, slots=True)
class UnitsWaiting:
    """Units without a node, by line, and what the last sourcing said of them: when it looks again, when they are
    cancelled at last, when some are released, which of them no node may ever give, and whether a person is to decide.
    """

    units: Mapping[str, int]
    look_again_at: datetime
    gives_up_at: datetime
    released_at: datetime | None = None
    never: frozenset[str] = frozenset()
    for_a_person: bool = False


_S = FulfilmentStatus
_WORK: Final[Mapping[FulfilmentStatus, tuple[Awaited, Party]]] = {
    _S.RELEASED: (Awaited.ACCEPTANCE, Party.NODE),
    _S.ACCEPTED: (Awaited.PICKING, Party.NODE),
    _S.PICKED: (Awaited.PACKING, Party.NODE),
    _S.PACKED: (Awaited.BOOKING, Party.CARRIER),
    _S.BOOKED: (Awaited.PICK_UP, Party.CARRIER),
    _S.READY: (Awaited.COLLECTION, Party.CUSTOMER),
    _S.HANDED_OVER: (Awaited.DELIVERY, Party.CARRIER),
}
_PROMISED: Final = frozenset({_S.READY, _S.HANDED_OVER})
"""What left the node's shelf is waited for until it was promised or is kept, what did not until it must leave."""


def waiting_for(
    units: UnitsWaiting | None,
    work: Sequence[WorkWaiting],
    returns: Sequence[ReturnWaiting] = (),
    asked: AnswerWaiting | None = None,
    holds: Sequence[HoldWaiting] = (),
    cancellations: Sequence[CancellationWaiting] = (),
) -> tuple[WaitsFor, ...]:
    """What an order with these units without a node, fulfilments, returns, open question, holds and cancellations that
    are asked for waits for: holds first, then answers; empty if everything has ended. `units` is None if every unit
    has, or had, a node.
    """
    return (
        *(_of_hold(each) for each in holds),
        *(_of_cancellation(each) for each in cancellations),
        *(_answer(asked) if asked is not None else ()),
        *(_units(units) if units is not None else ()),
        *(_of_work(each) for each in work if each.status not in FINAL_FULFILMENT),
        *(_of_return(each) for each in returns if each.status not in FINAL_RETURN),
    )


def _of_hold(hold: HoldWaiting) -> WaitsFor:
    who = Party.SYSTEM if hold.by_time else Party.STAFF
    return WaitsFor(what=Awaited.HOLD, who=who, name=hold.type, until=hold.until)


def _of_cancellation(asked: CancellationWaiting) -> WaitsFor:
    return WaitsFor(
        what=Awaited.CANCELLATION,
        who=Party.NODE if asked.asked_of is AskedOf.NODE else Party.CARRIER,
        name=asked.name,
        until=asked.answer_by,
        units=asked.units,
        fulfilment_id=asked.fulfilment_id,
    )


def _answer(asked: AnswerWaiting) -> tuple[WaitsFor, ...]:
    who, until = Party.CUSTOMER, asked.answer_by
    return (
        WaitsFor(
            what=Awaited.ANSWER, who=who, name=None, until=until, units=asked.units, question_id=asked.question_id
        ),
    )


def _units(units: UnitsWaiting) -> tuple[WaitsFor, ...]:
    never = sum(n for line_id, n in units.units.items() if line_id in units.never)
    rest = sum(units.units.values()) - never
    found = []
    if never:
        found.append(_without_node(units, Awaited.DECISION, Party.PLANNER, never, units.look_again_at))
    if rest and units.released_at is not None:
        found.append(_without_node(units, Awaited.RELEASE_DAY, Party.SYSTEM, rest, units.released_at))
    elif rest and units.for_a_person:
        found.append(_without_node(units, Awaited.DECISION, Party.PLANNER, rest, units.look_again_at))
    elif rest:
        found.append(_without_node(units, Awaited.STOCK, Party.SYSTEM, rest, units.look_again_at))
    return tuple(found)


def _without_node(units: UnitsWaiting, what: Awaited, who: Party, quantity: int, until: datetime) -> WaitsFor:
    """The days until waiting units are cancelled do not count while some of them are not released."""
    gives_up_at = units.gives_up_at if units.released_at is None else None
    return WaitsFor(what=what, who=who, name=None, until=until, gives_up_at=gives_up_at, units=quantity)


def _of_work(work: WorkWaiting) -> WaitsFor:
    what, who = _WORK[work.status]
    name = {Party.NODE: work.node_id, Party.CARRIER: work.carrier}.get(who)
    until = work.promised if work.status in _PROMISED else work.ship_by
    return WaitsFor(what=what, who=who, name=name, until=until, fulfilment_id=work.id)


def _of_return(back: ReturnWaiting) -> WaitsFor:
    inspected = back.status is ReturnStatus.RECEIVED
    return WaitsFor(
        what=Awaited.INSPECTION if inspected else Awaited.GOODS_BACK,
        who=Party.NODE if inspected else Party.CARRIER if back.parcel else Party.CUSTOMER,
        name=back.node_id if inspected else None,
        until=back.expires_at,
        fulfilment_id=back.parcel,
        return_id=back.id,
    )
