"""What staff says of a fulfilment's parcel: it is lost, it is delivered, it is to be sent once more."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Body

from api.contract import responses
from api.fulfilment import examples
from api.fulfilment.models import FulfilmentCorrected, StaffCall
from api.http.answers import Json
from api.http.asked_once import asked_once
from api.http.clock import not_in_the_future
from api.http.models import FulfilmentId
from api.http.services import IdempotencyKey, Services, Use
from api.identity import visibility
from api.identity.scopes import needs
from dom.orders.commands import MoveParcel, Reship
from dom.orders.status import FulfilmentStatus
from dom.shared.access import Principal, Scope
from dom.shared.base import AS_SEEN
from processes.reshipping import reship as send_once_more
from services import parcel_marks
from services.change_orders import OrderChanged
from store.access.visibility import FULFILMENT

router = APIRouter(tags=["fulfilments"])

_AS_NOW: Final = StaffCall()
_PROBLEMS: Final = responses.problems("not-found", "step-not-possible", "conflict", "invalid-input")
May = Annotated[Principal, needs(Scope.FULFILMENTS_CORRECT)]


@router.post(
    "/fulfilments/{fulfilment_id}/lost",
    summary="A parcel is lost",
    operation_id="loseFulfilment",
    response_model=FulfilmentCorrected,
    responses={**responses.success(200, "It counts as lost.", examples.CORRECTED["lost"]), **_PROBLEMS},
)
async def lost(
    fulfilment_id: FulfilmentId,
    services: Use,
    who: May,
    asked: Annotated[StaffCall, AS_SEEN, Body(openapi_examples=responses.named(examples.SAID["lost"]))] = _AS_NOW,
    key: IdempotencyKey = None,
) -> Json:
    """For support, where the carrier does not say so itself. Its units are sourced again at once, so that nothing else
    has to be done to send them once more; an exception `parcel_lost` is opened for the claim. Should it arrive all the
    same, say `arrived`. A parcel that its node has not handed over counts as handed over.
    """
    return await _say(services, who, fulfilment_id, "lost", asked, key)


@router.post(
    "/fulfilments/{fulfilment_id}/delivered",
    summary="A parcel is delivered",
    operation_id="deliverFulfilment",
    response_model=FulfilmentCorrected,
    responses={**responses.success(200, "It counts as delivered.", examples.CORRECTED["delivered"]), **_PROBLEMS},
)
async def delivered(
    fulfilment_id: FulfilmentId,
    services: Use,
    who: May,
    asked: Annotated[StaffCall, AS_SEEN, Body(openapi_examples=responses.named(examples.SAID["delivered"]))] = _AS_NOW,
    key: IdempotencyKey = None,
) -> Json:
    """For support, where the carrier does not say so itself; the customer is told. Of a parcel that was lost it says
    that it arrived after all, as `arrived` does. What a customer collects is not said here: see `collect`.
    """
    return await _say(services, who, fulfilment_id, "delivered", asked, key)


@router.post(
    "/fulfilments/{fulfilment_id}/reship",
    summary="Send a parcel that came back once more",
    operation_id="reshipFulfilment",
    response_model=FulfilmentCorrected,
    responses={
        **responses.success(200, "Its units wait to be sourced.", examples.CORRECTED["reship"]),
        **responses.problems("not-found", "step-not-possible", "conflict", "invalid-input", "no-answer-yet"),
    },
)
async def reship(
    fulfilment_id: FulfilmentId,
    services: Use,
    who: May,
    asked: Annotated[StaffCall, AS_SEEN, Body(openapi_examples=responses.named(examples.SAID["reship"]))] = _AS_NOW,
    key: IdempotencyKey = None,
) -> Json:
    """The units of a parcel that was returned to its sender count as cancelled; now they are sourced again, to the
    order's present address, from wherever there is stock. Once only. An order that was over lives again. The units of
    a lost parcel are sourced again by themselves, and a parcel whose return was refunded is not sent any more (409).
    The return still waits for the goods, and refunds nothing then.
    """
    return await _say(services, who, fulfilment_id, "reship", asked, key)


async def _say(
    services: Services, who: Principal, fulfilment_id: str, verb: str, asked: StaffCall, key: str | None
) -> Json:
    await visibility.see(services, who, FULFILMENT, fulfilment_id)
    told: dict[str, Any] = {
        "fulfilment_id": fulfilment_id,
        "actor": who.name,
        "at": not_in_the_future(asked.occurred_at),
        "reason": asked.reason,
        **asked_once(fulfilment_id, verb, asked, who, key),
    }
    if verb == "reship":
        done = await send_once_more(services.durable, services.engine, Reship(**told), webhooks=services.webhooks)
    else:
        command = MoveParcel(status=_SAID[verb], **told)
        async with services.engine.begin() as connection:
            done = await parcel_marks.mark(connection, command, services.writing)
    return Json(corrected(done, fulfilment_id))


_SAID: Final[Mapping[str, Any]] = {"lost": FulfilmentStatus.LOST, "delivered": FulfilmentStatus.DELIVERED}


def corrected(done: OrderChanged, fulfilment_id: str) -> dict[str, Any]:
    """How fulfilment and order stand after what staff said."""
    return {
        "order_id": done.state.order_id,
        "order_status": done.state.status(),
        "fulfilment_id": fulfilment_id,
        "fulfilment_status": done.state.fulfilments[fulfilment_id].status,
        "repeated": done.repeated,
        "waiting": done.state.waiting,
    }
