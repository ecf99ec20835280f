"""Carriers report where parcels are."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Query
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from api import contract, cursor, examples, problems
from api.answers import Json
from api.clock import not_in_the_future
from api.models.common import Cursor, Limit
from api.models.feeds import CarrierEvent, CarrierEventResults, CarrierEvents
from api.models.listing import CarrierList
from api.services import Use
from dom.errors import DomError, NotFound
from dom.status import CARRIER_MILESTONES
from store import listing, shipments
from store.kinds import ShipmentStatus
from workflows.messages import CarrierReport

router = APIRouter(tags=["carriers"])

Carrier = Annotated[str, Path(max_length=40, description="The carrier's code.", examples=["northline"])]


@router.get(
    "/carriers",
    summary="Find carriers",
    operation_id="listCarriers",
    response_model=CarrierList,
    responses={
        **contract.success(200, "A page of carriers by code.", examples.CARRIER_LIST),
        **contract.problems("invalid-input"),
    },
)
async def find(services: Use, limit: Limit = 50, cursor_: Annotated[Cursor, Query(alias="cursor")] = None) -> Json:
    """Those by whose table rates shipments are booked: what each moves, from where and to where."""
    after = cursor.decode(cursor_, 1)[0] if cursor_ else None
    async with services.reads.connect() as connection:
        rows = await listing.list_carriers(connection, after=after, limit=limit + 1)
    more = cursor.encode(rows[limit - 1]["carrier"]) if len(rows) > limit else None
    return Json({"items": [dict(row) for row in rows[:limit]], "next_cursor": more})


@router.post(
    "/carriers/{carrier}/events",
    summary="Report scans of parcels",
    operation_id="reportCarrierEvents",
    response_model=CarrierEventResults,
    responses={
        **contract.success(200, "What became of each, in sequence.", examples.CARRIER_RESULTS),
        **contract.problems("invalid-input"),
    },
)
async def report(
    carrier: Carrier,
    feed: Annotated[CarrierEvents, Body(openapi_examples=contract.named(examples.CARRIER_EVENTS))],
    services: Use,
) -> Json:
    """Up to 1,000 scans in any order and as often as you like: an `event_id` counts once.

    A scan that cannot be taken is refused by itself. Milestones (delivered, lost, returned to sender) move the order.
    """
    results: list[dict[str, Any]] = [{}] * len(feed.events)
    milestones: list[CarrierReport] = []
    # Two feeds of the same parcels take the rows in the same sequence, so that neither waits for the other for ever.
    in_sequence = sorted(enumerate(feed.events), key=lambda item: (item[1].tracking_number, item[1].event_id))
    async with services.engine.begin() as connection:
        for index, event in in_sequence:
            try:
                row = await _scan(connection, carrier, event)
            except DomError as error:
                problem = problems.as_dict(problems.of_error(error, f"events[{index}]."))
                results[index] = {"index": index, "event_id": event.event_id, "status": "refused", "problem": problem}
                continue
            status = "recorded" if row["fresh"] else "repeated"
            results[index] = {"index": index, "event_id": event.event_id, "status": status}
            if event.kind in CARRIER_MILESTONES:
                milestones += _reports(row, event, carrier)
    # Also for a repeat: the first may have been written by a process that died before it could tell the order.
    await services.orders.milestones(milestones)
    return Json({"results": results})


async def _scan(connection: AsyncConnection, carrier: str, event: CarrierEvent) -> RowMapping:
    row = await shipments.scan(
        connection,
        carrier=carrier,
        event_id=event.event_id,
        tracking_number=event.tracking_number,
        kind=event.kind,
        occurred_at=not_in_the_future(event.occurred_at),
        place=event.place,
        ends_as=ShipmentStatus(event.kind) if event.kind in CARRIER_MILESTONES else None,
    )
    if row is None:
        raise NotFound(f"{carrier} has no shipment {event.tracking_number} of ours", field="tracking_number")
    return row


def _reports(row: RowMapping, event: CarrierEvent, carrier: str) -> list[CarrierReport]:
    return [
        CarrierReport(
            fulfilment_id=fulfilment_id,
            kind=event.kind,
            tracking_number=event.tracking_number,
            occurred_at=event.occurred_at,
            actor=carrier,
        )
        for fulfilment_id in row["fulfilments"]
    ]
