"""What an order's process sees of the order, read from the store."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from dom.fulfilment.carrier_reports import needs_booking
from dom.orders.asked import AskedOf
from dom.orders.holds import BlockedStep, Hold
from dom.orders.lifecycle import FulfilmentState, OrderState
from dom.orders.status import FulfilmentStatus, OrderStatus
from dom.orders.views import FulfilmentView, HoldView, OrderView
from dom.shared import ids
from dom.shared.errors import NotFound
from dom.sourcing.models import SourcingDecision
from store.enums import ShipmentStatus
from store.fulfilment import fulfilments
from store.orders import resuming
from store.orders.resuming import CarrierBookings

_S = FulfilmentStatus
_UNKNOWN_OR_BOOKED: Final = frozenset({None, ShipmentStatus.BOOKED})


async def read(connection: AsyncConnection, order_id: str, *, takes_in: bool = False) -> OrderView | None:
    """The order as it stands, in one statement; None if the store does not hold it. With `takes_in` what
    re-optimisations changed up to now counts as known to the order's process.
    """
    stored = await resuming.read(connection, order_id, takes_in=takes_in)
    if stored is None:
        return None
    state, sourced = stored.state, stored.sourcings
    back = {each.fulfilment_id: each.id for each in state.asked.values() if each.asked_of is AskedOf.CARRIER}
    return OrderView(
        status=state.status(),
        waiting=state.waiting,
        cancelled={line.line_id: line.cancelled for line in state.lines.values() if line.cancelled},
        fulfilments=tuple(
            _fulfilment(each, stored.bookings[each.id], back.get(each.id)) for each in state.fulfilments.values()
        ),
        holds=tuple(_hold(each) for each in state.holds.values()),
        revision=state.revision,
        sourcings=sourced.number if sourced else 0,
        cause=sourced.cause if sourced and not state.blocked(BlockedStep.SOURCING) else None,
        as_of=sourced.as_of if sourced else None,
    )


async def get(connection: AsyncConnection, order_id: str) -> OrderView:
    """The order as it stands. Raises NotFound."""
    view = await read(connection, order_id)
    if view is None:
        raise NotFound(f"there is no order {order_id}")
    return view


def captured(decision: SourcingDecision, waiting: Mapping[str, int]) -> OrderView:
    """The order as it stands right after its capture."""
    state = OrderState(decision.order_id, {})
    for unit in fulfilments.planned_units(decision, 1):
        fulfilment = state.fulfilments.setdefault(
            unit.fulfilment_id, FulfilmentState(unit.fulfilment_id, unit.node_id, pickup=False, lines={})
        )
        fulfilment.lines[unit.line_id] = unit.quantity
    return OrderView(
        status=OrderStatus.ACCEPTED if state.fulfilments else OrderStatus.BACKORDERED,
        waiting=dict(waiting),
        cancelled={},
        fulfilments=tuple(_fulfilment(each, CarrierBookings({}, "")) for each in state.fulfilments.values()),
    )


def _hold(hold: Hold) -> HoldView:
    return HoldView(
        hold_id=hold.id,
        type=hold.type,
        blocks=tuple(sorted(hold.blocks)),
        release_at=hold.release_at,
        overdue_at=None if hold.overdue else hold.due_at,
    )


def _fulfilment(fulfilment: FulfilmentState, booked: CarrierBookings, intercept: str | None = None) -> FulfilmentView:
    packings, status = fulfilment.packings, fulfilment.status
    is_own = ids.own_shipment_id(fulfilment.id) in booked.bookings
    stands = packings if needs_booking(fulfilment) and not is_own else None

    def is_open(attempt: int) -> bool:
        """Whether it stands, or may have been made at the carrier without our having heard of it."""
        return booked.bookings.get(ids.booking_key(fulfilment.id, attempt)) in _UNKNOWN_OR_BOOKED

    return FulfilmentView(
        fulfilment_id=fulfilment.id,
        node_id=fulfilment.node_id,
        status=status,
        units=sum(fulfilment.lines.values()),
        tracking=booked.tracking,
        book=packings if status is _S.PACKED else None,
        void=tuple(n for n in range(1, packings + 1) if n != stands and is_open(n)),
        intercept=intercept,
    )
