"""Goods that wait for their customer: received at a store, given out without the code, kept longer, and put back."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Body

from api.contract import responses
from api.fulfilment import examples
from api.fulfilment.models import (
    CollectedCall,
    FulfilmentCorrected,
    FulfilmentKept,
    GoodsPutBack,
    KeepRequest,
    StaffCall,
    Why,
)
from api.fulfilment.staff_routes import corrected
from api.http.answers import Json
from api.http.asked_once import asked_once
from api.http.clock import not_in_the_future
from api.http.models import FulfilmentId
from api.http.services import IdempotencyKey, Services, Use
from api.identity import visibility
from api.identity.scopes import needs
from dom.orders.commands import MoveParcel, TakeNodeStep
from dom.orders.pickup_commands import KeepForCollection, PutBack
from dom.orders.status import FulfilmentStatus, FulfilmentStep
from dom.shared.access import Principal, Scope
from dom.shared.base import AS_SEEN
from services import collecting, node_steps, parcel_marks
from services.change_orders import OrderChanged
from store.access.visibility import FULFILMENT

router = APIRouter(tags=["fulfilments"])

_AS_IT_IS: Final = Why()
_AS_NOW: Final = StaffCall()


@router.post(
    "/fulfilments/{fulfilment_id}/receive-at-store",
    summary="The store has received goods for a customer",
    operation_id="receiveFulfilmentAtStore",
    response_model=FulfilmentCorrected,
    responses={
        **responses.success(200, "They are ready for collection there.", examples.CORRECTED["receive-at-store"]),
        **responses.problems("not-found", "step-not-possible", "conflict", "invalid-input"),
    },
)
async def receive_at_store(
    fulfilment_id: FulfilmentId,
    services: Use,
    who: Annotated[Principal, needs(Scope.FULFILMENTS_WORK)],
    asked: Annotated[
        StaffCall, AS_SEEN, Body(openapi_examples=responses.named(examples.SAID["receive-at-store"]))
    ] = _AS_NOW,
    key: IdempotencyKey = None,
) -> Json:
    """For the store (`pickup_node`) that another node sends the goods to, where the carrier's `delivered` is late or
    never comes. It does what that report does, the hand-over included if the node did not report it: the goods are in
    the store's stock, reserved, and the customer is told. Whoever says it second, store or carrier, changes nothing.
    A parcel that was lost counts as arrived while no node has begun on what replaces it; else, as for work that was
    cancelled, it is 409 and a person hears of it. Support says `delivered`.
    """
    await visibility.must_do(services, who, fulfilment_id, hands_out=True)
    command = MoveParcel(
        fulfilment_id=fulfilment_id,
        status=FulfilmentStatus.DELIVERED,
        at_store=True,
        actor=who.name,
        at=not_in_the_future(asked.occurred_at),
        reason=asked.reason,
        **asked_once(fulfilment_id, "receive-at-store", asked, who, key),
    )
    done = await parcel_marks.receive_at_store(services.engine, command, services.writing)
    return Json(corrected(done, fulfilment_id))


@router.post(
    "/fulfilments/{fulfilment_id}/collected",
    summary="The customer has collected the goods, without the code",
    operation_id="collectedFulfilment",
    response_model=FulfilmentCorrected,
    responses={
        **responses.success(200, "The goods count as collected.", examples.CORRECTED["collected"]),
        **responses.problems("not-found", "step-not-possible", "on-hold", "conflict", "invalid-input"),
    },
)
async def collected(
    fulfilment_id: FulfilmentId,
    asked: Annotated[CollectedCall, AS_SEEN, Body(openapi_examples=responses.named(examples.SAID["collected"]))],
    services: Use,
    who: Annotated[Principal, needs(Scope.FULFILMENTS_CORRECT)],
    key: IdempotencyKey = None,
) -> Json:
    """For support, where the customer has lost the code or too many wrong ones were said: who it is was checked
    otherwise, and `reason` says how. It stands in the timeline. A repeat changes nothing.
    """
    await visibility.see(services, who, FULFILMENT, fulfilment_id)
    command = TakeNodeStep(
        fulfilment_id=fulfilment_id,
        step=FulfilmentStep.COLLECT,
        at=not_in_the_future(asked.occurred_at),
        actor=who.name,
        reason=asked.reason,
        identity_checked=True,
        **asked_once(fulfilment_id, "collected", asked, who, key),
    )
    done = await node_steps.take(services.engine, command, services.writing)
    return Json(corrected(done, fulfilment_id))


@router.post(
    "/fulfilments/{fulfilment_id}/keep",
    summary="Keep goods longer for their customer",
    operation_id="keepFulfilment",
    response_model=FulfilmentKept,
    responses={
        **responses.success(200, "They are kept until then.", examples.KEPT),
        **responses.problems("not-found", "step-not-possible", "conflict", "invalid-input"),
    },
)
async def keep(
    fulfilment_id: FulfilmentId,
    asked: Annotated[KeepRequest, AS_SEEN, Body(openapi_examples=responses.named(examples.KEEPS))],
    services: Use,
    who: Annotated[Principal, needs(Scope.FULFILMENTS_DIRECT)],
    key: IdempotencyKey = None,
) -> Json:
    """Possible until they are collected or cancelled. `until` is later than the present time and at most a year ahead.
    The customer is reminded before it, as the live policy says. A repeat changes nothing.
    """
    await visibility.see(services, who, FULFILMENT, fulfilment_id)
    command = KeepForCollection(
        fulfilment_id=fulfilment_id,
        until=asked.until,
        actor=who.name,
        at=datetime.now(UTC),
        reason=asked.reason,
        **asked_once(fulfilment_id, "keep", asked, who, key),
    )
    done = await _say(services, command)
    waiting = done.state.fulfilments[fulfilment_id].collection
    return Json({**_about(done, fulfilment_id), "collect_by": asked.until if waiting is None else waiting.collect_by})


@router.post(
    "/fulfilments/{fulfilment_id}/put-back",
    summary="The node has put goods back",
    operation_id="putBackFulfilment",
    response_model=GoodsPutBack,
    responses={
        **responses.success(200, "Nothing of it is to be put back any more.", examples.PUT_BACK),
        **responses.problems("not-found", "step-not-possible", "conflict", "invalid-input"),
    },
)
async def put_back(
    fulfilment_id: FulfilmentId,
    services: Use,
    who: Annotated[Principal, needs(Scope.FULFILMENTS_WORK)],
    asked: Annotated[Why, AS_SEEN, Body(openapi_examples=responses.named(examples.PUTS_BACK))] = _AS_IT_IS,
    key: IdempotencyKey = None,
) -> Json:
    """Of goods that were ready for a customer and were cancelled, all or some of them, or not collected:
    `GET /v1/fulfilments?put_back=true` lists them; what a carrier brought to a store is put back there. Their stock is
    free since then; this says that they lie on the shelf again. What is missing or damaged is an adjustment of the
    stock. A repeat changes nothing.
    """
    await visibility.must_do(services, who, fulfilment_id, hands_out=True)
    command = PutBack(
        fulfilment_id=fulfilment_id,
        actor=who.name,
        at=datetime.now(UTC),
        reason=asked.reason,
        **asked_once(fulfilment_id, "put-back", asked, who, key),
    )
    return Json(_about(await _say(services, command), fulfilment_id))


async def _say(services: Services, command: KeepForCollection | PutBack) -> OrderChanged:
    async with services.engine.begin() as connection:
        return await collecting.say(connection, command, services.writing)


def _about(done: OrderChanged, fulfilment_id: str) -> dict[str, Any]:
    return {"order_id": done.state.order_id, "fulfilment_id": fulfilment_id, "repeated": done.repeated}
