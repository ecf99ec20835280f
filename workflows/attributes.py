"""Typed search attributes of the workflows, registered by `dom up` and `dom prepare`; for people who search in the
Temporal UI.
"""

from collections.abc import Sequence
from typing import Any, Final

from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

from dom.orders.order import Order
from dom.orders.status import OrderStatus, ReturnStatus

CHANNEL = SearchAttributeKey.for_keyword("DomChannel")
STATUS = SearchAttributeKey.for_keyword("DomStatus")
CUSTOMER = SearchAttributeKey.for_keyword("DomCustomer")
NODE = SearchAttributeKey.for_keyword_list("DomNode")

ALL: Final[tuple[SearchAttributeKey[Any], ...]] = (CHANNEL, STATUS, CUSTOMER, NODE)
"""What a namespace must know before the first order: the server refuses a workflow with an attribute it does not."""


def of_order(
    order: Order, status: OrderStatus = OrderStatus.ACCEPTED, nodes: Sequence[str] = ()
) -> TypedSearchAttributes:
    """What the workflow of an order starts with; which nodes have its work is known once it is sourced."""
    pairs: list[SearchAttributePair[str] | SearchAttributePair[Sequence[str]]] = [
        SearchAttributePair(CHANNEL, order.channel),
        SearchAttributePair(STATUS, status),
        SearchAttributePair(CUSTOMER, order.customer.id),
    ]
    if nodes:
        pairs.append(SearchAttributePair(NODE, nodes))
    return TypedSearchAttributes(pairs)


def of_return() -> TypedSearchAttributes:
    """What the workflow of a return starts with; the rest is known once it is allowed."""
    return TypedSearchAttributes([SearchAttributePair(STATUS, ReturnStatus.REQUESTED)])
