"""The inbox: channels send messages, and people look at what became of them, repair and replay."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Query, Request
from sqlalchemy import RowMapping
from starlette.convertors import StringConvertor, register_url_convertor

from api.contract import responses
from api.http import cursor
from api.http.answers import Json
from api.http.models import Cursor, Limit
from api.http.services import Services, Use
from api.identity import visibility
from api.identity.scopes import needs
from api.inbox import examples
from api.inbox.models import (
    ChannelMessage,
    ChannelMessageDetail,
    ChannelMessages,
    Dismissal,
    InboxBalance,
    InboxId,
    MessageCorrection,
    MessageReceived,
    Replay,
)
from dom.channels.outcomes import MessageOutcome, MessageSource
from dom.shared.access import Principal, Scope
from dom.shared.base import AS_SEEN
from dom.shared.errors import InvalidInput
from services import channel_inbox
from services.clock import utc_now
from services.database import Database
from store.inbox import corrections, messages

router = APIRouter(tags=["inbox"])


class _InboxIdInPath(StringConvertor):
    """A message's number in an address; what has an address of its own there is none."""

    regex = "(?!(?:replay|balance)$)[^/]+"


register_url_convertor("inbox_id", _InboxIdInPath())

ToChannel = Annotated[str, Path(max_length=31, description="The channel's code.", examples=["web"])]
SHOWN = tuple(ChannelMessage.model_fields)
_BODY: dict[str, Any] = {
    "required": True,
    "description": "Whatever the channel's mapping reads; a JSON document as the channel writes it.",
    "content": {
        "application/json": {
            "schema": {},
            "examples": responses.named({"an order of a shop": examples.ORDER_MESSAGE}),
        }
    },
}


@router.post(
    "/channels/{channel_id}/messages",
    status_code=202,
    summary="Send a message of a channel",
    operation_id="sendChannelMessage",
    response_model=MessageReceived,
    openapi_extra={"requestBody": _BODY},
    responses={
        **responses.success(202, "It is kept, and is taken in.", examples.RECEIVED),
        **responses.problems("unknown-channel", "invalid-input", "body-too-large"),
    },
)
async def send(
    channel_id: ToChannel, request: Request, services: Use, who: Annotated[Principal, needs(Scope.ORDERS_WRITE)]
) -> Json:
    """The message is kept as it came, and answered at once; the channel's mapping says what it means. A delivery is
    told by its header `webhook-id` or `idempotency-key`, else by its content: one that comes again changes nothing.
    What cannot be read waits in quarantine. Messages of one order are taken in one after the other, and whatever comes
    first: of its states the latest counts, by the mapping's `version`.
    """
    visibility.must_be_own(who, channel=channel_id)
    await services.channels.check(channel_id)
    body = await request.body()
    if not body:
        raise InvalidInput("the message is empty", field="body")
    headers = {name.lower(): value for name, value in request.headers.items()}
    kept = await channel_inbox.receive(database(services), channel_id, MessageSource.WEBHOOK, headers, body)
    return Json({"id": kept.id, "repeated": not kept.is_new}, 202)


@router.get(
    "/inbox",
    summary="Messages of channels",
    operation_id="listChannelMessages",
    response_model=ChannelMessages,
    responses={
        **responses.success(200, "A page of messages, the newest first.", examples.MESSAGES),
        **responses.problems("invalid-input"),
    },
)
async def find(
    services: Use,
    who: Annotated[Principal, needs(Scope.INBOX_READ)],
    channel: Annotated[str | None, Query(max_length=31, description="Only this channel's.")] = None,
    outcome: Annotated[list[MessageOutcome] | None, Query(description="Any of these; repeatable.")] = None,
    order_number: Annotated[str | None, Query(max_length=64, description="Only those about this order.")] = None,
    limit: Limit = 50,
    cursor_: Annotated[Cursor, Query(alias="cursor")] = None,
) -> Json:
    """What came, and what became of it. `outcome=quarantined` is what waits for a person."""
    before = cursor.decode_number(cursor_, cursor.LONGEST_SERIAL) if cursor_ else None
    async with services.reads.connect() as connection:
        found = await messages.find(
            connection,
            channels=channels_of(who, channel),
            outcomes=outcome or (),
            number=order_number,
            before=before,
            limit=limit + 1,
        )
    page, more = cursor.page(found, limit, lambda row: (str(row["id"]),))
    return Json({"items": [_shown(row) for row in page], "next_cursor": more})


