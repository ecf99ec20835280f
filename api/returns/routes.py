"""Returns: goods that come back for money."""

from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Body, Query

from api.contract import responses
from api.http import cursor
from api.http.answers import Json
from api.http.clock import not_in_the_future
from api.http.models import Cursor, Limit, ReturnId
from api.http.services import IdempotencyKey, Use
from api.identity import visibility
from api.identity.scopes import needs
from api.returns import examples
from api.returns.models import NewReturn, ReturnDetail, ReturnInspection, ReturnList, ReturnOpened, ReturnReceipt
from dom.orders.status import ReturnStatus
from dom.shared import ids
from dom.shared.access import Principal, Scope
from dom.shared.base import AS_SEEN
from dom.shared.errors import NotFound
from store.orders import reads
from workflows.messages import InspectCall, ReceiveCall, ReturnRequest, ReturnResult

router = APIRouter(tags=["returns"])


@router.post(
    "/returns",
    status_code=201,
    summary="Ask for permission to send goods back",
    operation_id="requestReturn",
    response_model=ReturnOpened,
    responses={
        **responses.success(201, "Opened now.", examples.RETURN_OPENED),
        **responses.success(200, "Opened before, with the same key.", examples.RETURN_OPENED, ReturnOpened),
        **responses.problems(
            "not-found", "conflict", "nothing-to-return", "unknown-node", "invalid-input", "no-answer-yet"
        ),
    },
)
async def request(
    asked: Annotated[NewReturn, AS_SEEN, Body(openapi_examples=responses.named(examples.RETURN_REQUESTS))],
    services: Use,
    who: Annotated[Principal, needs(Scope.RETURNS_WRITE)],
    key: IdempotencyKey = None,
) -> Json:
    """Allowed for units that were delivered and are in no other return. The answer names where the goods go.

    Without an Idempotency-Key every call opens a return of its own.
    """
    await visibility.see_order(services, who, asked.order_id)
    not_in_the_future(asked.occurred_at)
    return_id = ids.return_id(asked.order_id, key or uuid4().hex)
    answer = await services.returns.request(return_id, ReturnRequest(**dict(asked), actor=who.name), key)
    links = {"self": f"/v1/returns/{answer.return_id}", "order": f"/v1/orders/{answer.order_id}"}
    content = {
        "return_id": answer.return_id,
        "order_id": answer.order_id,
        "status": answer.status,
        "node_id": answer.node_id,
        "links": links,
    }
    return Json(content, 201 if answer.created else 200, headers={"Location": links["self"]})


@router.get(
    "/returns",
    summary="Find returns",
    operation_id="listReturns",
    response_model=ReturnList,
    responses={
        **responses.success(200, "A page of returns, newest request first.", examples.RETURN_LIST),
        **responses.problems("invalid-input"),
    },
)
async def list_returns(
    services: Use,
    who: Annotated[Principal, needs(Scope.RETURNS_READ)],
    order_id: Annotated[str | None, Query(max_length=900, description="Only this order's.")] = None,
    status: Annotated[list[ReturnStatus] | None, Query(description="Any of these; repeatable.")] = None,
    limit: Limit = 50,
    cursor_: Annotated[Cursor, Query(alias="cursor")] = None,
) -> Json:
    """Filters combine."""
    before = cursor.decode_moment(cursor_) if cursor_ else None
    async with services.reads.connect() as connection:
        rows = await reads.list_returns(
            connection, order_id=order_id, status=status, before=before, limit=limit + 1, limits=who.limits
        )
    page = [dict(row) for row in rows[:limit]]
    more = cursor.encode(page[-1]["requested_at"], page[-1]["id"]) if len(rows) > limit else None
    return Json({"items": page, "next_cursor": more})


@router.get(
    "/returns/{return_id}",
    summary="A return",
    operation_id="getReturn",
    responses={**responses.success(200, "The return.", examples.RETURN), **responses.problems("not-found")},
)
async def get(return_id: ReturnId, services: Use, who: Annotated[Principal, needs(Scope.RETURNS_READ)]) -> ReturnDetail:
    """Its lines with what was received and what became of it, and the refund recorded."""
    await visibility.see_return(services, who, return_id)
    async with services.reads.connect() as connection:
        row = await reads.return_(connection, return_id)
    if row is None:
        raise NotFound(f"there is no return {return_id}")
    return ReturnDetail.model_validate(dict(row))


@router.post(
    "/returns/{return_id}/receive",
    summary="The goods arrived",
    operation_id="receiveReturn",
    response_model=ReturnResult,
    responses={
        **responses.success(200, "Received.", examples.RETURN_RECEIVED),
        **responses.problems("not-found", "conflict", "step-not-possible", "invalid-input", "no-answer-yet"),
    },
)
async def receive(
    return_id: ReturnId,
    services: Use,
    who: Annotated[Principal, needs(Scope.RETURNS_WORK)],
    asked: Annotated[
        ReturnReceipt, AS_SEEN, Body(openapi_examples=responses.named(examples.RECEIVES))
    ] = ReturnReceipt(),
    key: IdempotencyKey = None,
) -> Json:
    """Without `lines` everything that was announced arrived. They cannot be sold before they were inspected."""
    await visibility.see_return(services, who, return_id)
    not_in_the_future(asked.occurred_at)
    call = ReceiveCall(**dict(asked), actor=who.name)
    return Json(await services.returns.receive(return_id, call, key))


@router.post(
    "/returns/{return_id}/inspect",
    summary="What becomes of the goods",
    operation_id="inspectReturn",
    response_model=ReturnResult,
    responses={
        **responses.success(200, "Inspected; the refund is recorded.", examples.RETURN_REFUNDED),
        **responses.problems("not-found", "conflict", "step-not-possible", "invalid-input", "no-answer-yet"),
    },
)
async def inspect(
    return_id: ReturnId,
    asked: Annotated[ReturnInspection, AS_SEEN, Body(openapi_examples=responses.named(examples.INSPECTS))],
    services: Use,
    who: Annotated[Principal, needs(Scope.RETURNS_WORK)],
    key: IdempotencyKey = None,
) -> Json:
    """Every received unit gets a disposition. What is restocked can be sold again; the refund is recorded."""
    await visibility.see_return(services, who, return_id)
    not_in_the_future(asked.occurred_at)
    call = InspectCall(**dict(asked), actor=who.name)
    return Json(await services.returns.inspect(return_id, call, key))
