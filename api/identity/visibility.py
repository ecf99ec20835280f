"""What is the caller's own. To name a channel, node or carrier that is not his is refused; whatever else is not his is
answered as if it were not there.
"""

from collections.abc import Iterable

from api.http.services import Services
from dom.orders.search_filter import OrderFilter
from dom.shared.access import UNLIMITED, Principal, Role, Scope
from dom.shared.errors import Forbidden, InvalidInput, NotFound
from store.access import visibility
from store.access.visibility import Kind


def must_be_own(
    who: Principal,
    field: str | None = None,
    *,
    channel: str | None = None,
    node: str | None = None,
    carrier: str | None = None,
) -> None:
    """Raises Forbidden, with the field, for one that is named and not the caller's own."""
    if not who.limits.allow(channel=channel, node=node, carrier=carrier):
        named = " and ".join(filter(None, (channel, node, carrier)))
        raise Forbidden(f"{who.name} has no access to {named}", field=field)


def own_nodes(who: Principal, nodes: Iterable[tuple[str, str | None]]) -> None:
    """Raises Forbidden for the first node that is not the caller's own, of pairs of field and node. None is any node:
    only for a caller who is not limited to nodes.
    """
    if who.limits.nodes is not None:
        for field, node in nodes:
            if node is None:
                no_limit_of_nodes(who)
            must_be_own(who, field, node=node)


def no_limit_of_nodes(who: Principal) -> None:
    """Raises Forbidden for a caller that is limited to nodes, of what concerns nodes that are not named yet."""
    if who.limits.nodes is not None:
        raise Forbidden(f"{who.name} is limited to nodes, and this may concern any")


def own_filter(who: Principal, given: OrderFilter) -> None:
    """Raises Forbidden for a channel or node that a filter of orders names, and that is not the caller's own."""
    for channel in given.channel or ():
        must_be_own(who, "channel", channel=channel)
    for node in given.node or ():
        must_be_own(who, "node", node=node)


def sees_costs(who: Principal) -> bool:
    """Whether the caller sees what the merchant pays, and by which policy: partners do not."""
    return who.has(Scope.SOURCING_READ)


def sees_codes(who: Principal) -> bool:
    """Whether the caller sees the codes with which goods are collected: a node asks its customer for them."""
    return who.has(Scope.ORDERS_WRITE) and Role.NODE not in who.roles


def no_limit(who: Principal, what: str) -> None:
    """Raises Forbidden for a caller with any limit. `what`, with its verb, is of all channels and nodes."""
    if who.limits != UNLIMITED:
        raise Forbidden(f"{who.name} has limits, and {what} of all channels and nodes")


def own_channel(who: Principal, named: str | None, field: str = "channel") -> str | None:
    """The channel that is meant: of a caller with one channel that one. None for no channel in particular.

    Raises Forbidden for one that is not the caller's own, InvalidInput where a caller with several names none.
    """
    own = who.limits.channels
    if named is not None or own is None:
        must_be_own(who, field, channel=named)
        return named
    if len(own) != 1:
        raise InvalidInput(f"name one of {', '.join(sorted(own)) or 'no channels'}", field=field)
    return next(iter(own))


async def see(services: Services, who: Principal, kind: Kind, key: str, otherwise: str = "") -> None:
    """Raises NotFound, in the words `otherwise`, for a thing that is not the caller's own."""
    if who.limits == UNLIMITED:
        return
    async with services.reads.connect() as connection:
        seen = await visibility.sees(connection, who.limits, kind, key)
    if not seen:
        raise NotFound(otherwise or f"there is no {kind.word} {key}")


async def must_do(services: Services, who: Principal, fulfilment_id: str, *, hands_out: bool) -> None:
    """Raises NotFound for a fulfilment that is not the caller's own, and Forbidden for a node whose part it is not: one
    node does the work, and the store where the customer collects may be another. What a store has in its hands it may
    speak of, also where the hand-over that would show it to the store was not reported.
    """
    kind, whose = (visibility.HANDING_OUT, "handed out") if hands_out else (visibility.WORK, "done")
    if who.limits.nodes is not None:
        async with services.reads.connect() as connection:
            if await visibility.sees(connection, who.limits, kind, fulfilment_id):
                return
    await see(services, who, visibility.FULFILMENT, fulfilment_id)
    if who.limits.nodes is not None:
        raise Forbidden(f"{fulfilment_id} is {whose} by another node")
