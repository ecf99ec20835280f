"""Returns: goods that come back for money."""

from datetime import datetime
from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Body, Query

from api.contract import responses
from api.http import cursor
from api.http.answers import Json
from api.http.clock import not_in_the_future
from api.http.models import Cursor, Limit, ReturnId
from api.http.services import IdempotencyKey, Services, Use
from api.identity import visibility
from api.identity.scopes import needs
from api.returns import examples
from api.returns.models import (
    NewReturn,
    ReturnCancellation,
    ReturnClosing,
    ReturnDetail,
    ReturnInspection,
    ReturnList,
    ReturnOpened,
    ReturnReceipt,
)
from dom.orders.return_calls import (
    CancelReturnCall,
    CloseReturnCall,
    InspectCall,
    ReceiveCall,
    ReturnRequest,
    ReturnResult,
)
from dom.orders.status import ReturnStatus
from dom.shared import ids
from dom.shared.access import Principal, Scope
from dom.shared.base import AS_SEEN
from dom.shared.errors import NotFound
from store import returns
from store.access.visibility import ORDER, RETURN
from store.orders import reads

router = APIRouter(tags=["returns"])

_STEP_PROBLEMS = responses.problems(
    "not-found", "conflict", "step-not-possible", "on-hold", "invalid-input", "no-answer-yet"
)
"""What a step of a return can be refused for."""


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
    await visibility.see(services, who, ORDER, asked.order_id)
    visibility.must_be_own(who, "node_id", node=asked.node_id or await _shipped_from(services, who, asked))
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


async def _shipped_from(services: Services, who: Principal, asked: NewReturn) -> str | None:
    """Where the goods go if nobody says so; asked for callers who are limited to nodes."""
    if who.limits.nodes is None:
        return None
    async with services.reads.connect() as connection:
        return await returns.shipped_from(connection, asked.order_id, asked.lines[0].line_id)


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
    """Filters combine. A parcel that its carrier brings back undelivered is a return too, opened by the report."""
    before = cursor.decode_moment(cursor_) if cursor_ else None
    async with services.reads.connect() as connection:
        rows = await reads.list_returns(
            connection, order_id=order_id, status=status, before=before, limit=limit + 1, limits=who.limits
        )
    page, more = cursor.page(rows, limit, lambda row: (row["requested_at"], row["id"]))
    return Json({"items": [dict(row) for row in page], "next_cursor": more})


@router.get(
    "/returns/{return_id}",
    summary="A return",
    operation_id="getReturn",
    responses={**responses.success(200, "The return.", examples.RETURN), **responses.problems("not-found")},
)
async def get(return_id: ReturnId, services: Use, who: Annotated[Principal, needs(Scope.RETURNS_READ)]) -> ReturnDetail:
    """Its lines with what was received and what became of it, and the refund recorded."""
    await visibility.see(services, who, RETURN, return_id)
    async with services.reads.connect() as connection:
        row = await reads.return_(connection, return_id)
    if row is None:
        raise NotFound(f"there is no return {return_id}")
    return ReturnDetail.model_validate(dict(row))


@router.post(
    "/returns/{return_id}/receive",
    summary="Goods arrived",
    operation_id="receiveReturn",
    response_model=ReturnResult,
    responses={
        **responses.success(200, "Received.", examples.RETURN_RECEIVED),
        **_STEP_PROBLEMS,
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
    """May be called for each parcel of a return. Without `lines` everything that is outstanding arrived. The goods
    cannot be sold before they are inspected.

    Send an Idempotency-Key: without one a repeat with `lines` is another receipt. Goods of a return that was cancelled,
    expired or closed are refused, and put before a person.
    """
    await _may_step(services, who, return_id, asked.occurred_at)
    call = ReceiveCall(**dict(asked), actor=who.name)
    return Json(await services.returns.receive(return_id, call, key))


@router.post(
    "/returns/{return_id}/inspect",
    summary="What becomes of the goods",
    operation_id="inspectReturn",
    response_model=ReturnResult,
    responses={
        **responses.success(200, "Inspected; the refund is recorded.", examples.RETURN_REFUNDED),
        **_STEP_PROBLEMS,
    },
)
async def inspect(
    return_id: ReturnId,
    asked: Annotated[ReturnInspection, AS_SEEN, Body(openapi_examples=responses.named(examples.INSPECTS))],
    services: Use,
    who: Annotated[Principal, needs(Scope.RETURNS_WORK)],
    key: IdempotencyKey = None,
) -> Json:
    """Received units get their disposition, all of them or some at a time. What is restocked can be sold again; the
    refund for these units is recorded, unless they are of a parcel whose units were sent again. The return ends once
    nothing is outstanding and everything is inspected: `refunded`, or `put_away` where nothing is paid back.
    """
    await _may_step(services, who, return_id, asked.occurred_at)
    call = InspectCall(**dict(asked), actor=who.name)
    return Json(await services.returns.inspect(return_id, call, key))


@router.post(
    "/returns/{return_id}/cancel",
    summary="The customer keeps what has not arrived",
    operation_id="cancelReturn",
    response_model=ReturnResult,
    responses={
        **responses.success(200, "Cancelled.", examples.RETURN_CANCELLED),
        **_STEP_PROBLEMS,
    },
)
async def cancel(
    return_id: ReturnId,
    services: Use,
    who: Annotated[Principal, needs(Scope.RETURNS_WRITE)],
    asked: Annotated[
        ReturnCancellation, AS_SEEN, Body(openapi_examples=responses.named(examples.RETURN_CANCELS))
    ] = ReturnCancellation(),
    key: IdempotencyKey = None,
) -> Json:
    """The units that have not arrived may be returned otherwise. What has arrived is inspected and refunded as ever, so
    that the return ends as `cancelled` only where nothing had. A parcel that its carrier brings back is not cancelled.
    """
    await _may_step(services, who, return_id, asked.occurred_at)
    call = CancelReturnCall(**dict(asked), actor=who.name)
    return Json(await services.returns.cancel(return_id, call, key))


@router.post(
    "/returns/{return_id}/close",
    summary="Nothing more is expected",
    operation_id="closeReturn",
    response_model=ReturnResult,
    responses={
        **responses.success(200, "Nothing more is waited for.", examples.RETURN_REFUNDED),
        **_STEP_PROBLEMS,
    },
)
async def close(
    return_id: ReturnId,
    services: Use,
    who: Annotated[Principal, needs(Scope.RETURNS_WRITE)],
    asked: Annotated[
        ReturnClosing, AS_SEEN, Body(openapi_examples=responses.named(examples.RETURN_CLOSES))
    ] = ReturnClosing(),
    key: IdempotencyKey = None,
) -> Json:
    """After something of a return arrived: the rest is not waited for, and may be returned otherwise. The customer is
    not told. A return of which nothing arrived is cancelled instead.
    """
    await _may_step(services, who, return_id, asked.occurred_at)
    call = CloseReturnCall(**dict(asked), actor=who.name)
    return Json(await services.returns.close(return_id, call, key))


async def _may_step(services: Services, who: Principal, return_id: str, occurred_at: datetime | None) -> None:
    """Raises NotFound for a return that is not the caller's own, InvalidInput for a time that is still to come."""
    await visibility.see(services, who, RETURN, return_id)
    not_in_the_future(occurred_at)
