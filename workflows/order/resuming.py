"""Going on with an order where the store stands, when an earlier run of its process is gone."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.resuming import ResumedFulfilment, ResumedOrder, ResumeOrder, Resuming
    from dom.orders.lifecycle import FulfilmentState, OrderState
    from dom.orders.status import GONE, CarrierEventKind, FulfilmentStatus
    from workflows.activity_calls import local
    from workflows.messages import CarrierReport, LineStanding, OrderStanding

EARLIER_RUN: Final = "an earlier run of the process"
"""Who asked first for an order that goes on: not the one who asks now."""


async def read(order_id: str, revived_by: str | None) -> ResumedOrder | None:
    """Where the order stands; None if the store does not hold it."""
    request = ResumeOrder(order_id=order_id, revived_by=revived_by, run_id=workflow.info().run_id)
    found: ResumedOrder | None = await local(
        Resuming.resume_order, request, "Read where the order stands, and go on from there"
    )
    return found


def fill(state: OrderState, found: ResumedOrder) -> None:
    """Take the units of lines and fulfilments as they stand."""
    for line in found.lines:
        state.lines[line.line_id].cancelled = line.cancelled
        state.lines[line.line_id].backordered = line.backordered
    for each in found.fulfilments:
        state.fulfilments[each.fulfilment_id] = FulfilmentState(
            each.fulfilment_id,
            each.node_id,
            each.pickup,
            dict(each.lines),
            each.status,
            each.bookings,
            each.tracking,
            each.steps,
        )
    state.cancellations = found.cancellations


def unheard(found: ResumedFulfilment) -> Iterator[CarrierReport]:
    """What the carrier reported of the parcel: some of it while no process was there to hear. A repeat is harmless.

    Of work that ended only what no process heard: what was heard of it a person knows.
    """
    for each in found.milestones:
        if each.told and found.status in GONE:
            continue
        yield CarrierReport(
            fulfilment_id=found.fulfilment_id,
            kind=each.kind,
            tracking_number=each.tracking_number,
            occurred_at=each.occurred_at,
            actor=each.actor,
            shipment_id=each.shipment_id,
            event_id=each.event_id,
        )


def lost_at(found: ResumedFulfilment) -> datetime | None:
    """When the carrier lost the parcel; None if it did not, or nothing of it is kept."""
    if found.status is not FulfilmentStatus.LOST:
        return None
    return max((each.occurred_at for each in found.milestones if each.kind is CarrierEventKind.LOST), default=None)


def standing(state: OrderState, *, captured: bool) -> OrderStanding:
    """Where a process believes its order to stand, for who compares it with the store."""
    return OrderStanding(
        captured=captured,
        status=state.status(),
        lines={
            line.line_id: LineStanding(cancelled=line.cancelled, backordered=line.backordered)
            for line in state.lines.values()
        },
        fulfilments={each.id: each.status for each in state.fulfilments.values()},
    )
