"""Fulfilling: each step of a node's or carrier's work is written down with what it does to stock and to the order."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio import activity

from activities.boundary import Database
from activities.looking_again import Answer
from dom.notifications.messages import MessageKind
from dom.orders.status import FulfilmentStatus, OrderStatus
from dom.shared.base import Value
from store import exceptions, stock
from store.delivery import shipments
from store.enums import LedgerKind, ShipmentStatus
from store.fulfilment import fulfilments, unexpected_reports
from store.notifications import messages
from store.orders import orders, timeline

_TOLD: Final = {
    FulfilmentStatus.HANDED_OVER: MessageKind.SHIPPED,
    FulfilmentStatus.READY: MessageKind.READY_FOR_COLLECTION,
    FulfilmentStatus.DELIVERED: MessageKind.DELIVERED,
    FulfilmentStatus.COLLECTED: MessageKind.DELIVERED,
    FulfilmentStatus.RETURNED: MessageKind.RETURNED_TO_SENDER,
}
"""What the customer is told, and when."""

_LEAVES_THE_NODE: Final = frozenset({FulfilmentStatus.HANDED_OVER, FulfilmentStatus.COLLECTED})
_CHANGES_NOTHING_ELSE: Final = frozenset({FulfilmentStatus.ACCEPTED, FulfilmentStatus.PICKED, FulfilmentStatus.PACKED})
_NEEDS_A_PERSON: Final = frozenset({FulfilmentStatus.LOST, FulfilmentStatus.RETURNED})
_ENDS_A_SHIPMENT: Final = {
    FulfilmentStatus.DELIVERED: ShipmentStatus.DELIVERED,
    FulfilmentStatus.LOST: ShipmentStatus.LOST,
    FulfilmentStatus.RETURNED: ShipmentStatus.RETURNED,
}


def occasion(fulfilment_id: str, status: FulfilmentStatus) -> str:
    """The occasion under which the messages of a step stand."""
    return f"{fulfilment_id}:{status}"


class AdvanceFulfilment(Value):
    """A fulfilment comes to a status. `lines` are its units by line, `missing` those a pick did not find: all of them,
    where it is rejected for that.

    `number` counts the steps of the fulfilment: with it a step is written once, however often it is tried.
    """

    order_id: str
    fulfilment_id: str
    number: int
    status: FulfilmentStatus
    order_status: OrderStatus
    lines: dict[str, int]
    missing: dict[str, int] = Field(default={})
    actor: str
    reason: str = ""
    occurred_at: datetime


class StrayReport(Value):
    """A node or carrier reported what the fulfilment's status does not allow."""

    order_id: str
    fulfilment_id: str
    report: str
    status: FulfilmentStatus
    actor: str
    occurred_at: datetime
    shipment_id: str | None = None


@dataclass(frozen=True, slots=True)
class Fulfilling:
    """Steps of fulfilments."""

    database: Database

    @activity.defn(name="advance_fulfilment")
    async def advance_fulfilment(self, step: AdvanceFulfilment) -> Answer | None:
        """Write the step down, once: status, timeline, stock, waiting units, messages, exceptions.

        Answers RECALLED, and writes nothing, for work that a second look took back.
        """
        try:
            await self._advance(step)
        except fulfilments.Recalled:
            return Answer.RECALLED
        return None

    async def _advance(self, step: AdvanceFulfilment) -> None:
        alone = step.status in _CHANGES_NOTHING_ELSE and not step.missing
        async with self.database.statement() if alone else self.database.transaction() as connection:
            place = await fulfilments.advance(
                connection,
                _event(step),
                fulfilment_id=step.fulfilment_id,
                status=step.status,
                order_status=step.order_status,
            )
            if place is None:
                return
            if (ended := _ENDS_A_SHIPMENT.get(step.status)) is not None:
                await shipments.end_with(connection, step.fulfilment_id, ended, step.occurred_at)
            if step.status in _TOLD:
                await self._tell(connection, step)
            if step.missing:
                await _correct_short_pick(connection, step, place.node_id)
            if step.status in _LEAVES_THE_NODE:
                await stock.consume(
                    connection, step.order_id, step.fulfilment_id, actor=step.actor, at=step.occurred_at
                )
            elif step.status is FulfilmentStatus.REJECTED:
                if not step.missing:
                    await _give_back(connection, step)
                await stock.give_day_back(connection, stock.WorkDay(place.node_id, place.ship_day, place.method))
            elif step.status in _NEEDS_A_PERSON:
                await _call_a_person(connection, step, place.node_id)

    @activity.defn(name="note_stray_report")
    async def note_stray_report(self, stray: StrayReport) -> None:
        """A report that cannot be true of the fulfilment any more: kept, and put before a person."""
        async with self.database.transaction() as connection:
            report = unexpected_reports.Report(
                stray.fulfilment_id,
                stray.report,
                stray.actor,
                stray.occurred_at,
                shipment_id=stray.shipment_id,
                status=stray.status,
            )
            await unexpected_reports.note(connection, report)

    async def _tell(self, connection: AsyncConnection, step: AdvanceFulfilment) -> None:
        await messages.write(
            connection,
            step.order_id,
            occasion(step.fulfilment_id, step.status),
            _TOLD[step.status],
            context={"fulfilment_id": step.fulfilment_id},
            webhook=self.database.webhooks,
        )


