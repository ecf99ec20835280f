"""What is the caller's own. To name a channel, node or carrier that is not his is refused; whatever else is not his is
answered as if it were not there.
"""

from collections.abc import Iterable

from api.http.services import Services
from dom.shared.access import UNLIMITED, Principal
from dom.shared.errors import Forbidden, InvalidInput, NotFound
from store import inbound
from store.access import visibility


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


def own_nodes(who: Principal, nodes: Iterable[tuple[str, str]]) -> None:
    """Raises Forbidden for the first node that is not the caller's own, of pairs of field and node."""
    if who.limits.nodes is not None:
        for field, node in nodes:
            must_be_own(who, field, node=node)


def no_limit_of_nodes(who: Principal) -> None:
    """Raises Forbidden for a caller that is limited to nodes, of what concerns nodes that are not named yet."""
    if who.limits.nodes is not None:
        raise Forbidden(f"{who.name} is limited to nodes, and this may concern any")


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


async def may_announce(services: Services, who: Principal, reference: str) -> None:
    """Raises Forbidden for a reference of goods of other nodes: announcing would replace them."""
    if who.limits == UNLIMITED:
        return
    async with services.reads.connect() as connection:
        if await inbound.get(connection, reference) is None:
            return
        seen = await visibility.sees_inbound(connection, who.limits, reference)
    if not seen:
        raise Forbidden(f"{who.name} cannot use the reference {reference}")


async def see_order(services: Services, who: Principal, order_id: str) -> None:
    """Raises NotFound for an order that is not the caller's own."""
    if who.limits == UNLIMITED:
        return
    async with services.reads.connect() as connection:
        seen = await visibility.sees_order(connection, who.limits, order_id)
    if not seen:
        raise NotFound(f"there is no order {order_id}")


async def see_fulfilment(services: Services, who: Principal, fulfilment_id: str, otherwise: str = "") -> None:
    """Raises NotFound for a fulfilment that is not the caller's own."""
    if who.limits == UNLIMITED:
        return
    async with services.reads.connect() as connection:
        seen = await visibility.sees_fulfilment(connection, who.limits, fulfilment_id)
    if not seen:
        raise NotFound(otherwise or f"there is no fulfilment {fulfilment_id}")


async def see_return(services: Services, who: Principal, return_id: str) -> None:
    """Raises NotFound for a return that is not the caller's own."""
    if who.limits == UNLIMITED:
        return
    async with services.reads.connect() as connection:
        seen = await visibility.sees_return(connection, who.limits, return_id)
    if not seen:
        raise NotFound(f"there is no return {return_id}")


async def see_inbound(services: Services, who: Principal, reference: str) -> None:
    """Raises NotFound for inbound goods that neither come to the caller's nodes nor leave them."""
    if who.limits == UNLIMITED:
        return
    async with services.reads.connect() as connection:
        seen = await visibility.sees_inbound(connection, who.limits, reference)
    if not seen:
        raise NotFound(f"there is no inbound {reference}")
