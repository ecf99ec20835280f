"""Cancellations that nodes are asked for: listed, granted and refused."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Body, Path, Query

from api.contract import responses
from api.fulfilment import cancellation_examples as examples
from api.fulfilment.cancellation_models import CancellationOfWork, CancellationReply, CancellationRequestList
from api.http import cursor
from api.http.answers import Json
from api.http.models import Cursor, Limit
from api.http.services import IdempotencyKey, Services, Use
from api.identity import visibility
from api.identity.scopes import needs
from dom.orders.asked import AskedOf, CancellationStatus
from dom.orders.commands import AnswerCancellation
from dom.shared.access import Principal, Scope
from dom.shared.base import AS_SEEN
from services import cancellation_requests
from store.access.visibility import CANCELLATION
from store.fulfilment import cancellation_requests as rows

router = APIRouter(tags=["fulfilments"])

RequestId = Annotated[
    str, Path(max_length=900, description="The cancellation request's id.", examples=["web-EXAMPLE-1-C1"])
]
_AS_IT_IS = CancellationReply()


@router.get(
    "/cancellation-requests",
    summary="Cancellations that nodes are asked for",
    operation_id="listCancellationRequests",
    response_model=CancellationRequestList,
    responses={
        **responses.success(200, "A page of requests, the oldest first.", examples.REQUESTED),
        **responses.problems("invalid-input"),
    },
)
async def list_requests(
    services: Use,
    who: Annotated[Principal, needs(Scope.FULFILMENTS_READ)],
    node: Annotated[str | None, Query(max_length=64, description="Only this node's.", examples=["dc-daventry"])] = None,
    status: Annotated[list[CancellationStatus] | None, Query(description="Any of these; repeatable.")] = None,
    order: Annotated[str | None, Query(max_length=900, description="Only this order's.")] = None,
    asked_of: Annotated[AskedOf | None, Query(description="Only what nodes, or carriers, are asked for.")] = None,
    limit: Limit = 50,
    cursor_: Annotated[Cursor, Query(alias="cursor")] = None,
) -> Json:
    """Units that were picked, or are with a carrier, and are to be cancelled: with `status=asked` and `asked_of=node`
    what a node has to answer.
    """
    visibility.must_be_own(who, "node", node=node)
    wanted = rows.CancellationFilter(node=node, order=order, asked_of=asked_of, statuses=status, limits=who.limits)
    after = cursor.decode_moment(cursor_) if cursor_ else None
    async with services.reads.connect() as connection:
        found = await rows.find(connection, wanted, after=after, limit=limit + 1)
    page = [dict(row) for row in found[:limit]]
    more = cursor.encode(page[-1]["asked_at"], page[-1]["request_id"]) if len(found) > limit else None
    return Json({"items": page, "next_cursor": more})


@router.post(
    "/cancellation-requests/{request_id}/grant",
    summary="The node lets the units be cancelled",
    operation_id="grantCancellationRequest",
    response_model=CancellationOfWork,
    responses={
        **responses.success(200, "The units are cancelled.", examples.GRANTED),
        **responses.problems("not-found", "step-not-possible", "conflict", "invalid-input"),
    },
)
async def grant(
    request_id: RequestId,
    services: Use,
    who: Annotated[Principal, needs(Scope.FULFILMENTS_WORK)],
    reply: Annotated[CancellationReply, AS_SEEN, Body(openapi_examples=responses.named(examples.GRANTS))] = _AS_IT_IS,
    key: IdempotencyKey = None,
) -> Json:
    """The units are taken out of the work at once: their stock is free at the node, which puts them back. A parcel that
    is left with other units is packed anew; a booking that nobody needs is taken back. Refused once the goods left, or
    the request ended otherwise; `data` says how. A repeat changes nothing.
    """
    return await _answer(services, who, request_id, CancellationStatus.GRANTED, reply, key)


@router.post(
    "/cancellation-requests/{request_id}/refuse",
    summary="The node does not let the units be cancelled",
    operation_id="refuseCancellationRequest",
    response_model=CancellationOfWork,
    responses={
        **responses.success(200, "The units go on their way.", examples.REFUSED),
        **responses.problems("not-found", "step-not-possible", "conflict", "invalid-input"),
    },
)
async def refuse(
    request_id: RequestId,
    services: Use,
    who: Annotated[Principal, needs(Scope.FULFILMENTS_WORK)],
    reply: Annotated[CancellationReply, AS_SEEN, Body(openapi_examples=responses.named(examples.REFUSALS))] = _AS_IT_IS,
    key: IdempotencyKey = None,
) -> Json:
    """Nothing of the work changes, and a person looks at it (`cancellation_not_granted`). A repeat changes nothing."""
    return await _answer(services, who, request_id, CancellationStatus.REFUSED, reply, key)


async def _answer(
    services: Services,
    who: Principal,
    request_id: str,
    answer: Literal[CancellationStatus.GRANTED, CancellationStatus.REFUSED],
    reply: CancellationReply,
    key: str | None,
) -> Json:
    await visibility.see(services, who, CANCELLATION, request_id)
    command = AnswerCancellation(
        request_id=request_id,
        answer=answer,
        actor=who.name,
        at=datetime.now(UTC),
        reason=reply.reason,
        request=f"{request_id}/{answer}/{key}" if key else None,
        request_hash=reply.content_hash(answer) if key else None,
    )
    writing = services.writing
    return Json(await cancellation_requests.answer(services.engine, command, writing))