def _event(step: AdvanceFulfilment) -> timeline.Event:
    data: dict[str, object] = {"fulfilment_id": step.fulfilment_id}
    if step.missing:
        data["missing"] = step.missing
    return timeline.Event(
        step.order_id,
        f"fulfilment_{step.status}",
        f"{step.fulfilment_id}:{step.number}:{step.status}",
        step.actor,
        step.occurred_at,
        step.reason,
        data,
    )


async def _correct_short_pick(connection: AsyncConnection, step: AdvanceFulfilment, node_id: str) -> None:
    """What the node did not find is not there: it is no longer reserved, and no longer on hand."""
    key = f"{step.fulfilment_id}:{step.number}:short"
    skus = {row["line_id"]: row["sku"] for row in await fulfilments.lines(connection, step.fulfilment_id)}
    await _release(connection, step, step.missing, key, "short pick")
    lost: dict[str, int] = {}
    for line_id, quantity in step.missing.items():
        lost[skus[line_id]] = lost.get(skus[line_id], 0) + quantity
    for sku, quantity in sorted(lost.items()):
        correction = stock.Movement(node_id, sku, -quantity, LedgerKind.ADJUSTMENT, "short pick", f"{key}:count")
        await stock.move(connection, correction, actor=step.actor, at=step.occurred_at, order_id=step.order_id)
    await fulfilments.take_out(connection, step.fulfilment_id, step.missing)
    await _wait_again(connection, step.order_id, step.missing)


async def _give_back(connection: AsyncConnection, step: AdvanceFulfilment) -> None:
    if any(step.lines.values()):
        key = f"{step.fulfilment_id}:{step.number}:rejected"
        await _release(connection, step, step.lines, key, step.reason or "rejected by the node")
        await _wait_again(connection, step.order_id, step.lines)


async def _release(
    connection: AsyncConnection, step: AdvanceFulfilment, units: Mapping[str, int], key: str, reason: str
) -> None:
    await stock.release(
        connection,
        step.order_id,
        step.fulfilment_id,
        {line_id: quantity for line_id, quantity in units.items() if quantity},
        business_key=key,
        reason=reason,
        actor=step.actor,
        at=step.occurred_at,
    )


async def _wait_again(connection: AsyncConnection, order_id: str, units: Mapping[str, int]) -> None:
    moves = [orders.UnitMove(line_id, backordered=quantity) for line_id, quantity in units.items() if quantity]
    await orders.move_units(connection, order_id, moves)


async def _call_a_person(connection: AsyncConnection, step: AdvanceFulfilment, node_id: str) -> None:
    if step.status is FulfilmentStatus.LOST:
        await _wait_again(connection, step.order_id, step.lines)
    else:
        moves = [orders.UnitMove(line_id, cancelled=quantity) for line_id, quantity in step.lines.items() if quantity]
        await orders.move_units(connection, step.order_id, moves)
    units: Counter[str] = Counter()
    for row in await fulfilments.lines(connection, step.fulfilment_id):
        units[row["sku"]] += row["quantity"]
    await exceptions.open_(
        connection,
        step.order_id,
        f"parcel_{step.status}",
        occasion(step.fulfilment_id, step.status),
        f"{step.fulfilment_id} is {step.status}: {step.reason or 'reported by the carrier'}",
        {"fulfilment_id": step.fulfilment_id, "node_id": node_id, "units": dict(units)},
    )
