"""Carriers report where parcels are."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Header, Path, Query, Request

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
from dom.shared.access import Principal, Scope
from dom.shared.base import AS_SEEN
from dom.shared.errors import DomError
from dom.shared.texts import escaped
from services import carrier_events, signing_secrets
from store.delivery.shipments import ParcelScan
from store.reports import lists

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
    page, more = cursor.page(rows, limit, lambda row: (row["carrier"],))
    return Json({"items": [dict(row) for row in page], "next_cursor": more})


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
    events = items.readable(feed.events)
    scans: dict[int, ParcelScan] = {}
    taken: dict[int, bool | DomError] = {}
    for index, event in events.items():
        try:
            scans[index] = _scan(carrier, event)
        except DomError as error:
            taken[index] = error
    writing = services.writing
    taken |= await carrier_events.take_in(services.engine, carrier, scans, writing)
    results |= {index: _result(index, events[index], outcome) for index, outcome in taken.items()}
    return Json({"results": [results[index] for index in sorted(results)]})


def _scan(carrier: str, event: CarrierEvent) -> ParcelScan:
    at = not_in_the_future(event.occurred_at)
    return ParcelScan(carrier, event.event_id, event.tracking_number, event.kind, at, event.place)


def _result(index: int, event: CarrierEvent, outcome: bool | DomError) -> dict[str, Any]:
    answer: dict[str, Any] = {"index": index, "event_id": event.event_id}
    if isinstance(outcome, DomError):
        problem = problems.as_dict(problems.of_error(outcome, f"events[{index}]."))
        return {**answer, "status": "refused", "problem": problem}
    return {**answer, "status": "recorded" if outcome else "repeated"}


def _event_id(given: Any) -> dict[str, Any]:
    named = given.get("event_id") if isinstance(given, dict) else None
    return {"event_id": escaped(named) if isinstance(named, str) else ""}
