"""Inbound goods: purchase orders, transfers between nodes, announced returns. Units on their way belong to no balance.

terms       which of them count towards what can be promised, and from when
announcing  what is to come; replaced or called off while nothing has moved
shipping    a transfer leaves its origin
receiving   what arrives, in parts and in whatever condition
returned    the returns this system has allowed itself, followed as inbound
reading     one, a list, and what is in transit
"""

from store.inbound.announcing import Announcement, announce, cancel
from store.inbound.reading import InboundFilter, find, get, in_transit
from store.inbound.receiving import Arrived, Receipt, receive
from store.inbound.returned import follow_no_more, follow_return, return_arrived
from store.inbound.rows import lock
from store.inbound.shipping import ship

__all__ = [
    "Announcement",
    "Arrived",
    "InboundFilter",
    "Receipt",
    "announce",
    "cancel",
    "find",
    "follow_no_more",
    "follow_return",
    "get",
    "in_transit",
    "lock",
    "receive",
    "return_arrived",
    "ship",
]
