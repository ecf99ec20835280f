"""Inbound goods: announced, shipped, received in parts, called off."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query
from sqlalchemy.ext.asyncio import AsyncConnection

from api.contract import responses
from api.http import cursor
from api.http.answers import Json
from api.http.clock import not_in_the_future
from api.http.models import Cursor, Limit
from api.http.services import Use
from api.identity import visibility
from api.identity.scopes import needs
from api.inbound import examples
from api.inbound.models import (
    CancelInbound,
    InboundAnnouncement,
    InboundDetail,
    InboundList,
    InboundReceipt,
    InboundReceiptAnswer,
    InboundStep,
    NewReference,
    Reference,
)
from dom.shared.access import Principal, Scope
from dom.shared.base import AS_SEEN
from dom.shared.errors import InvalidInput, NotFound
from services import stock_updates
from store import inbound
from store.access.visibility import INBOUND
from store.enums import InboundKind, InboundStatus
from store.inbound import Announcement, Arrived, InboundFilter, Receipt

router = APIRouter(tags=["inventory"])


@router.put(
    "/inbound/{reference}",
    summary="Announce goods that are to come",
    operation_id="announceInbound",
    response_model=InboundDetail,
    responses={
        **responses.success(200, "Announced before: as it was, or replaced.", examples.INBOUND_ANNOUNCED),
        **responses.success(201, "Announced now.", examples.INBOUND_ANNOUNCED, InboundDetail),
        **responses.problems("invalid-input", "unknown-node", "unknown-sku", "conflict", "step-not-possible"),
    },
)
async def announce(
    reference: NewReference,
    announced: Annotated[
        InboundAnnouncement, AS_SEEN, Body(openapi_examples=responses.named(examples.INBOUND_ANNOUNCEMENTS))
    ],
    services: Use,
    who: Annotated[Principal, needs(Scope.INBOUND_WRITE)],
) -> Json:
    """The same content again changes nothing, at any time. Other content replaces it while nothing was shipped or
    received; then it is refused with 409, as it is after it was called off.

    What can be promised counts on the units that are still to come, times `confidence`, from `due_on`; on a transfer
    once it was shipped. What is overdue counts as due today if it is in transit, else for nothing. A caller that is
    limited to nodes announces, replaces and calls off what concerns his own nodes alone, at both ends of a transfer.
    """
    content = Announcement(
        reference=reference,
        kind=announced.kind,
        node_id=announced.node_id,
        origin_node=announced.origin_node,
        due_on=announced.due_on,
        confidence=announced.confidence,
        lines=tuple((line.sku, line.quantity) for line in announced.lines),
    )
    async with services.engine.begin() as connection:
        created = await inbound.announce(connection, content, who.name, who.limits)
        return Json(await _shown(connection, reference), 201 if created else 200)


@router.get(
    "/inbound",
    summary="Find inbound goods",
    operation_id="listInbound",
    response_model=InboundList,
    responses={
        **responses.success(200, "A page of inbound goods, the next due first.", examples.INBOUND_LIST),
        **responses.problems("invalid-input"),
    },
)
async def list_inbound(
    services: Use,
    who: Annotated[Principal, needs(Scope.INBOUND_READ)],
    node: Annotated[str | None, Query(max_length=64, description="Where it arrives.")] = None,
    sku: Annotated[str | None, Query(max_length=64, description="A SKU on any line.")] = None,
    status: Annotated[list[InboundStatus] | None, Query(description="Any of these; repeatable.")] = None,
    kind: Annotated[list[InboundKind] | None, Query(description="Any of these; repeatable.")] = None,
    limit: Limit = 50,
    cursor_: Annotated[Cursor, Query(alias="cursor")] = None,
) -> Json:
    """Filters combine."""
    visibility.must_be_own(who, "node", node=node)
    wanted = InboundFilter(node_id=node, sku=sku, status=status, kind=kind, limits=who.limits)
    after = _position(cursor_) if cursor_ else None
    async with services.reads.connect() as connection:
        rows = await inbound.find(connection, wanted, after=after, limit=limit + 1)
    page, more = cursor.page(rows, limit, lambda row: (row["due_on"].isoformat(), row["reference"]))
    return Json({"items": [dict(row) for row in page], "next_cursor": more})


@router.get(
    "/inbound/{reference}",
    summary="Inbound goods with all that came of them",
    operation_id="getInbound",
    response_model=InboundDetail,
    responses={**responses.success(200, "As it stands.", examples.INBOUND), **responses.problems("not-found")},
)
async def get(reference: Reference, services: Use, who: Annotated[Principal, needs(Scope.INBOUND_READ)]) -> Json:
    """Lines with what came, what is still expected and what is missing, and every receipt. A return that was allowed
    here stands under its own id.
    """
    await visibility.see(services, who, INBOUND, reference)
    async with services.reads.connect() as connection:
        return Json(await _shown(connection, reference))


@router.post(
    "/inbound/{reference}/ship",
    summary="The goods are on their way",
    operation_id="shipInbound",
    response_model=InboundDetail,
    responses={
        **responses.success(200, "In transit.", examples.INBOUND_SHIPPED),
        **responses.problems("not-found", "step-not-possible", "stock-conflict", "invalid-input"),
    },
)
async def ship(
    reference: Reference,
    services: Use,
    who: Annotated[Principal, needs(Scope.INBOUND_WORK)],
    step: Annotated[
        InboundStep, AS_SEEN, Body(openapi_examples=responses.named(examples.INBOUND_SHIPS))
    ] = InboundStep(),
) -> Json:
    """The units of a transfer leave their origin, all or none: reserved units never leave, and `data.short` of the 409
    names each SKU that is short. Purchase orders and returns move nothing yet. Once is as good as twice. The node it
    leaves says so; the other end of a transfer is refused.
    """
    at = not_in_the_future(step.occurred_at)
    async with services.engine.begin() as connection:
        await inbound.ship(connection, reference, actor=who.name, at=at, limits=who.limits)
        return Json(await _shown(connection, reference))


@router.post(
    "/inbound/{reference}/receive",
    summary="Goods arrived",
    operation_id="receiveInbound",
    response_model=InboundReceiptAnswer,
    responses={
        **responses.success(200, "Written down.", examples.INBOUND_RECEIVED),
        **responses.problems("not-found", "step-not-possible", "conflict", "invalid-input"),
    },
)
async def receive(
    reference: Reference,
    receipt: Annotated[InboundReceipt, AS_SEEN, Body(openapi_examples=responses.named(examples.INBOUND_RECEIPTS))],
    services: Use,
    who: Annotated[Principal, needs(Scope.INBOUND_WORK)],
) -> Json:
    """In as many parts as you like, each with an `idempotency_key` of its own; more than was announced is taken too. It
    ends when everything has come, or with `closed`; then `missing` says what did not. What a transfer lacks or has too
    much is put into the exception queue. The node where it arrives says so, of a transfer that comes back its origin.
    """
    arrived = Receipt(
        reference=reference,
        key=receipt.idempotency_key,
        lines=tuple(Arrived(line.sku, line.quantity, line.damaged, line.quarantine) for line in receipt.lines),
        closed=receipt.closed,
        actor=who.name,
        occurred_at=not_in_the_future(receipt.occurred_at),
        node_id=receipt.node_id,
    )
    async with services.engine.begin() as connection:
        fresh = await stock_updates.receive(connection, arrived, who.limits)
        return Json({**await _shown(connection, reference), "repeated": not fresh})


@router.post(
    "/inbound/{reference}/cancel",
    summary="Call inbound goods off",
    operation_id="cancelInbound",
    response_model=InboundDetail,
    responses={
        **responses.success(200, "Called off.", examples.INBOUND_CANCELLED),
        **responses.problems("not-found", "step-not-possible", "invalid-input"),
    },
)
async def cancel(
    reference: Reference,
    services: Use,
    who: Annotated[Principal, needs(Scope.INBOUND_WRITE)],
    call: Annotated[  # noqa: ARG001  what it does not know is refused
        CancelInbound, AS_SEEN, Body(openapi_examples=responses.named(examples.INBOUND_CANCELS))
    ] = CancelInbound(),
) -> Json:
    """While nothing was shipped or received. A transfer in transit can be received back at its origin."""
    async with services.engine.begin() as connection:
        await inbound.cancel(connection, reference, who.name, who.limits)
        return Json(await _shown(connection, reference))


async def _shown(connection: AsyncConnection, reference: str) -> dict[str, Any]:
    row = await inbound.get(connection, reference)
    if row is None:
        raise NotFound(f"there is no inbound {reference}")
    return dict(row)


def _position(given: str) -> tuple[date, str]:
    due_on, reference = cursor.decode(given, 2)
    try:
        return date.fromisoformat(due_on), reference
    except ValueError as error:
        raise InvalidInput("take next_cursor as it was answered, with the same filters", field="cursor") from error
