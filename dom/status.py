"""Statuses, and which step may follow which. The one place that knows."""

from enum import StrEnum
from typing import Final


class OrderStatus(StrEnum):
    """Where an order stands as a whole; worked out of its units by `dom.lifecycle`."""

    ACCEPTED = "accepted"
    BACKORDERED = "backordered"
    IN_FULFILMENT = "in_fulfilment"
    PART_SHIPPED = "part_shipped"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"


FINAL_ORDER: Final = frozenset({OrderStatus.DELIVERED, OrderStatus.CANCELLED})


class FulfilmentStatus(StrEnum):
    """Where the work of one node for one order stands."""

    RELEASED = "released"
    ACCEPTED = "accepted"
    PICKED = "picked"
    PACKED = "packed"
    BOOKED = "booked"
    READY = "ready_for_collection"
    HANDED_OVER = "handed_over"
    DELIVERED = "delivered"
    COLLECTED = "collected"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    LOST = "lost"
    RETURNED = "returned_to_sender"
    RECALLED = "recalled"
    """A second look gave the units to other fulfilments before any node began."""


FINAL_FULFILMENT: Final = frozenset(
    {
        FulfilmentStatus.DELIVERED,
        FulfilmentStatus.COLLECTED,
        FulfilmentStatus.REJECTED,
        FulfilmentStatus.CANCELLED,
        FulfilmentStatus.LOST,
        FulfilmentStatus.RETURNED,
        FulfilmentStatus.RECALLED,
    }
)
BEFORE_HAND_OVER: Final = frozenset(
    {
        FulfilmentStatus.RELEASED,
        FulfilmentStatus.ACCEPTED,
        FulfilmentStatus.PICKED,
        FulfilmentStatus.PACKED,
        FulfilmentStatus.BOOKED,
        FulfilmentStatus.READY,
    }
)


class FulfilmentStep(StrEnum):
    """What a node reports about its work on a fulfilment."""

    ACCEPT = "accept"
    REJECT = "reject"
    PICK = "pick"
    PACK = "pack"
    HAND_OVER = "hand-over"
    COLLECT = "collect"


class CarrierEventKind(StrEnum):
    """What a carrier reports about a shipment. Only milestones wake the order; the rest goes to the store alone."""

    PICKED_UP = "picked_up"
    IN_TRANSIT = "in_transit"
    OUT_FOR_DELIVERY = "out_for_delivery"
    DELIVERY_FAILED = "delivery_failed"
    DELIVERED = "delivered"
    LOST = "lost"
    RETURNED_TO_SENDER = "returned_to_sender"


CARRIER_MILESTONES: Final = {
    CarrierEventKind.DELIVERED: FulfilmentStatus.DELIVERED,
    CarrierEventKind.LOST: FulfilmentStatus.LOST,
    CarrierEventKind.RETURNED_TO_SENDER: FulfilmentStatus.RETURNED,
}


class ReturnStatus(StrEnum):
    """Where a return stands."""

    REQUESTED = "requested"
    RECEIVED = "received"
    REFUNDED = "refunded"


class Disposition(StrEnum):
    """What becomes of a returned unit. Only restocked units can be sold again."""

    RESTOCK = "restock"
    REFURBISH = "refurbish"
    QUARANTINE = "quarantine"
    SCRAP = "scrap"


class Condition(StrEnum):
    """In what state units in a node are. Only sellable ones can be promised."""

    SELLABLE = "sellable"
    DAMAGED = "damaged"
    QUARANTINE = "quarantine"


class ReasonCode(StrEnum):
    """Why a balance was changed from outside the order flow."""

    RECEIPT = "receipt"
    CYCLE_COUNT = "cycle_count"
    DAMAGE = "damage"
    LOSS = "loss"
    FOUND = "found"
    EXPIRED = "expired"
    SAMPLE = "sample"
    INTERNAL_USE = "internal_use"
    SUPPLIER_RETURN = "supplier_return"
    CUSTOMER_RETURN = "customer_return"
    CORRECTION = "correction"
    OTHER = "other"


class SourcingCause(StrEnum):
    """Why units are sourced."""

    CAPTURED = "order captured"
    REJECTED = "rejected by the node"
    SHORT_PICK = "short pick"
    LOST = "lost by the carrier"
    STOCK_ARRIVED = "stock arrived"
    LOOKED_AGAIN = "looked again"
    SECOND_LOOK = "second look"


FAILED_SOURCING: Final = frozenset({SourcingCause.REJECTED, SourcingCause.SHORT_PICK, SourcingCause.LOST})
"""Units had a node, and lost it."""
