"""Notes of orders, which the merchant's own people write for one another."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Body
from sqlalchemy import RowMapping

from api.contract import responses
from api.http.answers import Json
from api.http.models import OrderId
from api.http.services import IdempotencyKey, Use
from api.identity import visibility
from api.identity.scopes import needs
from api.orders import note_examples as examples
from api.orders.note_models import NoteRequest, OrderNote, OrderNotes
from dom.orders.commands import AddNote
from dom.orders.events import EventKind
from dom.shared.access import Principal, Scope
from dom.shared.base import AS_SEEN
from services.change_orders import change_order
from services.holds import must_exist
from store.access.visibility import ORDER
from store.orders import timeline

router = APIRouter(tags=["orders"])


@router.post(
    "/orders/{order_id}/notes",
    status_code=201,
    summary="Write a note about an order",
    operation_id="addOrderNote",
    response_model=OrderNote,
    responses={
        **responses.success(201, "The note stands in the timeline.", examples.NOTE),
        **responses.problems("not-found", "conflict", "invalid-input"),
    },
)
async def add(
    order_id: OrderId,
    asked: Annotated[NoteRequest, AS_SEEN, Body(openapi_examples=responses.named(examples.NOTES))],
    services: Use,
    who: Annotated[Principal, needs(Scope.ORDERS_NOTE)],
    key: IdempotencyKey = None,
) -> Json:
    """For the merchant's own people: who has not the scope `orders:note` sees no notes, in the timeline neither.
    Possible in every state of the order. Attachments stay where they are; a note has their addresses.
    """
    await visibility.see(services, who, ORDER, order_id)
    request = f"note/{key or uuid4().hex}"
    command = AddNote(
        key=request,
        text=asked.text,
        links=asked.links,
        actor=who.name,
        at=datetime.now(UTC),
        request=request,
        request_hash=asked.content_hash(f"note by {who.name}"),
    )
    async with services.engine.begin() as connection:
        await change_order(connection, order_id, command, services.writing)
        (written,) = await timeline.of_kind(connection, order_id, EventKind.NOTED, request=request)
    return Json(_note(written), 201)


@router.get(
    "/orders/{order_id}/notes",
    summary="An order's notes",
    operation_id="listOrderNotes",
    response_model=OrderNotes,
    responses={
        **responses.success(200, "All of them, oldest first.", examples.ORDER_NOTES),
        **responses.problems("not-found"),
    },
)
async def of_order(order_id: OrderId, services: Use, who: Annotated[Principal, needs(Scope.ORDERS_NOTE)]) -> Json:
    """A note is never changed, nor taken away."""
    await visibility.see(services, who, ORDER, order_id)
    async with services.reads.connect() as connection:
        await must_exist(connection, order_id)
        notes = await timeline.of_kind(connection, order_id, EventKind.NOTED)
    return Json({"order_id": order_id, "notes": [_note(each) for each in notes]})


def _note(event: RowMapping) -> dict[str, Any]:
    return {
        "id": event["id"],
        "text": event["data"]["text"],
        "links": event["data"].get("links", []),
        "author": event["actor"],
        "written_at": event["occurred_at"],
    }
