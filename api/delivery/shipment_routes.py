"""Shipments: what was booked with carriers."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.contract import responses
from api.delivery import examples
from api.delivery.models import ShipmentList
from api.http import cursor
from api.http.answers import Json
from api.http.models import Cursor, Limit
from api.http.services import Use
from api.identity import visibility
from api.identity.scopes import needs
from dom.orders.asked import CancellationStatus
from dom.shared.access import Principal, Role, Scope
from store.enums import ShipmentStatus
from store.reports import lists

router = APIRouter(tags=["carriers"])


@router.get(
    "/shipments",
    summary="Find shipments",
    operation_id="listShipments",
    response_model=ShipmentList,
    responses={
        **responses.success(200, "A page of shipments, the newest booking first.", examples.SHIPMENT_LIST),
        **responses.problems("invalid-input"),
    },
)
async def find(
    services: Use,
    who: Annotated[Principal, needs(Scope.SHIPMENTS_READ)],
    *,
    carrier: Annotated[str | None, Query(max_length=40, description="Only this carrier's.")] = None,
    status: Annotated[ShipmentStatus | None, Query(description="Only those that stand so.")] = None,
    tracking_number: Annotated[str | None, Query(max_length=64, description="The carrier's number of it.")] = None,
    order: Annotated[str | None, Query(max_length=900, description="Only those with goods of this order.")] = None,
    intercept: Annotated[
        CancellationStatus | None,
        Query(description="Only those that the carrier was asked to bring back, with a request that stands so."),
    ] = None,
    limit: Limit = 50,
    cursor_: Annotated[Cursor, Query(alias="cursor")] = None,
) -> Json:
    """Every booking, voided ones too. Filters combine. With `intercept=asked` what a carrier is to bring back: it then
    reports `intercepted` or `intercept_failed`.
    """
    visibility.must_be_own(who, "carrier", carrier=carrier)
    wanted = lists.ShipmentFilter(
        carrier=carrier,
        status=status,
        tracking_number=tracking_number,
        order_id=order,
        intercept=intercept,
        limits=who.limits,
    )
    before = cursor.decode_moment(cursor_) if cursor_ else None
    async with services.reads.connect() as connection:
        rows = await lists.list_shipments(connection, wanted, before=before, limit=limit + 1)
    page, more = cursor.page(rows, limit, lambda row: (row["booked_at"], row["id"]))
    hidden = {} if visibility.sees_costs(who) or Role.CARRIER in who.roles else {"price": None}
    return Json({"items": [{**row, **hidden} for row in page], "next_cursor": more})
