"""What stands in an order's timeline: the kinds of its events, and the data that belong to each."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Literal

from dom.orders.asked import CancellationEnd
from dom.orders.cancellation import LeftUnits
from dom.orders.event_data import (
    EventData,
    HoldData,
    MergedData,
    MovedData,
    NoteData,
    PrioritisedData,
    ReallocatedData,
    RequestedData,
    ResentData,
    ReshippedData,
    SourcedAgainData,
    SplitData,
)
from dom.orders.order import Correction
from dom.orders.status import FulfilmentStatus, NodeReason, ReturnStatus, ReturnStep
from dom.shared.base import Value


class EventKind(StrEnum):
    """What happened to an order. The value is stored, and callers read it; EVENTS says what it means."""

    ACCEPTED = "accepted"
    SOURCED = "sourced"
    REOPTIMISED = "reoptimised"
    CANCELLED = "cancelled"
    CANCELLATION_ASKED = "cancellation_asked"
    CANCELLATION_GRANTED = "cancellation_granted"
    CANCELLATION_REFUSED = "cancellation_refused"
    CANCELLATION_EXPIRED = "cancellation_expired"
    CANCELLATION_WITHDRAWN = "cancellation_withdrawn"
    FULFILMENT_ACCEPTED = "fulfilment_accepted"
    FULFILMENT_REJECTED = "fulfilment_rejected"
    FULFILMENT_PICKED = "fulfilment_picked"
    FULFILMENT_PACKED = "fulfilment_packed"
    FULFILMENT_READY = "fulfilment_ready_for_collection"
    FULFILMENT_HANDED_OVER = "fulfilment_handed_over"
    FULFILMENT_COLLECTED = "fulfilment_collected"
    FULFILMENT_DELIVERED = "fulfilment_delivered"
    FULFILMENT_LOST = "fulfilment_lost"
    FULFILMENT_RETURNED = "fulfilment_returned_to_sender"
    COLLECTION_REMINDED = "collection_reminded"
    COLLECTION_EXTENDED = "collection_extended"
    WRONG_CODE = "wrong_code"
    PUT_BACK = "put_back"
    CARRIER_BOOKED = "carrier_booked"
    BOOKING_VOIDED = "booking_voided"
    REPORT_OUT_OF_TURN = "report_out_of_turn"
    RETURN_REQUESTED = "return_requested"
    RETURN_RECEIVED = "return_received"
    RETURN_REFUNDED = "return_refunded"
    RETURN_PUT_AWAY = "return_put_away"
    RETURN_CANCELLED = "return_cancelled"
    RETURN_EXPIRED = "return_expired"
    RETURN_OVERDUE = "return_overdue"
    RETURN_CLOSED = "return_closed"
    EDITED = "edited"
    HOLD_PLACED = "hold_placed"
    HOLD_RELEASED = "hold_released"
    HOLD_OVERDUE = "hold_overdue"
    NOTED = "noted"
    RESHIPPED = "reshipped"
    MOVED = "moved"
    SOURCED_AGAIN = "sourced_again"
    SPLIT = "split"
    MERGED = "merged"
    REALLOCATED = "reallocated"
    PRIORITISED = "prioritised"
    MESSAGE_RESENT = "message_resent"
    PROCESS_REVIVED = "process_revived"
    CUSTOMER_ASKED = "customer_asked"
    CUSTOMER_QUESTION_CHANGED = "customer_question_changed"
    CUSTOMER_ANSWERED = "customer_answered"
    CUSTOMER_QUESTION_EXPIRED = "customer_question_expired"
    CUSTOMER_QUESTION_WITHDRAWN = "customer_question_withdrawn"
    EXCEPTION_ASSIGNED = "exception_assigned"
    EXCEPTION_SNOOZED = "exception_snoozed"
    EXCEPTION_COMMENTED = "exception_commented"
    EXCEPTION_ACTION = "exception_action"
    EXCEPTION_RESOLVED = "exception_resolved"
    EXCEPTION_REOPENED = "exception_reopened"


def of_status(status: FulfilmentStatus) -> EventKind:
    """The kind of the event that brings a fulfilment to the status. Raises ValueError if no event of its own does."""
    return EventKind(f"fulfilment_{status}")


def of_return(step: ReturnStep) -> EventKind:
    """The kind of the event of a return's step."""
    return EventKind(f"return_{step}")


