"""The kinds of exceptions, and what belongs to each."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from dom.exceptions.actions import ExceptionAction


class ExceptionKind(StrEnum):
    """What went wrong. The value is stored, and callers decide by it; CATALOGUE says what it means."""

    BACKORDER = "backorder"
    CANNOT_BE_SOURCED = "cannot_be_sourced"
    WORK_AT_A_NODE = "work_at_a_node"
    NOT_ACCEPTED = "not_accepted"
    CANCELLATION_NOT_GRANTED = "cancellation_not_granted"
    COLLECTION_LOCKED = "collection_locked"
    BOOKING_REFUSED = "booking_refused"
    PARCEL_LOST = "parcel_lost"
    PARCEL_RETURNED = "parcel_returned_to_sender"
    HOLD_OVERDUE = "hold_overdue"
    SENT_ON_HOLD = "sent_on_hold"
    REPORT_OUT_OF_TURN = "report_out_of_turn"
    RETURN_ARRIVED_LATE = "return_arrived_late"
    RETURN_NOT_INSPECTED = "return_not_inspected"
    MESSAGE_REFUSED = "message_refused"
    MESSAGE_GIVEN_UP = "message_given_up"
    LABEL_TRANSLITERATED = "label_transliterated"
    MESSAGE_UNCERTAIN = "message_uncertain"
    COUNT_BELOW_RESERVED = "count_below_reserved"
    TRANSFER_SHORT = "transfer_short"
    TRANSFER_OVER = "transfer_over"
    BACKORDER_NO_PROCESS = "backorder_no_process"
    STOCK_DIFFERENCE = "stock_reconcile"
    WEBHOOK_STUCK = "webhook_stuck"
    SOURCING_NEEDS_A_PERSON = "sourcing"
    REOPTIMISED_NO_PROCESS = "reoptimised_no_process"
    NO_PROCESS = "no_process"
    PROCESS_DIFFERS = "process_differs"
    PROCESS_STUCK = "process_stuck"
    NOT_IN_STORE = "not_in_store"
    MILESTONE_MISSED = "milestone_missed"
    QUARANTINE_SHARE = "quarantine_share"
    CORRECTIONS_REJECTED = "corrections_rejected"
    CHANNEL_UNREACHABLE = "channel_unreachable"


class ExceptionSeverity(StrEnum):
    """How bad it is. `critical`: an order stands still or the books are wrong. `major`: goods or a promise are at
    stake. `minor`: somebody was not told, or waits as expected.
    """

    CRITICAL = "critical"
    MAJOR = "major"
    MINOR = "minor"


class OwnerRole(StrEnum):
    """Who looks at it."""

    SUPPORT = "support"
    PLANNER = "planner"
    OPERATOR = "operator"


DUE_MINUTES: Final[Mapping[ExceptionSeverity, int]] = {
    ExceptionSeverity.CRITICAL: 60,
    ExceptionSeverity.MAJOR: 8 * 60,
    ExceptionSeverity.MINOR: 24 * 60,
}
"""Minutes from opening until an exception is due, of kinds that name none of their own."""


@dataclass(frozen=True, slots=True)
class ExceptionInfo:
    """What belongs to a kind: how bad it is, whose it is, what happened, and what to do next.

    `due_minutes`: minutes until it is due, None for those of its severity. `actions`: what can be done about it in one
    call. `closes_itself`: it is closed once its cause is gone.
    """

    severity: ExceptionSeverity
    owner_role: OwnerRole
    meaning: str
    next_steps: str
    due_minutes: int | None = None
    actions: tuple[ExceptionAction, ...] = ()
    closes_itself: bool = False

    @property
    def due_in(self) -> int:
        """Minutes from opening until it is due."""
        return DUE_MINUTES[self.severity] if self.due_minutes is None else self.due_minutes
