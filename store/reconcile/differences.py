"""What can differ between the books: each fault has one name, a place, and what a repair does about it."""

from dataclasses import dataclass
from enum import StrEnum


class StockFault(StrEnum):
    """Names of differences. The first seven are the quantities of a balance, named like its columns."""

    ON_HAND = "on_hand"
    DAMAGED = "damaged"
    QUARANTINE = "quarantine"
    SAFETY_STOCK = "safety_stock"
    PROMISE_SAFETY = "promise_safety"
    RESERVED = "reserved"
    RESERVED_SOFT = "reserved_soft"
    BALANCE_MISSING = "balance_missing"
    LEDGER_MISSING = "ledger_missing"
    IMPOSSIBLE = "impossible"
    FIRM_OF_NO_ORDER = "firm_of_no_order"
    FIRM_OF_NO_FULFILMENT = "firm_of_no_fulfilment"
    FIRM_OF_ENDED_FULFILMENT = "firm_of_ended_fulfilment"
    FIRM_OF_ENDED_ORDER = "firm_of_ended_order"
    FIRM_TWICE = "firm_twice"
    FIRM_ELSEWHERE = "firm_elsewhere"
    FIRM_QUANTITY = "firm_quantity"
    FIRM_MISSING = "firm_missing"
    SOFT_WITHOUT_HEADER = "soft_without_header"
    SOFT_OF_ENDED_HEADER = "soft_of_ended_header"
    SOFT_WITHOUT_END = "soft_without_end"
    SOFT_QUANTITY = "soft_quantity"
    RESERVATION_UNKNOWN = "reservation_unknown"
    FULFILMENT_STATUS_UNKNOWN = "fulfilment_status_unknown"
    ORDER_STATUS_UNKNOWN = "order_status_unknown"
    NODE_DAY = "node_day"
    INBOUND_SENT = "inbound_sent"
    INBOUND_RECEIVED = "inbound_received"
    INBOUND_ENTRY = "inbound_entry"


class Trust(StrEnum):
    """Which side a repair believes where a balance's own quantities differ from the ledger."""

    LEDGER = "ledger"
    BALANCE = "balance"


class SubjectKind(StrEnum):
    """What a subject is; a repair puts one subject right at a time."""

    BALANCE = "balance"
    DAY = "day"
    INBOUND = "inbound"
    ORDER = "order"


@dataclass(frozen=True, slots=True)
class Subject:
    """What differs: a balance (node, SKU), a node's day (node, day, service), inbound (reference, SKU), an order."""

    kind: SubjectKind
    parts: tuple[str | None, ...]

    def __str__(self) -> str:
        """Readable, and a key: `dc-leeds/A`. What is NULL in the database is a question mark."""
        return "/".join("?" if part is None else part for part in self.parts)


@dataclass(frozen=True, slots=True)
class StockDifference:
    """One fault: where, what the books say in words, and what a repair does about it.

    `about` is the order, fulfilment or reservation at fault, where it is not the balance itself.
    """

    fault: StockFault
    subject: Subject
    detail: str
    mend: str
    about: str = ""


def of_balance(node_id: str | None, sku: str | None) -> Subject:
    """A balance as a subject."""
    return Subject(SubjectKind.BALANCE, (node_id, sku))


class CannotMendError(Exception):
    """What is right cannot be worked out, or the database could not hold it; the subject stays as it is."""


class BusyError(Exception):
    """Somebody works on an order of the place; try again."""
