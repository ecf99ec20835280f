"""What giving units to another order changes: they leave work that no node has begun, and wait."""

from collections.abc import Mapping
from datetime import datetime

from dom.orders.changes import (
    WAITING,
    GiveDayBack,
    MovedUnits,
    OrderChange,
    OrderEvent,
    ReleaseStock,
    StatusMove,
    StockEffect,
)
from dom.orders.event_data import ReallocatedData
from dom.orders.events import EventKind
from dom.orders.holds import BlockedStep, must_not_block
from dom.orders.lifecycle import OrderState
from dom.orders.status import UNBEGUN, FulfilmentStatus
from dom.orders.transitions.shared import fulfilment_of, listed_units
from dom.shared.errors import StepNotPossible


def given_key(fulfilment_id: str) -> str:
    """The key of the event, and of the decision, by which an order gave units of a fulfilment."""
    return f"{fulfilment_id}:given"


def give_units(
    state: OrderState, fulfilment_id: str, lines: Mapping[str, int], actor: str, at: datetime, data: ReallocatedData
) -> OrderChange:
    """The units wait after it; work without any is recalled. Raises NotFound, OnHold, and StepNotPossible for work that
    is begun or ended, is collected by the customer, or has not so many units.
    """
    work = fulfilment_of(state, fulfilment_id)
    if work.status not in UNBEGUN or work.pickup or work.brought:
        raise StepNotPossible(f"{work.id} is {work.status}; only what no node has begun can be given")
    if any(units > work.lines.get(line_id, 0) for line_id, units in lines.items()):
        raise StepNotPossible(f"{work.id} has not so many units")
    for step in (BlockedStep.SOURCING, BlockedStep.RELEASE):
        must_not_block(state.holds.values(), step, f"giving units of {work.id}")
    is_all = dict(lines) == listed_units(work)
    reason = "its units were given to an order whose promise is in danger"
    key = given_key(work.id)
    stock: tuple[StockEffect, ...] = (ReleaseStock(work.id, dict(lines), key, reason),)
    return OrderChange(
        event=OrderEvent(EventKind.REALLOCATED, key, actor, at, reason, data),
        moved=tuple(
            MovedUnits(line_id, units, work.id, WAITING, stay_listed=is_all) for line_id, units in lines.items()
        ),
        statuses=(StatusMove(work.id, FulfilmentStatus.RECALLED, reason),) if is_all else (),
        stock=(*stock, GiveDayBack(work.id)) if is_all else stock,
    )
