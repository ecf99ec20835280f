"""Messages: what customers and channels were told, or are to be told."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.contract import responses
from api.http import cursor
from api.http.answers import Json
from api.http.models import Cursor, Limit
from api.http.services import Use
from api.identity.scopes import needs
from api.notifications import examples
from api.notifications.models import Medium, MessageList
from dom.notifications.messages import MessageKind
from dom.shared.access import Principal, Scope
from store.enums import MessageStatus
from store.reports import lists

router = APIRouter(tags=["orders"])


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
