"""Identifiers. Each is built from what it names, so that a repeat gives the same one and a reader can tell them apart.

An order's id is its channel and the channel's own number, `web-536365`; its fulfilments are `web-536365-F1`, its
returns `web-536365-R7KQ2M`. The order can be read off any of them without a look-up.
"""

import hashlib
from base64 import b32encode

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")


def order_id(channel: str, external_id: str) -> str:
    """The order's id; different (channel, external_id) give different ids.

    A channel's code has no hyphen, so the first hyphen parts the two. Characters that do not travel in a URL are
    written as `~` and their UTF-8 bytes in hexadecimal.
    """
    return f"{channel}-{''.join(c if c in _PLAIN else _escaped(c) for c in external_id)}"


def _escaped(character: str) -> str:
    return "".join(f"~{byte:02X}" for byte in character.encode())


def fulfilment_id(order: str, number: int) -> str:
    """The id of an order's fulfilment, counted from 1 over the order's whole life."""
    return f"{order}-F{number}"


def hold_id(order: str, number: int) -> str:
    """The id of an order's hold, counted from 1 over the order's whole life."""
    return f"{order}-H{number}"


def cancellation_request_id(order: str, number: int) -> str:
    """The id of a cancellation that a node of the order is asked for, counted from 1 over the order's whole life."""
    return f"{order}-C{number}"


def question_id(order: str, number: int) -> str:
    """The id of a question to an order's customer, counted from 1 over the order's whole life."""
    return f"{order}-Q{number}"


def return_id(order: str, token: str) -> str:
    """The id of a return; the same token (the caller's idempotency key) gives the same id."""
    return f"{order}-R{b32encode(hashlib.sha256(token.encode()).digest())[:6].decode()}"


def reservation_id(channel: str, owner: str, token: str) -> str:
    """The id of a soft reservation; the same token (the caller's idempotency key) of an owner gives the same id."""
    named = "\0".join((channel, owner, token))
    return f"{channel}-S{b32encode(hashlib.sha256(named.encode()).digest())[:16].decode()}"


def channel_order_workflow_id(channel: str, number: str) -> str:
    """The id of the workflow that takes in what a channel tells of an order."""
    return f"intake-{order_id(channel, number)}"


def order_of(fulfilment_or_return: str) -> str:
    """The order a fulfilment or return belongs to."""
    return fulfilment_or_return.rpartition("-")[0]


def booking_key(fulfilment: str, attempt: int) -> str:
    """What makes a carrier booking happen once: the fulfilment and how often it was packed."""
    return f"{fulfilment}-B{attempt}"


def own_shipment_id(fulfilment: str) -> str:
    """The id of what a node sent with a carrier of its own: once for a fulfilment, and no booking's key."""
    return f"{fulfilment}-own"


def order_workflow_id(order: str) -> str:
    """The Temporal workflow that is this order."""
    return f"order-{order}"


def return_workflow_id(rma: str) -> str:
    """The Temporal workflow that is this return."""
    return f"return-{rma}"
