"""Orders without a store, and commands to them, in the words of the tests."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from dom.orders.commands import CancelUnits, CarrierBooked, CountAsDelivered, MoveParcel, TakeNodeStep
from dom.orders.lifecycle import FulfilmentState, LineState, OrderState
from dom.orders.status import FulfilmentStatus, FulfilmentStep

S = FulfilmentStatus
Step = FulfilmentStep
AT = datetime(2026, 3, 2, 12, tzinfo=UTC)


def order(**lines: int) -> OrderState:
    """An order whose units all wait: `order(a=3, b=1)`."""
    waiting = {i: LineState(i, i.upper(), quantity, 100, backordered=quantity) for i, quantity in lines.items()}
    return OrderState(order_id="web-1", lines=waiting)


def working(status: S = S.RELEASED, *, pickup: bool = False, **lines: int) -> OrderState:
    """An order whose units are all in one fulfilment, F1, at that status."""
    state = order(**lines)
    state.add(FulfilmentState("F1", "dc", pickup=pickup, lines=dict(lines), status=status))
    return state


def step(step: Step, fulfilment_id: str = "F1", **fields: Any) -> TakeNodeStep:
    return TakeNodeStep(fulfilment_id=fulfilment_id, step=step, actor="node", at=AT, **fields)


def parcel(status: S, fulfilment_id: str = "F1") -> MoveParcel:
    return MoveParcel(fulfilment_id=fulfilment_id, status=status, actor="carrier", at=AT)


def cancel(lines: Mapping[str, int | None] | None = None, **fields: Any) -> CancelUnits:
    return CancelUnits(lines=None if lines is None else dict(lines), actor="support", at=AT, reason="asked", **fields)


def arrived(fulfilment_id: str = "F1", *, begun: bool = False) -> CountAsDelivered:
    return CountAsDelivered(fulfilment_id=fulfilment_id, actor="support", at=AT, reason="arrived", begun=begun)


def booked(fulfilment_id: str) -> CarrierBooked:
    return CarrierBooked(
        fulfilment_id=fulfilment_id,
        shipment_id=f"{fulfilment_id}-B1",
        carrier="northline",
        tracking_number="T",
        price=100,
        currency="GBP",
        is_needed=True,
        at=AT,
    )
