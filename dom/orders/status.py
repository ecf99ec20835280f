"""Statuses, steps, reports and reasons. Which step may follow which is in `dom.orders.lifecycle`."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from dom.shared import access


class OrderStatus(StrEnum):
    """Where an order stands as a whole; worked out of its units by `dom.orders.lifecycle`."""

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
    """The units were given to other fulfilments, or are to be sourced anew, before any node began."""


class Whereabouts(StrEnum):
    """Where the units of a fulfilment are, as its status says."""

    AT_NODE = "at the node"
    """Reserved at the node, which works on them or will."""
    ON_THE_WAY = "on the way"
    WITH_CUSTOMER = "with the customer"
    SOURCED_ANEW = "sourced anew"
    """The fulfilment gave them up: they wait for another node, or have one already."""
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a fulfilment's status means for its units. `left_node`: the goods left the node's stock."""

    units: Whereabouts
    left_node: bool = False


MEANING: Final[Mapping[FulfilmentStatus, Meaning]] = {
    FulfilmentStatus.RELEASED: Meaning(Whereabouts.AT_NODE),
    FulfilmentStatus.ACCEPTED: Meaning(Whereabouts.AT_NODE),
    FulfilmentStatus.PICKED: Meaning(Whereabouts.AT_NODE),
    FulfilmentStatus.PACKED: Meaning(Whereabouts.AT_NODE),
    FulfilmentStatus.BOOKED: Meaning(Whereabouts.AT_NODE),
    FulfilmentStatus.READY: Meaning(Whereabouts.AT_NODE),
    FulfilmentStatus.HANDED_OVER: Meaning(Whereabouts.ON_THE_WAY, left_node=True),
    FulfilmentStatus.DELIVERED: Meaning(Whereabouts.WITH_CUSTOMER, left_node=True),
    FulfilmentStatus.COLLECTED: Meaning(Whereabouts.WITH_CUSTOMER, left_node=True),
    FulfilmentStatus.REJECTED: Meaning(Whereabouts.SOURCED_ANEW),
    FulfilmentStatus.RECALLED: Meaning(Whereabouts.SOURCED_ANEW),
    FulfilmentStatus.LOST: Meaning(Whereabouts.SOURCED_ANEW, left_node=True),
    FulfilmentStatus.CANCELLED: Meaning(Whereabouts.CANCELLED),
    FulfilmentStatus.RETURNED: Meaning(Whereabouts.CANCELLED, left_node=True),
}
"""The one classification of fulfilment statuses. Every list of them, in Python and in SQL, is one of the sets below."""


def _units(*where: Whereabouts) -> frozenset[FulfilmentStatus]:
    return frozenset(status for status in FulfilmentStatus if MEANING[status].units in where)


BEFORE_HAND_OVER: Final = _units(Whereabouts.AT_NODE)
"""The units are reserved at the node, and can still be taken out."""
ARRIVED: Final = _units(Whereabouts.WITH_CUSTOMER)
"""The units reached the customer."""
SOURCED_ANEW: Final = _units(Whereabouts.SOURCED_ANEW)
"""The units are to be sourced again, or were."""
ENDED_UNDELIVERED: Final = _units(Whereabouts.SOURCED_ANEW, Whereabouts.CANCELLED)
"""The work ended without its units reaching the customer."""
FINAL_FULFILMENT: Final = ARRIVED | ENDED_UNDELIVERED
"""Nothing follows."""
LEFT_NODE: Final = frozenset(status for status in FulfilmentStatus if MEANING[status].left_node)
"""The goods left the node's stock; its reservation is used up."""
NOTHING_RESERVED: Final = FINAL_FULFILMENT | LEFT_NODE
"""No stock is reserved for the work any more."""
GAVE_DAY_BACK: Final = FINAL_FULFILMENT - LEFT_NODE
"""The work was never done: its place in the node's day is free for others."""
NEVER_LEFT: Final = (BEFORE_HAND_OVER - {FulfilmentStatus.READY}) | {
    FulfilmentStatus.REJECTED,
    FulfilmentStatus.RECALLED,
}
"""The goods have not left the node that sends them: what is to be brought to a store is not the store's matter yet."""
UNBEGUN: Final = frozenset({FulfilmentStatus.RELEASED})
"""The node has not taken the work on."""
TIMEOUT: Final = access.TIMEOUT
"""The actor who rejects work that a node did not accept in time. That is a failure of the node."""
NETWORK: Final = access.NETWORK
"""The actor who rejects work in the name of a node that cannot do it any more. That is no failure of the node."""