class SourcedData(EventData):
    """A sourcing decision, short. `cost` is in minor units of `currency`; `fulfilments` are the new ones with their
    nodes; `waiting` and `cannot_be_sourced` are units by line.
    """

    attempt: int
    cause: str
    policy_version: int
    strategy: str
    cost: int
    currency: str
    fulfilments: dict[str, str]
    waiting: dict[str, int]
    cannot_be_sourced: dict[str, int] | None = None


class AcceptedData(SourcedData):
    """The first decision; what became of the reservation the order names, the run of the process that captured the
    order, and what was corrected of it.
    """

    reservation: Literal["converted", "lapsed", "unknown"] | None = None
    run_id: str | None = None
    corrections: tuple[Correction, ...] | None = None


class ReoptimisedData(EventData):
    """Work no node had begun went to other nodes. Amounts are in minor units of `currency`; `recalled` and
    `fulfilments` are the old and the new fulfilments with their nodes.
    """

    policy_version: int
    cost: int
    before: int
    saving: int
    currency: str
    recalled: dict[str, str]
    fulfilments: dict[str, str]


class LeftOfLine(LeftUnits):
    """Units of a line that were to be cancelled, and were not."""

    line_id: str


class CancelledData(RequestedData):
    """Units cancelled, by line, and those that were asked for and not cancelled. Of what a node granted, the request
    for it, and what it ended by if not by the node's answer.
    """

    lines: dict[str, int]
    left: tuple[LeftOfLine, ...] | None = None
    cancellation_request: str | None = None
    end: CancellationEnd | None = None


class CancellationData(RequestedData):
    """A request for a cancellation that ended without cancelling anything itself: what it asked for, units by line of a
    fulfilment, and what it ended by if not by the node's answer.
    """

    cancellation_request: str
    fulfilment_id: str
    lines: dict[str, int]
    end: CancellationEnd | None = None


class FulfilmentData(RequestedData):
    """A step of a fulfilment. Of a pick `found` and `missing` are units, by line, that were found or were not; of a
    rejection `missing` are those that are not there or are damaged, as `reason_code` says. Of a lost parcel that
    arrived, `taken_back` are the units that replaced it, by fulfilment and line, and `waited` those that still waited.
    Of what is ready, until when it is kept; of what was collected without its code, that `identity_checked`. Of what a
    node sent with a carrier of its own, `carrier` and `tracking_number`.
    """

    fulfilment_id: str
    found: dict[str, int] | None = None
    missing: dict[str, int] | None = None
    reason_code: NodeReason | None = None
    taken_back: dict[str, dict[str, int]] | None = None
    waited: dict[str, int] | None = None
    collect_by: datetime | None = None
    identity_checked: bool | None = None
    carrier: str | None = None
    tracking_number: str | None = None


class CollectionData(RequestedData):
    """Goods that wait for their customer: until when they are kept, or how many wrong codes were said."""

    fulfilment_id: str
    collect_by: datetime | None = None
    wrong_codes: int | None = None


class EditedData(RequestedData):
    """An edit: the revision it made, its changes as they were asked for, units cancelled and added by line, and
    fulfilments whose work was taken back to be planned anew, with their nodes.
    """

    revision: int
    changes: tuple[dict[str, Any], ...]
    cancelled: dict[str, int] | None = None
    added: dict[str, int] | None = None
    recalled: dict[str, str] | None = None


class CarrierBookedData(EventData):
    """A carrier takes the parcel; `price` is in minor units of `currency`."""

    fulfilment_id: str
    tracking_number: str
    price: int
    currency: str


class BookingVoidedData(EventData):
    """The carrier's booking was taken back."""

    fulfilment_id: str


class UnexpectedReportData(EventData):
    """A node's or carrier's report that the fulfilment's status did not allow. `units` are by SKU, `on_hand` is how
    the node's balance stands if the report is true, and `replaced_by` what was sent in place of a lost parcel.
    """

    fulfilment_id: str
    report: str
    status: FulfilmentStatus
    node_id: str
    units: dict[str, int]
    on_hand: str
    shipment_id: str | None = None
    tracking_number: str | None = None
    shipment_status: str | None = None
    replaced_by: tuple[dict[str, str], ...] | None = None


class AnsweredReturn(Value):
    """What the caller of a return's step was answered; `refund` is in minor units of the order's currency."""

    status: ReturnStatus
    refund: int


class ReturnData(RequestedData):
    """A step of a return, with its units by line, and what its caller was answered."""

    return_id: str
    number: int
    lines: dict[str, int]
    answer: AnsweredReturn
    run_id: str | None = None


