"""What customers, other systems and processes are told about an order, and how it travels."""

from enum import StrEnum


class MessageKind(StrEnum):
    """What customers and channels are told of; each has a text, and its value names the event in a webhook."""

    ORDER_CONFIRMED = "order_confirmed"
    ORDER_BACKORDERED = "order_backordered"
    SHIPPED = "shipped"
    READY_FOR_COLLECTION = "ready_for_collection"
    COLLECTION_REMINDER = "collection_reminder"
    DELIVERED = "delivered"
    RETURNED_TO_SENDER = "returned_to_sender"
    CANCELLED = "cancelled"
    ORDER_EDITED = "order_edited"
    PROMISE_SLIPPED = "promise_slipped"
    PROMISE_UPDATED = "promise_updated"
    RETURN_REQUESTED = "return_requested"
    RETURN_RECEIVED = "return_received"
    REFUNDED = "refunded"
    RETURN_CANCELLED = "return_cancelled"
    RETURN_EXPIRED = "return_expired"


class Notice(StrEnum):
    """What processes are told: an order's by the signal of that name."""

    STOCK_ARRIVED = "stock_arrived"
    REOPTIMISED = "reoptimised"
    ORDER_CHANGED = "order_changed"
    """Something happened to the order that its process has to act on, or shows."""
    PARCEL_COMES_BACK = "parcel_comes_back"
    """A carrier brings a parcel back: the process of its return begins with this."""
    MESSAGE_RECEIVED = "message_received"
    """A channel told something of an order: what takes it in begins with this, or hears of it."""


class Medium(StrEnum):
    """How a message travels."""

    MAIL = "mail"
    """To the customer."""
    WEBHOOK = "webhook"
    """To the webhook that is told of orders."""
    AVAILABILITY = "availability"
    """To a channel's own webhook."""
    WORKFLOW = "workflow"
    """To a workflow, as a signal."""
    CHANNEL = "channel"
    """To the platform of the order's channel: it is told how the order stands."""