@router.get(
    "/inbox/balance",
    summary="What became of all that came",
    operation_id="getInboxBalance",
    response_model=InboxBalance,
    responses={
        **responses.success(200, "By channel and day.", examples.BALANCE),
        **responses.problems("invalid-input"),
    },
)
async def balance(
    services: Use,
    who: Annotated[Principal, needs(Scope.INBOX_READ)],
    days: Annotated[int, Query(ge=1, le=366, description="So many days, today among them.")] = 7,
    channel: Annotated[str | None, Query(max_length=31, description="Only this channel's.")] = None,
) -> Json:
    """Every message is in exactly one outcome, so that for each channel and day all that came is accounted for."""
    today = utc_now().replace(hour=0, minute=0, second=0, microsecond=0)
    async with services.reads.connect() as connection:
        rows = await messages.balance(connection, today - timedelta(days=days - 1), channels_of(who, channel))
    found: dict[tuple[Any, str], dict[str, Any]] = {}
    for row in rows:
        key = (row["day"], row["channel"])
        one = found.setdefault(
            key, {"channel": row["channel"], "day": str(row["day"]), "received": 0, "repeated": 0, "outcomes": {}}
        )
        one["outcomes"][row["outcome"]] = row["messages"]
        one["repeated"] += int(row["repeats"])
        one["received"] += row["messages"] + int(row["repeats"])
    return Json({"items": list(found.values())})


@router.get(
    "/inbox/{inbox_id:inbox_id}",
    summary="A message as it came",
    operation_id="getChannelMessage",
    response_model=ChannelMessageDetail,
    responses={**responses.success(200, "The message.", examples.DETAIL), **responses.problems("not-found")},
)
async def get(inbox_id: InboxId, services: Use, who: Annotated[Principal, needs(Scope.INBOX_READ)]) -> Json:
    """With its headers and its body, what is wrong with it, and what became of it."""
    return Json(await detail(services, who, inbox_id))


@router.post(
    "/inbox/{inbox_id}/replay",
    summary="Take a message in once more",
    operation_id="replayChannelMessage",
    response_model=ChannelMessage,
    responses={
        **responses.success(200, "It waits for its turn, or is in quarantine again.", examples.REPLAYED),
        **responses.problems("not-found", "conflict", "invalid-input"),
    },
)
async def replay(
    inbox_id: InboxId,
    asked: Annotated[Replay, AS_SEEN, Body(openapi_examples=responses.named(examples.REPLAYS))],
    services: Use,
    who: Annotated[Principal, needs(Scope.INBOX_WORK)],
) -> Json:
    """It is read by the mapping that is live now, with what is given in place of fields, as if it came now: a later
    state of the order that is known already still counts. What became an order, or changed one, is not replayed.
    """
    await detail(services, who, inbox_id)
    await channel_inbox.replay(database(services), inbox_id, asked.repairs)
    found = await detail(services, who, inbox_id)
    return Json({name: found[name] for name in SHOWN})


@router.post(
    "/inbox/{inbox_id}/dismiss",
    summary="Make nothing of a message in quarantine",
    operation_id="dismissChannelMessage",
    response_model=ChannelMessage,
    responses={
        **responses.success(200, "It waits for nobody any more.", examples.DISMISSED),
        **responses.problems("not-found", "conflict", "invalid-input"),
    },
)
async def dismiss(
    inbox_id: InboxId,
    asked: Annotated[Dismissal, Body(openapi_examples=responses.named({"a test": examples.DISMISSAL}))],
    services: Use,
    who: Annotated[Principal, needs(Scope.INBOX_WORK)],
) -> Json:
    """It leaves the quarantine, and is kept with the reason as long as other settled messages. The channel is told
    nothing. It can be replayed still.
    """
    await detail(services, who, inbox_id)
    await channel_inbox.dismiss(database(services), inbox_id, asked.reason, who.name)
    found = await detail(services, who, inbox_id)
    return Json({name: found[name] for name in SHOWN})


async def detail(services: Services, who: Principal, message_id: int) -> dict[str, Any]:
    """A message as it is shown with what came. Raises NotFound, also for one of another's channel."""
    async with services.reads.connect() as connection:
        row = await messages.get(connection, message_id, channels_of(who, None))
        found = await corrections.of_messages(connection, [message_id])
    corrected = [{name: each[name] for name in MessageCorrection.model_fields} for each in found]
    extra = {"reference": row["reference"], "fetched": _readable(row["fetched"]), "fetched_at": row["fetched_at"]}
    as_came = {"headers": row["headers"], "body": _readable(row["body"])}
    return {**_shown(row), **extra, "corrections": corrected, **as_came}


def _readable(raw: bytes | None) -> str | None:
    return None if raw is None else bytes(raw).decode(errors="backslashreplace").replace("\0", "\\0")


def _shown(row: RowMapping) -> dict[str, Any]:
    return {name: row[name] for name in SHOWN}


def channels_of(who: Principal, asked: str | None) -> list[str] | None:
    """The channels to look at: the one that is asked for, of those the caller sees; None for all."""
    seen = who.limits.channels
    if asked is None:
        return None if seen is None else sorted(seen)
    return [asked] if seen is None or asked in seen else []


def database(services: Services) -> Database:
    """What messages are kept in."""
    return Database(engine=services.engine, reference=services.reference, webhooks=services.webhooks)
