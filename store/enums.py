"""Finite sets of columns, for the store and for whoever reads or shows them. Those the core decides by are in `dom`."""

from enum import StrEnum


class LedgerKind(StrEnum):
    """Why a balance moved."""

    OPENING = "opening"
    RECEIPT = "receipt"
    ADJUSTMENT = "adjustment"
    COUNT = "count"
    CONDITION = "condition"
    SAFETY = "safety"
    RESERVE = "reserve"
    RELEASE = "release"
    SOFT_RESERVE = "soft_reserve"
    SOFT_RELEASE = "soft_release"
    SOFT_CONVERT = "soft_convert"
    SOFT_EXPIRE = "soft_expire"
    SHIP = "ship"
    RESTOCK = "restock"
    TRANSFER_OUT = "transfer_out"
    TRANSFER_IN = "transfer_in"
    RECONCILE = "reconcile"
    RULE = "rule"


class ReservationKind(StrEnum):
    """A soft reservation expires; a firm one ends with hand-over or release."""

    SOFT = "soft"
    FIRM = "firm"


class ReservationStatus(StrEnum):
    """Whether the units are still taken out of availability."""

    ACTIVE = "active"
    RELEASED = "released"
    CONSUMED = "consumed"
    CONVERTED = "converted"
    EXPIRED = "expired"


class SoftStatus(StrEnum):
    """Where a soft reservation stands. An active one whose expiry is past holds nothing, whatever its row says."""

    ACTIVE = "active"
    RELEASED = "released"
    CONVERTED = "converted"
    EXPIRED = "expired"


class InboundKind(StrEnum):
    """Where inbound units come from."""

    PURCHASE_ORDER = "purchase_order"
    TRANSFER = "transfer"
    RETURN = "return"


class InboundStatus(StrEnum):
    """Where inbound units are: announced, on their way, all in (or given up), called off."""

    ANNOUNCED = "announced"
    IN_TRANSIT = "in_transit"
    RECEIVED = "received"
    CANCELLED = "cancelled"


class ImportKind(StrEnum):
    """What the rows of a bulk import are."""

    COUNTS = "counts"
    DELTAS = "deltas"


class ImportStatus(StrEnum):
    """Where a bulk import stands; a refused one (all-or-nothing, with a bad row) changed nothing, of a cancelled one
    stays what was applied.
    """

    RECEIVING = "receiving"
    QUEUED = "queued"
    APPLYING = "applying"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"
    CANCELLED = "cancelled"


class ItemOutcome(StrEnum):
    """What became of a count or a change of stock that was sent in.

    `repeated`: it had been done before. `late`: a later count stands. `superseded`: a count has seen it already.
    `replaced`: a later row of the same file says another thing. `short`: a count below what is reserved, taken as far
    as it could be. `refused`: it is wrong, or impossible now. `cancelled`: its import was cancelled before. All but
    `applied` and `short` change nothing.
    """

    APPLIED = "applied"
    SHORT = "short"
    REPEATED = "repeated"
    LATE = "late"
    SUPERSEDED = "superseded"
    REPLACED = "replaced"
    REFUSED = "refused"
    CANCELLED = "cancelled"


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


class RehearsalStatus(StrEnum):
    """Where a rehearsal stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
