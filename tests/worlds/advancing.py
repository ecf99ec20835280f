"""Fulfilments come to a status by the commands that lead there, without a process."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dom.orders.commands import CancelUnits, CarrierBooked, Command, MoveParcel, TakeNodeStep
from dom.orders.status import FulfilmentStatus, FulfilmentStep
from dom.shared import ids
from services.change_orders import OrderChanged, Writing, change_order
from tests.worlds.sourcing import MONDAY_NOON

S = FulfilmentStatus
_STEPS: Final = {
    S.ACCEPTED: FulfilmentStep.ACCEPT,
    S.PICKED: FulfilmentStep.PICK,
    S.PACKED: FulfilmentStep.PACK,
    S.READY: FulfilmentStep.PACK,
    S.REJECTED: FulfilmentStep.REJECT,
}


def to(fulfilment_id: str, status: FulfilmentStatus) -> Command:
    """The command that leads a fulfilment to a status from the one before."""
    if status is S.BOOKED:
        return CarrierBooked(
            fulfilment_id=fulfilment_id,
            shipment_id=ids.booking_key(fulfilment_id, 1),
            carrier="test",
            tracking_number="T",
            price=100,
            currency="GBP",
            is_needed=True,
            at=MONDAY_NOON,
        )
    if status is S.COLLECTED:
        return collected(fulfilment_id)
    if status in _STEPS:
        return TakeNodeStep(fulfilment_id=fulfilment_id, step=_STEPS[status], actor="node", at=MONDAY_NOON)
    return MoveParcel(fulfilment_id=fulfilment_id, status=status, actor="carrier", at=MONDAY_NOON)


def collected(fulfilment_id: str, at: datetime = MONDAY_NOON, **fields: Any) -> TakeNodeStep:
    """The customer collects the goods: with the code that is given, else with a passport."""
    known = {"identity_checked": True, "reason": "passport"} if "code" not in fields else {}
    said = {"fulfilment_id": fulfilment_id, "actor": "node", "at": at, **known, **fields}
    return TakeNodeStep(step=FulfilmentStep.COLLECT, **said)


def all_of(lines: Mapping[str, int] | None = None) -> CancelUnits:
    """Support cancels units by line, or all."""
    return CancelUnits(lines=None if lines is None else dict(lines), actor="support", at=MONDAY_NOON, reason="asked")


async def do(connection: AsyncConnection, order_id: str, command: Command) -> OrderChanged:
    """Carry a command out in the connection's transaction."""
    return await change_order(connection, order_id, command, Writing(webhook=True))


async def comes_to(engine: AsyncEngine, fulfilment_id: str, *statuses: FulfilmentStatus) -> None:
    """The fulfilment comes to each of the statuses, one after the other."""
    for status in statuses:
        async with engine.begin() as connection:
            await do(connection, ids.order_of(fulfilment_id), to(fulfilment_id, status))
