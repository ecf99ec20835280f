"""Messages: what customers and channels were told, or are to be told."""

from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import APIRouter, Body, Path, Query

from api.contract import responses
from api.http import cursor
from api.http.answers import Json
from api.http.models import Cursor, Limit
from api.http.services import IdempotencyKey, Use
from api.identity import visibility
from api.identity.scopes import needs
from api.notifications import examples
from api.notifications.models import Medium, MessageList, MessageResent, ResendRequest
from dom.notifications.messages import MessageKind
from dom.orders.commands import ResendMessage
from dom.shared.access import Principal, Scope
from dom.shared.base import AS_SEEN
from services import resending
from store.access.visibility import ORDER
from store.enums import MessageStatus
from store.notifications import messages
from store.reports import lists

router = APIRouter(tags=["orders"])
_NOT_SAID: Final = ResendRequest()


@router.get(
    "/messages",
    summary="Find messages",
    operation_id="listMessages",
    response_model=MessageList,
    responses={
        **responses.success(200, "A page of messages, newest first.", examples.MESSAGE_LIST),
        **responses.problems("invalid-input"),
    },
)
async def find(
    services: Use,
    who: Annotated[Principal, needs(Scope.ORDERS_READ)],
    order: Annotated[str | None, Query(max_length=900, description="Only this order's.")] = None,
    kind: Annotated[MessageKind | None, Query(description="Only those with this to say.")] = None,
    medium: Annotated[Medium | None, Query(description="Only mails, or only webhooks.")] = None,
    status: Annotated[MessageStatus | None, Query(description="Only those that stand so.")] = None,
    limit: Limit = 50,
    cursor_: Annotated[Cursor, Query(alias="cursor")] = None,
) -> Json:
    """What was said of what, and whether it left. Whom it went to is shown with the order alone."""
    wanted = lists.MessageFilter(order_id=order, kind=kind, medium=medium, status=status, limits=who.limits)
    before = cursor.decode_number(cursor_, cursor.LONGEST_SERIAL) if cursor_ else None
    async with services.reads.connect() as connection:
        rows = await lists.list_messages(connection, wanted, before=before, limit=limit + 1)
    page, more = cursor.page(rows, limit, lambda row: (str(row["id"]),))
    return Json({"items": [dict(row) for row in page], "next_cursor": more})


@router.post(
    "/messages/{message_id}/resend",
    summary="Send a message once more",
    operation_id="resendMessage",
    response_model=MessageResent,
    responses={
        **responses.success(200, "It is written, and goes out by itself.", examples.MESSAGE_RESENT),
        **responses.problems("not-found", "step-not-possible", "conflict", "invalid-input"),
    },
)
async def resend(
    message_id: Annotated[int, Path(ge=1, lt=2**63, description="The message's number.", examples=[4711])],
    services: Use,
    who: Annotated[Principal, needs(Scope.MESSAGES_RESEND)],
    asked: Annotated[ResendRequest, AS_SEEN, Body(openapi_examples=responses.named(examples.RESENDS))] = _NOT_SAID,
    key: IdempotencyKey = None,
) -> Json:
    """A message of its own with what the first one said, as the order stands now: to the customer's present address,
    with the tracking number there is. One that waits to go out is refused. What told a person that the first did not
    arrive is closed. Without an `Idempotency-Key` each call sends it.
    """
    async with services.reads.connect() as connection:
        order_id = await resending.order_of(connection, message_id)
    await visibility.see(services, who, ORDER, order_id, resending.no_such(message_id).detail)
    told = {"request": f"resend/{message_id}/{key}", "request_hash": asked.content_hash(f"resend by {who.name}")}
    command = ResendMessage(
        message_id=message_id, actor=who.name, at=datetime.now(UTC), reason=asked.reason, **(told if key else {})
    )
    async with services.engine.begin() as connection:
        writing = services.writing
        changed = await resending.resend(connection, order_id, command, writing)
        written = await messages.latest(connection, order_id, changed.data["resent_key"], changed.data["medium"])
    return Json({"message": dict(written), "resent": message_id})