class FulfilmentStep(StrEnum):
    """What a node reports about its work on a fulfilment."""

    ACCEPT = "accept"
    REJECT = "reject"
    PICK = "pick"
    PACK = "pack"
    HAND_OVER = "hand-over"
    COLLECT = "collect"


class NodeReason(StrEnum):
    """Why a node cannot do the work, or not all of it."""

    NOT_FOUND = "not_found"
    """The goods are not where the books say: the balance is corrected."""
    DAMAGED = "damaged"
    """The goods are there and cannot be sold: they are counted as damaged."""
    NO_CAPACITY = "no_capacity"
    CLOSED = "closed"
    OTHER = "other"


OF_THE_GOODS: Final = frozenset({NodeReason.NOT_FOUND, NodeReason.DAMAGED})
"""Reasons that say something of the goods, and not of the node."""


class CarrierEventKind(StrEnum):
    """What a carrier reports about a shipment. Only milestones wake the order; the rest goes to the store alone."""

    PICKED_UP = "picked_up"
    IN_TRANSIT = "in_transit"
    OUT_FOR_DELIVERY = "out_for_delivery"
    DELIVERY_FAILED = "delivery_failed"
    DELIVERED = "delivered"
    LOST = "lost"
    RETURNED_TO_SENDER = "returned_to_sender"
    REFUSED = "refused"
    """Who was to get it did not take it: it comes back."""
    INTERCEPTED = "intercepted"
    """It was stopped on its way, as the merchant asked the carrier to: it comes back."""
    INTERCEPT_FAILED = "intercept_failed"
    """It could not be stopped: it goes on."""


CARRIER_MILESTONES: Final = {
    CarrierEventKind.DELIVERED: FulfilmentStatus.DELIVERED,
    CarrierEventKind.LOST: FulfilmentStatus.LOST,
    CarrierEventKind.RETURNED_TO_SENDER: FulfilmentStatus.RETURNED,
    CarrierEventKind.REFUSED: FulfilmentStatus.RETURNED,
    CarrierEventKind.INTERCEPTED: FulfilmentStatus.RETURNED,
}
COMES_BACK: Final = frozenset(k for k, status in CARRIER_MILESTONES.items() if status is FulfilmentStatus.RETURNED)
"""Reports that say that the goods come back: the first of them counts, and the others say nothing new."""


class ReturnStatus(StrEnum):
    """Where a return stands as a whole; worked out of its units by `dom.returns`."""

    REQUESTED = "requested"
    """Nothing has arrived."""
    RECEIVED = "received"
    """Units that arrived wait for their inspection."""
    PART_REFUNDED = "part_refunded"
    """What arrived is inspected and refunded, and more is to come."""
    REFUNDED = "refunded"
    """It has ended: what came is inspected and refunded, and nothing more is to come."""
    PART_PUT_AWAY = "part_put_away"
    """As `part_refunded`, of a parcel whose units were sent again: nothing is paid back for them."""
    PUT_AWAY = "put_away"
    """It has ended as `refunded`, of a parcel whose units were sent again: nothing is paid back for them."""
    CANCELLED = "cancelled"
    """It was withdrawn before anything came."""
    EXPIRED = "expired"
    """Nothing came in time."""


class ReturnStep(StrEnum):
    """What happens to a return; each stands in the order's timeline as `return_` and its value."""

    REQUESTED = "requested"
    RECEIVED = "received"
    REFUNDED = "refunded"
    """Units were inspected, and their refund recorded."""
    PUT_AWAY = "put_away"
    """Units were inspected that were sent again: nothing is paid back for them."""
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    OVERDUE = "overdue"
    """The time is over, everything has come, and some of it was not inspected."""
    CLOSED = "closed"
    """The node or support expects nothing more."""


FINAL_RETURN: Final = frozenset(
    {ReturnStatus.REFUNDED, ReturnStatus.PUT_AWAY, ReturnStatus.CANCELLED, ReturnStatus.EXPIRED}
)


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
    RETRIED = "retried"
    REOPTIMISED = "reoptimised"
    HOLD_RELEASED = "hold released"
    EDITED = "order edited"
    RESHIPPED = "sent once more"
    MOVED = "moved by staff"
    SOURCED_AGAIN = "sourced again by staff"
    REALLOCATED = "reallocated"


FAILED_SOURCING: Final = frozenset(
    {SourcingCause.REJECTED, SourcingCause.SHORT_PICK, SourcingCause.LOST, SourcingCause.SOURCED_AGAIN}
)
"""Units had a node, and lost it."""
