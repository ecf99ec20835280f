"""What suppliers say of work: they sent it with a carrier of their own."""

from typing import Annotated

from fastapi import APIRouter, Body

from api.contract import responses
from api.fulfilment import examples
from api.fulfilment.models import FulfilmentShipped, ShipReport
from api.http.answers import Json
from api.http.asked_once import asked_once
from api.http.clock import not_in_the_future
from api.http.models import FulfilmentId
from api.http.services import IdempotencyKey, Use
from api.identity import visibility
from api.identity.scopes import needs
from dom.orders.commands import ShipByOwnCarrier
from dom.shared.access import Principal, Scope
from dom.shared.base import AS_SEEN
from services import own_carriers

router = APIRouter(tags=["fulfilments"])


@router.post(
    "/fulfilments/{fulfilment_id}/ship",
    summary="A supplier has sent the goods",
    operation_id="shipFulfilment",
    response_model=FulfilmentShipped,
    responses={
        **responses.success(200, "The carrier has them.", examples.SHIPPED),
        **responses.problems("not-found", "step-not-possible", "on-hold", "conflict", "invalid-input"),
    },
)
async def ship(
    fulfilment_id: FulfilmentId,
    asked: Annotated[ShipReport, AS_SEEN, Body(openapi_examples=responses.named(examples.SHIPS))],
    services: Use,
    who: Annotated[Principal, needs(Scope.FULFILMENTS_WORK)],
    key: IdempotencyKey = None,
) -> Json:
    """For nodes of kind `supplier`, which send with a carrier of their own: no carrier is booked, and no label is made.
    It implies the earlier steps. What the supplier does not have it says first, by `pick` with `lines`: the rest is
    sourced again. The customer is told carrier and number; the carrier reports scans under them, or support says what
    became of the parcel. The same said again changes nothing.
    """
    await visibility.must_do(services, who, fulfilment_id, hands_out=False)
    command = ShipByOwnCarrier(
        fulfilment_id=fulfilment_id,
        carrier=asked.carrier,
        tracking_number=asked.tracking_number,
        parcels=asked.parcels,
        actor=who.name,
        at=not_in_the_future(asked.occurred_at),
        reason=asked.reason,
        **asked_once(fulfilment_id, "ship", asked, who, key),
    )
    done = await own_carriers.ship(services.engine, command, services.writing)
    return Json(
        {
            "order_id": done.state.order_id,
            "order_status": done.state.status(),
            "fulfilment_id": fulfilment_id,
            "fulfilment_status": done.state.fulfilments[fulfilment_id].status,
            "repeated": done.repeated,
        }
    )