class ProcessRevivedData(EventData):
    """A process began anew where the store stands: the return's, or the order's if no return is named."""

    return_id: str | None = None


class QuestionData(EventData):
    """What the customer is asked: late units by line, the day that was told and the one expected now (absent: nobody
    knows), what may be chosen and until when. `answer`: what was chosen, or what silence came to; `end`: why the
    question was withdrawn.
    """

    question_id: str
    lines: dict[str, int]
    promised: datetime
    expected: datetime | None = None
    choices: tuple[str, ...]
    answer_by: datetime
    answer: str | None = None
    end: str | None = None


INTERNAL: Final = frozenset(
    {"policy_version", "strategy", "cost", "before", "saving", "price", "run_id", "others", "weight", "extra"}
    | {"lateness_avoided", "gain"}
)
"""What the data of events say of the merchant's costs and policy, and of processes: not for partners."""


FOR_STAFF: Final = frozenset({EventKind.NOTED})
"""What the merchant's own people write among themselves: only for who may read notes."""


class ExceptionData(EventData):
    """What a person did with an exception of the order, which is then at `version`. Of an assignment who looks after
    it (neither: nobody of the role), of a snooze until when, of an action which.
    """

    exception_id: int
    exception_kind: str
    version: int
    owner: str | None = None
    owner_role: str | None = None
    until: datetime | None = None
    action: str | None = None


@dataclass(frozen=True, slots=True)
class EventInfo:
    """What belongs to a kind of event: the type of its data, and what happened."""

    data: type[EventData]
    meaning: str


_KIND: Final = EventKind

