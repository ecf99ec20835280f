"""What callers with limits see: conditions for lists, and whether one thing is seen.

What belongs to no channel or node (a policy, a SKU) is not limited by them. Without a limit nothing is asked.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ARRAY, ColumnElement, Select, Text, and_, any_, exists, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.orders.status import NEVER_LEFT
from dom.shared.access import Limits
from store.enums import InboundKind
from store.tables.cancellations import cancellation_requests
from store.tables.feeds import inbound
from store.tables.orders import fulfilments, orders, shipment_fulfilments, shipments
from store.tables.questions import customer_questions
from store.tables.returns import returns

Conditions = list[ColumnElement[bool]]


def of_orders(limits: Limits) -> Conditions:
    """Orders of the channels, with work of the nodes."""
    conditions: Conditions = []
    if limits.channels is not None:
        conditions.append(orders.c.channel.in_(sorted(limits.channels)))
    if limits.nodes is not None:
        at_nodes = with_work_at(limits.nodes)
        (order_id,) = at_nodes.selected_columns
        conditions.append(exists(at_nodes.where(order_id == orders.c.id)))
    return conditions


def with_work_at(nodes: Iterable[str]) -> Select[Any]:
    """The ids of the orders with work of the nodes, or whose goods a carrier brings to them; whatever became of it."""
    work, named = fulfilments.alias(), sorted(nodes)
    return select(work.c.order_id).where(or_(work.c.node_id.in_(named), work.c.pickup_node.in_(named)))


def of_order_in(column: ColumnElement[Any], limits: Limits) -> Conditions:
    """Rows whose column names an order that is seen; those that name none are not seen."""
    conditions = of_orders(limits)
    return [exists(select(orders.c.id).where(orders.c.id == column, *conditions))] if conditions else []


def of_fulfilments(limits: Limits) -> Conditions:
    """Work of the nodes, and what a carrier brings to them, from when it left its node; for orders of the channels."""
    conditions: Conditions = []
    if limits.nodes is not None:
        named = sorted(limits.nodes)
        brought = and_(fulfilments.c.pickup_node.in_(named), fulfilments.c.status.not_in(sorted(NEVER_LEFT)))
        conditions.append(or_(fulfilments.c.node_id.in_(named), brought))
    return [*conditions, *_of_channels(fulfilments.c.order_id, limits)]


def of_work(limits: Limits) -> Conditions:
    """Work that the nodes do themselves, whoever hands the goods out; for orders of the channels."""
    of_channels = _of_channels(fulfilments.c.order_id, limits)
    return of_channels if limits.nodes is None else [fulfilments.c.node_id.in_(sorted(limits.nodes)), *of_channels]


def of_handing_out(limits: Limits) -> Conditions:
    """Work whose goods the nodes hand out, whoever did it; for orders of the channels."""
    of_channels = _of_channels(fulfilments.c.order_id, limits)
    if limits.nodes is None:
        return of_channels
    place = func.coalesce(fulfilments.c.pickup_node, fulfilments.c.node_id)
    return [place.in_(sorted(limits.nodes)), *of_channels]


def of_shipments(limits: Limits) -> Conditions:
    """Shipments of the carriers, with work that is seen."""
    conditions: Conditions = []
    if limits.carriers is not None:
        conditions.append(shipments.c.carrier.in_(sorted(limits.carriers)))
    if work := of_fulfilments(limits):
        carried = shipment_fulfilments.join(fulfilments, fulfilments.c.id == shipment_fulfilments.c.fulfilment_id)
        within = select(shipment_fulfilments.c.fulfilment_id).select_from(carried)
        conditions.append(exists(within.where(shipment_fulfilments.c.shipment_id == shipments.c.id, *work)))
    return conditions


def of_returns(limits: Limits) -> Conditions:
    """Returns to the nodes, of orders of the channels."""
    conditions: Conditions = []
    if limits.nodes is not None:
        conditions.append(returns.c.node_id.in_(sorted(limits.nodes)))
    return [*conditions, *_of_channels(returns.c.order_id, limits)]


def of_cancellations(limits: Limits) -> Conditions:
    """Cancellations that the nodes are asked for, of orders of the channels."""
    conditions: Conditions = []
    if limits.nodes is not None:
        conditions.append(cancellation_requests.c.node_id.in_(sorted(limits.nodes)))
    return [*conditions, *_of_channels(cancellation_requests.c.order_id, limits)]


def of_questions(limits: Limits) -> Conditions:
    """Questions about orders that are seen."""
    return of_order_in(customer_questions.c.order_id, limits)


def of_inbound(limits: Limits) -> Conditions:
    """Goods that come to one of the nodes, or leave one of them. Returns of orders are of the orders' channels alone;
    what else comes belongs to no channel.
    """
    conditions: Conditions = []
    if limits.nodes is not None:
        named = sorted(limits.nodes)
        conditions.append(or_(inbound.c.node_id.in_(named), inbound.c.origin_node.in_(named)))
    if limits.channels is not None:
        of_another = exists().where(
            returns.c.id == inbound.c.reference, returns.c.order_id == orders.c.id,
            orders.c.channel.not_in(sorted(limits.channels)),
        )  # fmt: skip
        conditions.append(or_(inbound.c.kind != InboundKind.RETURN, ~of_another))
    return conditions


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of thing that may be another's: what it is called, its key, and which of them are seen."""

    word: str
    key: ColumnElement[Any]
    seen: Callable[[Limits], Conditions]


ORDER: Final = Kind("order", orders.c.id, of_orders)
FULFILMENT: Final = Kind("fulfilment", fulfilments.c.id, of_fulfilments)
WORK: Final = Kind("fulfilment", fulfilments.c.id, of_work)
HANDING_OUT: Final = Kind("fulfilment", fulfilments.c.id, of_handing_out)
RETURN: Final = Kind("return", returns.c.id, of_returns)
CANCELLATION: Final = Kind("cancellation request", cancellation_requests.c.id, of_cancellations)
QUESTION: Final = Kind("question", customer_questions.c.id, of_questions)
INBOUND: Final = Kind("inbound", inbound.c.reference, of_inbound)


async def sees(connection: AsyncConnection, limits: Limits, kind: Kind, key: str) -> bool:
    """Whether the thing is there and seen."""
    return (await connection.execute(select(kind.key).where(kind.key == key, *kind.seen(limits)))).first() is not None


async def seen_orders(connection: AsyncConnection, limits: Limits, named: Sequence[str]) -> frozenset[str]:
    """Those of the orders that are there and seen."""
    query = select(orders.c.id).where(orders.c.id == any_(literal(list(named), ARRAY(Text))), *of_orders(limits))
    return frozenset((await connection.scalars(query)).all())


def _of_channels(order_id: ColumnElement[Any], limits: Limits) -> Conditions:
    if limits.channels is None:
        return []
    of_channel = select(orders.c.id).where(orders.c.id == order_id, orders.c.channel.in_(sorted(limits.channels)))
    return [exists(of_channel)]
