"""Carriers report where parcels are."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Header, Path, Query, Request
from sqlalchemy.ext.asyncio import AsyncConnection

from api.contract import responses
from api.delivery import examples
from api.delivery.models import CarrierEvent, CarrierEventResults, CarrierEvents, CarrierList
from api.http import cursor, items, problems
from api.http.answers import Json
from api.http.clock import not_in_the_future
from api.http.models import Cursor, Limit
from api.http.services import Use
from api.identity import visibility
from api.identity.scopes import needs
from dom.fulfilment.carrier_reports import concerns
from dom.orders.status import CARRIER_MILESTONES, FulfilmentStatus
from dom.shared.access import Principal, Scope
from dom.shared.base import AS_SEEN
from dom.shared.errors import DomError, NotFound
from dom.shared.texts import escaped
from services import signing_secrets
from store.delivery import shipments
from store.enums import ShipmentStatus
from store.fulfilment import unexpected_reports
from store.reports import lists
from workflows.messages import CarrierReport

router = APIRouter(tags=["carriers"])

Carrier = Annotated[str, Path(max_length=40, description="The carrier's code.", examples=["northline"])]


@router.get(
    "/carriers",
    summary="Find carriers",
    operation_id="listCarriers",
    dependencies=[needs(Scope.NETWORK_READ)],
    response_model=CarrierList,
    responses={
        **responses.success(200, "A page of carriers by code.", examples.CARRIER_LIST),
        **responses.problems("invalid-input"),
    },
)
async def find(services: Use, limit: Limit = 50, cursor_: Annotated[Cursor, Query(alias="cursor")] = None) -> Json:
    """Those by whose table rates shipments are booked: what each moves, from where and to where."""
    after = cursor.decode(cursor_, 1)[0] if cursor_ else None
    async with services.reads.connect() as connection:
        rows = await lists.list_carriers(connection, after=after, limit=limit + 1)
    more = cursor.encode(rows[limit - 1]["carrier"]) if len(rows) > limit else None
    return Json({"items": [dict(row) for row in rows[:limit]], "next_cursor": more})


async def must_be_signed(
    request: Request,
    carrier: Carrier,
    services: Use,
    who: Annotated[Principal, needs(Scope.SHIPMENTS_REPORT)],
    webhook_id: Annotated[str, Header(max_length=200, description="The message's own id; it is signed too.")] = "",
    webhook_timestamp: Annotated[
        str, Header(max_length=40, description="When it was sent, in seconds since 1970: five minutes ago at most.")
    ] = "",
    webhook_signature: Annotated[
        str,
        Header(
            max_length=4000,
            description="`v1,` and base64 of the HMAC-SHA256 over id, time and body, each parted by a dot (Standard "
            "Webhooks); several are parted by blanks, and one must count. Needed from a carrier that has a secret.",
        ),
    ] = "",
) -> None:
    """Raises Forbidden for a carrier that is not the caller's own, BadSignature for a message that is not signed as its
    carrier signs.
    """
    visibility.must_be_own(who, carrier=carrier)
    headers = dict(zip(signing_secrets.HEADERS, (webhook_id, webhook_timestamp, webhook_signature), strict=True))
    async with services.reads.connect() as connection:
        await signing_secrets.check(connection, carrier, headers, await request.body())


@router.post(
    "/carriers/{carrier}/events",
    dependencies=[Depends(must_be_signed)],
    summary="Report scans of parcels",
    operation_id="reportCarrierEvents",
    response_model=CarrierEventResults,
    responses={
        **responses.success(200, "What became of each, in sequence.", examples.CARRIER_RESULTS),
        **responses.problems("unauthenticated", "bad-signature", "invalid-input"),
    },
)
async def report(
    carrier: Carrier,
    feed: Annotated[CarrierEvents, AS_SEEN, Body(openapi_examples=responses.named(examples.CARRIER_EVENTS))],
    services: Use,
) -> Json:
    """Up to 1,000 scans in any order and as often as you like: an `event_id` counts once, and one that comes again with
    other content is refused (`/problems/conflict`).

    A scan that cannot be taken is refused by itself; only a feed of which no scan can be read is refused whole.
    Milestones (delivered, lost, returned to sender) move the order, and so does the first scan of a parcel that its
    node has not reported as handed over. A scan belongs to the booking of its tracking number: of a booking that was
    taken back, or of work that ended, it is recorded and put before a person as `report_out_of_turn`.

    A carrier that has a secret signs each feed after the Standard Webhooks specification, beside sending its key; what
    is not signed, was changed on the way, or was sent more than five minutes ago is refused whole, with 401.
    """
    results = items.refused(feed.events, "events", _event_id)
    scans = items.readable(feed.events)
    reports: list[CarrierReport] = []
    untold: dict[str, int] = {}
    async with services.engine.begin() as connection:
        parcels = {event.tracking_number for event in scans.values()}
        await shipments.hold(connection, carrier, parcels, {event.event_id for event in scans.values()})
        for index, event in _in_sequence(scans):
            answer = {"index": index, "event_id": event.event_id}
            try:
                row = await _scan(connection, carrier, event)
            except DomError as error:
                problem = problems.as_dict(problems.of_error(error, f"events[{index}]."))
                results[index] = {**answer, "status": "refused", "problem": problem}
                continue
            results[index] = {**answer, "status": "recorded" if row["fresh"] else "repeated"}
            # Of a repeat too: the first may have been written by a process that died before it could tell the order.
            if not row["told"]:
                untold[event.event_id] = row["event"]
                reports += await _reports(connection, row, event, carrier)
        if not reports:
            await shipments.told(connection, untold.values())
    if reports:
        unheard = {each.event_id for each in await services.orders.carriers_said(reports)}
        async with services.reads.connect() as connection:
            await shipments.told(connection, (id_ for event, id_ in untold.items() if event not in unheard))
    return Json({"results": [results[index] for index in sorted(results)]})


def _event_id(given: Any) -> dict[str, Any]:
    named = given.get("event_id") if isinstance(given, dict) else None
    return {"event_id": escaped(named) if isinstance(named, str) else ""}


def _in_sequence(scans: Mapping[int, CarrierEvent]) -> Iterator[tuple[int, CarrierEvent]]:
    """In the sequence in which they happened. Of those with one event id the one that was sent first comes first."""
    first: dict[str, int] = {}
    for index, event in scans.items():
        first.setdefault(event.event_id, index)
    again = {index: first[event.event_id] != index for index, event in scans.items()}
    return iter(sorted(scans.items(), key=lambda scan: (again[scan[0]], scan[1].occurred_at, scan[0])))


async def _scan(connection: AsyncConnection, carrier: str, event: CarrierEvent) -> dict[str, Any]:
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


async def _reports(
    connection: AsyncConnection, row: Mapping[str, Any], event: CarrierEvent, carrier: str
) -> list[CarrierReport]:
    """What orders have to hear of a scan. What it says of a booking that was taken back is written down here."""
    reports: list[CarrierReport] = []
    after_its_loss = row["shipment_status"] == ShipmentStatus.LOST and event.occurred_at > row["ended_at"]
    for fulfilment in row["concerned"]:
        if not fulfilment["stands"]:
            stray = unexpected_reports.UnexpectedReport(
                fulfilment["id"], event.kind, carrier, event.occurred_at, shipment_id=row["shipment_id"]
            )
            await unexpected_reports.note(connection, stray)
        elif concerns(FulfilmentStatus(fulfilment["status"]), event.kind, after_its_loss=after_its_loss):
            reports.append(
                CarrierReport(
                    fulfilment_id=fulfilment["id"],
                    kind=event.kind,
                    tracking_number=event.tracking_number,
                    occurred_at=event.occurred_at,
                    actor=carrier,
                    shipment_id=row["shipment_id"],
                    event_id=event.event_id,
                )
            )
    return reports
