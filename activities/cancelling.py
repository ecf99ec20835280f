"""Cancelling: units leave the order, and what they held goes back to availability."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio import activity

from activities.boundary import Database
from activities.looking_again import Answer
from dom.notifications.messages import MessageKind
from dom.orders.status import FulfilmentStatus, OrderStatus
from dom.shared.access import OFL
from dom.shared.base import Value
from store import backorders, exceptions, stock
from store.fulfilment import fulfilments
from store.notifications import messages
from store.orders import orders, timeline


class CancelPart(Value):
    """Units of a line: of a fulfilment, or (None) of those that wait for stock."""

    line_id: str
    quantity: int
    fulfilment_id: str | None


class CancelUnits(Value):
    """Cancel these units. `ended` fulfilments have none left; `reopened` ones are to be packed anew.

    `request` is the caller's `Idempotency-Key`, kept so that a process that begins anew answers it again;
    `request_hash` tells whether the key stands for the same request then.
    """

    order_id: str
    number: int
    parts: tuple[CancelPart, ...]
    ended: tuple[str, ...]
    reopened: tuple[str, ...]
    order_status: OrderStatus
    actor: str
    reason: str
    occurred_at: datetime | None
    request: str | None = None
    request_hash: str | None = None


def occasion(number: int) -> str:
    """The occasion under which the messages of an order's cancellation stand."""
    return f"cancelled:{number}"


@dataclass(frozen=True, slots=True)
class Cancelling:
    """Cancellations before hand-over."""

    database: Database

    @activity.defn(name="cancel_units")
    async def cancel_units(self, request: CancelUnits) -> Answer | None:
        """Release reservations and node capacity, count the units as cancelled, tell the customer; once a number.

        Answers RECALLED, and writes nothing, if some of the units are in work that a second look took back.
        """
        try:
            await self._cancel(request)
        except fulfilments.Recalled:
            return Answer.RECALLED
        return None

    async def _cancel(self, request: CancelUnits) -> None:
        at = request.occurred_at or self.database.now()
        key = occasion(request.number)
        async with self.database.transaction() as connection:
            data: dict[str, object] = {"lines": _by_line(request)}
            if request.request is not None:
                data |= {"request": request.request, "request_hash": request.request_hash}
            event = timeline.Event(request.order_id, "cancelled", key, request.actor, at, request.reason, data)
            if not await take_out(connection, request, event, cancelled=_by_line(request)):
                return
            await orders.narrow_promise(connection, request.order_id)
            await messages.write(
                connection,
                request.order_id,
                key,
                MessageKind.CANCELLED,
                context={"lines": _by_line(request), "reason": request.reason, "gave_up": request.actor == OFL},
                webhook=self.database.webhooks,
            )


class TakenOut(Protocol):
    """Units that leave fulfilments: `ended` ones have none left, `reopened` ones are to be packed anew."""

    @property
    def order_id(self) -> str: ...
    @property
    def parts(self) -> tuple[CancelPart, ...]: ...
    @property
    def ended(self) -> tuple[str, ...]: ...
    @property
    def reopened(self) -> tuple[str, ...]: ...
    @property
    def order_status(self) -> OrderStatus: ...
    @property
    def actor(self) -> str: ...
    @property
    def reason(self) -> str: ...


async def take_out(
    connection: AsyncConnection, request: TakenOut, event: timeline.Event, *, cancelled: Mapping[str, int]
) -> bool:
    """Write the event down, and with it that the units leave waiting and work: what they held goes back to
    availability. Those of them that are `cancelled`, by line, count as such. False if it was done before.

    For a transaction. Raises Recalled, and nothing may be kept, if a second look took back some of the work.
    """
    await backorders.undisturbed(connection, request.order_id)
    if not await timeline.append(connection, event):
        return False
    await fulfilments.still_standing(connection, by_fulfilment(request.parts))
    waited: defaultdict[str, int] = defaultdict(int)
    for part in request.parts:
        waited[part.line_id] += part.quantity if part.fulfilment_id is None else 0
    if any(waited.values()):
        await backorders.give_up(connection, request.order_id, reason=request.reason, actor=request.actor)
    await _give_back(connection, request, event)
    moves = [
        orders.UnitMove(line_id, cancelled=cancelled.get(line_id, 0), backordered=-quantity)
        for line_id, quantity in waited.items()
    ]
    await orders.move_units(connection, request.order_id, moves)
    await exceptions.close_sourced(connection, request.order_id)
    await orders.set_status(connection, request.order_id, request.order_status, event.occurred_at)
    return True


async def _give_back(connection: AsyncConnection, request: TakenOut, event: timeline.Event) -> None:
    """What the units held goes back to availability, and the fulfilments are as they are without them."""
    for fulfilment_id, units in sorted(by_fulfilment(request.parts).items()):
        await stock.release(
            connection,
            request.order_id,
            fulfilment_id,
            units,
            business_key=f"{fulfilment_id}:{event.business_key}",
            reason=request.reason,
            actor=request.actor,
            at=event.occurred_at,
        )
        await fulfilments.take_out(connection, fulfilment_id, units)
    for fulfilment_id in request.reopened:
        await fulfilments.set_status(connection, fulfilment_id, FulfilmentStatus.PICKED)
    for fulfilment_id in request.ended:
        await fulfilments.set_status(connection, fulfilment_id, FulfilmentStatus.CANCELLED)
        place = await fulfilments.get(connection, fulfilment_id)
        if place is not None:
            await stock.give_day_back(connection, stock.WorkDay(place["node_id"], place["ship_day"], place["method"]))


def _by_line(request: CancelUnits) -> dict[str, int]:
    units: defaultdict[str, int] = defaultdict(int)
    for part in request.parts:
        units[part.line_id] += part.quantity
    return dict(units)


def by_fulfilment(parts: Iterable[CancelPart]) -> dict[str, dict[str, int]]:
    """Units by fulfilment and line, without those that wait."""
    units: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for part in parts:
        if part.fulfilment_id is not None:
            units[part.fulfilment_id][part.line_id] = part.quantity
    return dict(units)