EVENTS: Final[Mapping[EventKind, EventInfo]] = {
    _KIND.ACCEPTED: EventInfo(AcceptedData, "The order was captured and sourced for the first time"),
    _KIND.SOURCED: EventInfo(SourcedData, "Waiting units were sourced again"),
    _KIND.REOPTIMISED: EventInfo(ReoptimisedData, "A re-optimisation gave work that no node had begun to other nodes"),
    _KIND.CANCELLED: EventInfo(CancelledData, "Units were cancelled"),
    _KIND.CANCELLATION_ASKED: EventInfo(CancelledData, "Nodes or carriers were asked for what they have"),
    _KIND.CANCELLATION_GRANTED: EventInfo(CancellationData, "A parcel that a carrier was asked for comes back"),
    _KIND.CANCELLATION_REFUSED: EventInfo(CancellationData, "A cancellation that was asked for was refused"),
    _KIND.CANCELLATION_EXPIRED: EventInfo(
        CancellationData, "A cancellation that was asked for was not answered in time"
    ),
    _KIND.CANCELLATION_WITHDRAWN: EventInfo(CancellationData, "Nothing was left of a cancellation that was asked for"),
    _KIND.FULFILMENT_ACCEPTED: EventInfo(FulfilmentData, "The node accepted the work"),
    _KIND.FULFILMENT_REJECTED: EventInfo(FulfilmentData, "The node cannot do the work, or its parcel was not taken"),
    _KIND.FULFILMENT_PICKED: EventInfo(FulfilmentData, "The node picked the units"),
    _KIND.FULFILMENT_PACKED: EventInfo(FulfilmentData, "The node packed the parcel"),
    _KIND.FULFILMENT_READY: EventInfo(FulfilmentData, "The goods can be collected"),
    _KIND.FULFILMENT_HANDED_OVER: EventInfo(FulfilmentData, "The carrier has the parcel"),
    _KIND.FULFILMENT_COLLECTED: EventInfo(FulfilmentData, "The customer collected the goods"),
    _KIND.FULFILMENT_DELIVERED: EventInfo(FulfilmentData, "The parcel was delivered"),
    _KIND.FULFILMENT_LOST: EventInfo(FulfilmentData, "The carrier lost the parcel"),
    _KIND.FULFILMENT_RETURNED: EventInfo(FulfilmentData, "The carrier brought the parcel back"),
    _KIND.COLLECTION_REMINDED: EventInfo(CollectionData, "The customer was reminded of goods that wait"),
    _KIND.COLLECTION_EXTENDED: EventInfo(CollectionData, "Goods that wait for their customer are kept longer"),
    _KIND.WRONG_CODE: EventInfo(CollectionData, "A wrong code was said for goods that wait for their customer"),
    _KIND.PUT_BACK: EventInfo(CollectionData, "The node put goods back that were not collected"),
    _KIND.CARRIER_BOOKED: EventInfo(CarrierBookedData, "A carrier was booked"),
    _KIND.BOOKING_VOIDED: EventInfo(BookingVoidedData, "The carrier's booking was taken back"),
    _KIND.REPORT_OUT_OF_TURN: EventInfo(UnexpectedReportData, "A report came that the status did not allow"),
    _KIND.RETURN_REQUESTED: EventInfo(ReturnData, "A return was asked for"),
    _KIND.RETURN_RECEIVED: EventInfo(ReturnData, "Units of a return arrived at the node"),
    _KIND.RETURN_REFUNDED: EventInfo(ReturnData, "Units of a return were inspected, and their refund recorded"),
    _KIND.RETURN_PUT_AWAY: EventInfo(
        ReturnData, "Units of a return were inspected and put away; they were sent again, and are not paid back"
    ),
    _KIND.RETURN_CANCELLED: EventInfo(ReturnData, "A return was cancelled"),
    _KIND.RETURN_EXPIRED: EventInfo(ReturnData, "A return was not sent back in time"),
    _KIND.RETURN_OVERDUE: EventInfo(ReturnData, "Units of a return arrived and were not inspected in time"),
    _KIND.RETURN_CLOSED: EventInfo(ReturnData, "Nothing more of a return is expected"),
    _KIND.EDITED: EventInfo(EditedData, "The order was edited"),
    _KIND.HOLD_PLACED: EventInfo(HoldData, "A hold was put on the order"),
    _KIND.HOLD_RELEASED: EventInfo(HoldData, "A hold was released"),
    _KIND.HOLD_OVERDUE: EventInfo(HoldData, "Nobody released a hold by the time it was due"),
    _KIND.NOTED: EventInfo(NoteData, "Somebody wrote a note about the order"),
    _KIND.RESHIPPED: EventInfo(ReshippedData, "Units of a parcel that came back are to be sent once more"),
    _KIND.MOVED: EventInfo(MovedData, "Work that no node had begun was moved to another node"),
    _KIND.SOURCED_AGAIN: EventInfo(
        SourcedAgainData, "Work that no node had begun was taken from its node, and its units sourced anew"
    ),
    _KIND.REALLOCATED: EventInfo(
        ReallocatedData, "Reserved stock went from an order that can wait to one whose promise was in danger"
    ),
    _KIND.SPLIT: EventInfo(SplitData, "Some units of work that no node had begun became a fulfilment of their own"),
    _KIND.MERGED: EventInfo(MergedData, "Two fulfilments of a node, of which it had begun neither, became one"),
    _KIND.PRIORITISED: EventInfo(PrioritisedData, "The order was given another priority for scarce stock"),
    _KIND.MESSAGE_RESENT: EventInfo(ResentData, "A message was sent once more"),
    _KIND.PROCESS_REVIVED: EventInfo(ProcessRevivedData, "The process of the order or a return was started anew"),
    _KIND.CUSTOMER_ASKED: EventInfo(QuestionData, "The customer is asked, as what was promised comes later"),
    _KIND.CUSTOMER_QUESTION_CHANGED: EventInfo(QuestionData, "What the customer is asked about has changed"),
    _KIND.CUSTOMER_ANSWERED: EventInfo(QuestionData, "The customer chose, or staff or the channel in his name"),
    _KIND.CUSTOMER_QUESTION_EXPIRED: EventInfo(QuestionData, "The customer did not answer in time"),
    _KIND.CUSTOMER_QUESTION_WITHDRAWN: EventInfo(QuestionData, "There was nothing to ask the customer any more"),
    _KIND.EXCEPTION_ASSIGNED: EventInfo(ExceptionData, "An exception was given to a person or a role, or given back"),
    _KIND.EXCEPTION_SNOOZED: EventInfo(ExceptionData, "An exception was put off, or is not put off any more"),
    _KIND.EXCEPTION_COMMENTED: EventInfo(ExceptionData, "Somebody wrote a comment on an exception"),
    _KIND.EXCEPTION_ACTION: EventInfo(ExceptionData, "Something was done about an exception in one call"),
    _KIND.EXCEPTION_RESOLVED: EventInfo(ExceptionData, "A person resolved an exception"),
    _KIND.EXCEPTION_REOPENED: EventInfo(ExceptionData, "A person opened an exception again"),
}
