"""An order's claim on units that are held for it: the soft reservation of the cart it came from.

A claim that does not stand never blocks the order: it is planned on free stock, and its timeline says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from dom.orders.order import Order
from dom.sourcing.models import SourcingDecision
from store import stock
from store.stock import soft


@dataclass(frozen=True, slots=True)
class ReservationConversion:
    """`own` is the reservation whose units are the order's; None if it names none that holds any. `outcome` is what
    became of the one it names.
    """

    own: str | None = None
    outcome: Literal["converted", "lapsed", "unknown"] | None = None


async def find_reservation(connection: AsyncConnection, order: Order) -> ReservationConversion:
    """What becomes of the reservation the order names: it is converted, or lapsed or ended, or its channel has none."""
    named = order.reservation_id
    if named is None:
        return ReservationConversion()
    live = await soft.is_live(connection, named, order.channel)
    if live is None:
        return ReservationConversion(outcome="unknown")
    return ReservationConversion(named, "converted") if live else ReservationConversion(outcome="lapsed")


async def convert_reservation(
    connection: AsyncConnection, found: ReservationConversion, decision: SourcingDecision
) -> Mapping[tuple[str, str], int]:
    """Give the order's units back for it to take in this transaction; answers them by (node, SKU).

    The plan's rows are locked with them, so that nobody slips in between. Raises OutOfReach if they lapsed since they
    were counted as the order's own: plan again without them.
    """
    if found.own is None:
        return stock.NOTHING
    owned = await soft.convert(connection, found.own, decision.order_id, also=sorted(decision.balances))
    if not owned:
        raise stock.OutOfReach(decision.order_id)
    return owned
