"""An order's priority for scarce stock, as staff sets it."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Body

from api.contract import responses
from api.http.answers import Json
from api.http.models import OrderId
from api.http.services import IdempotencyKey, Use
from api.identity import visibility
from api.identity.scopes import needs
from api.orders import priority_examples as examples
from api.orders.priority_models import OrderPrioritised, PrioritiseRequest
from dom.orders.commands import Prioritise
from dom.shared.access import Principal, Scope
from dom.shared.base import AS_SEEN
from services import prioritising
from store.access.visibility import ORDER

router = APIRouter(tags=["orders"])


@router.post(
    "/orders/{order_id}/prioritise",
    summary="Give an order another priority for scarce stock",
    operation_id="prioritiseOrder",
    response_model=OrderPrioritised,
    responses={
        **responses.success(200, "What is scarce is dealt out by it.", examples.PRIORITISED),
        **responses.problems("not-found", "step-not-possible", "conflict", "invalid-input"),
    },
)
async def prioritise(
    order_id: OrderId,
    asked: Annotated[PrioritiseRequest, AS_SEEN, Body(openapi_examples=responses.named(examples.PRIORITIES))],
    services: Use,
    who: Annotated[Principal, needs(Scope.ORDERS_PRIORITISE)],
    key: IdempotencyKey = None,
) -> Json:
    """Orders that wait are served by priority, then by age. What the order waits for is dealt out by its new place at
    once, and whatever comes in later. Units that other orders were given for good stay theirs.
    """
    await visibility.see(services, who, ORDER, order_id)
    request = f"prioritise/{key or uuid4().hex}"
    command = Prioritise(
        key=request,
        priority=asked.priority,
        actor=who.name,
        at=datetime.now(UTC),
        reason=asked.reason,
        request=request,
        request_hash=asked.content_hash(f"prioritise by {who.name}"),
    )
    async with services.engine.begin() as connection:
        done = await prioritising.prioritise(connection, order_id, command, services.writing)
    return Json(
        {
            "order_id": order_id,
            "order_status": done.state.status(),
            "repeated": done.repeated,
            "priority": done.data.get("priority"),
            "waiting": done.state.waiting,
        }
    )
