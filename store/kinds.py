"""Finite sets that only the store knows."""

from enum import StrEnum


class LedgerKind(StrEnum):
    """Why a balance moved."""

    OPENING = "opening"
    RECEIPT = "receipt"
    ADJUSTMENT = "adjustment"
    RESERVE = "reserve"
    RELEASE = "release"
    SHIP = "ship"
    RESTOCK = "restock"


class ReservationKind(StrEnum):
    """A soft reservation expires; a firm one ends with hand-over or release."""

    SOFT = "soft"
    FIRM = "firm"


class ReservationStatus(StrEnum):
    """Whether the units are still taken out of availability."""

    ACTIVE = "active"
    RELEASED = "released"
    CONSUMED = "consumed"


class MessageStatus(StrEnum):
    """Claimed before it leaves; one whose outcome was lost in a crash is `uncertain` and not sent again."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    UNCERTAIN = "uncertain"
    FAILED = "failed"


class ShipmentStatus(StrEnum):
    """Where a shipment is."""

    BOOKED = "booked"
    VOIDED = "voided"
    IN_TRANSIT = "in_transit"
    DELIVERED = "delivered"
    LOST = "lost"
    RETURNED = "returned_to_sender"


class ExceptionStatus(StrEnum):
    """An exception is open until a person closes it."""

    OPEN = "open"
    CLOSED = "closed"
