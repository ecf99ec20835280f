"""Changes of what can be promised: page by page, or as they happen."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from time import monotonic
from typing import Annotated, Any, Final

import structlog
from fastapi import APIRouter, Header, Query, Request
from pydantic_core import to_json
from sqlalchemy.exc import SQLAlchemyError
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.availability import change_examples
from api.availability.change_models import AvailabilityChanges
from api.contract import responses
from api.http import cursor, problems
from api.http.answers import Json
from api.http.change_stream import ChangesRead, FullError, Tail
from api.http.problems import ProviderAwayError, UnauthenticatedError
from api.http.services import Services, Use
from api.identity import visibility
from api.identity.authentication import Callers
from api.identity.scopes import needs
from dom.shared import access
from dom.shared.access import Principal
from dom.shared.errors import InvalidInput
from store.database.uninterrupted import uninterrupted
from store.ledger import cursors
from store.ledger.cursors import START, Cursor

router = APIRouter(tags=["inventory"])

FROM_THE_START: Final = "start"
_LONGEST: Final = 2**63 - 1
_SEND_WITHIN: Final = 30.0
"""Seconds a listener may take to take what it is sent."""
_END_WITHIN: Final = 2.0
"""Seconds a stream may take to end by itself when the process is to end: the tail tells it to."""
KNOWN_FOR_SECONDS: Final = 5.0
"""How long a stream goes on before it is asked again whether its caller's key or token counts. The answer may be as old
as `REMEMBERED_SECONDS` of `services.authentication`.
"""
_log = structlog.get_logger("api.changes")

_Channel = Annotated[
    str | None, Query(max_length=31, description="Whose availability is told; absent: what is free to promise to any.")
]
_Place = Annotated[
    str | None,
    Query(
        max_length=1000,
        description="`next_cursor` of an answer before, or the id of an event. `start`: from the first change on, "
        "which tells of every SKU. Absent: from now on.",
    ),
]


@router.get(
    "/availability/changes",
    summary="What changed since",
    operation_id="listAvailabilityChanges",
    response_model=AvailabilityChanges,
    responses={
        **responses.success(200, "SKUs that changed, each once.", change_examples.AVAILABILITY_CHANGES),
        **responses.problems("unknown-channel", "invalid-input", "too-many-listeners"),
    },
)
async def list_changes(
    request: Request,
    services: Use,
    who: Annotated[Principal, needs(access.Scope.AVAILABILITY_READ)],
    channel: _Channel = None,
    cursor: _Place = None,
    limit: Annotated[int, Query(ge=1, le=500, description="SKUs of one answer, at most.")] = 100,
    wait: Annotated[float, Query(ge=0, le=30, description="Seconds to wait for a change where there is none yet.")] = 0,
) -> Response:
    """Every change is told at least once, with what may be promised when it is told. An answer without items means that
    nothing changed: ask again later, or `wait`. Changes are of all nodes: a caller who is limited to nodes is refused.
    """
    visibility.no_limit_of_nodes(who)
    channel = visibility.own_channel(who, channel)
    await services.channels.check(channel)
    after = await _place(services, cursor)
    if not wait:
        told = await services.tail.read(channel, after, limit)
    else:
        try:
            async with services.tail.listening(_caller(who)):
                told = await services.tail.wait_and_read(channel, after, limit, wait)
        except FullError:
            return _full()
        await _must_still_call(request, who)
    return Json({"items": _items(told), "next_cursor": _encode(told.cursor)})


_EVENT: Final[dict[str, Any]] = {
    "type": "object",
    "description": "One event of the stream, by its fields (HTML, 9.2.5): each is a line `field: value`.",
    "properties": {
        "id": {"type": "string", "description": "The cursor after it."},
        "event": {"const": "availability"},
        "data": {"type": "string", "contentMediaType": "application/json", "description": "The `items`, as JSON."},
    },
    "required": ["id", "event", "data"],
}
"""OpenAPI 3.1 has no word for a stream: by custom the schema of `text/event-stream` is that of one event."""


@router.get(
    "/availability/stream",
    summary="Changes as they happen",
    operation_id="streamAvailabilityChanges",
    response_class=Response,
    responses={
        200: {
            "description": "Server-sent events. Each event `availability` has the items that `changes` answers, and as "
            "id the cursor after it. Comments keep the connection open.",
            "content": {"text/event-stream": {"schema": _EVENT, "example": change_examples.AVAILABILITY_EVENT}},
        },
        **responses.problems("unknown-channel", "invalid-input", "too-many-listeners"),
    },
)
async def stream_changes(
    request: Request,
    services: Use,
    who: Annotated[Principal, needs(access.Scope.AVAILABILITY_READ)],
    channel: _Channel = None,
    cursor: _Place = None,
    last_event_id: Annotated[
        str | None, Header(max_length=1000, description="Id of the last event that was heard; goes before `cursor`.")
    ] = None,
) -> Response:
    """Every change is told at least once. After a disconnect the browser's EventSource goes on by itself where it was;
    others send `Last-Event-ID`. It ends within ten seconds after the caller's key or token has. Changes are of all
    nodes: a caller who is limited to nodes is refused.
    """
    visibility.no_limit_of_nodes(who)
    channel = visibility.own_channel(who, channel)
    await services.channels.check(channel)
    after = await _place(services, last_event_id or cursor)
    listening = AsyncExitStack()
    try:
        await listening.enter_async_context(services.tail.listening(_caller(who)))
    except FullError:
        return _full()
    return _Stream(_events(services.tail, channel, after, partial(_must_still_call, request, who)), listening)


def _caller(who: Principal) -> str:
    return who.key_id or who.name


class _Stream(EventSourceResponse):
    """Events, and the listener's place that is given back when they end, however they end."""

    def __init__(self, events: AsyncIterator[ServerSentEvent], listening: AsyncExitStack) -> None:
        super().__init__(events, send_timeout=_SEND_WITHIN, shutdown_grace_period=_END_WITHIN, sep="\n")
        self._listening = listening

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._listening:
            await super().__call__(scope, receive, send)


async def _events(
    tail: Tail, channel: str | None, after: Cursor, check: Callable[[], Awaitable[None]]
) -> AsyncIterator[ServerSentEvent]:
    checked_at = monotonic()
    yield ServerSentEvent(comment="listening", id=_encode(after), sep="\n")  # so that it can go on from here
    try:
        async for told in tail.follow(channel, after, KNOWN_FOR_SECONDS):
            if monotonic() - checked_at >= KNOWN_FOR_SECONDS:
                await check()
                checked_at = monotonic()
            if not told.news:
                continue
            data = to_json({"items": _items(told)}).decode()
            yield ServerSentEvent(data, event="availability", id=_encode(told.cursor), sep="\n")
    except (SQLAlchemyError, OSError, TimeoutError) as error:  # the listener comes back, and goes on where it was
        _log.warning("stream ended", error=str(error))
    except (UnauthenticatedError, ProviderAwayError) as error:
        _log.info("stream ended", because=str(error))


async def _must_still_call(request: Request, who: Principal) -> None:
    """Raises UnauthenticatedError where the caller would not be let in any more as he was."""
    callers: Callers = request.app.state.callers
    if await uninterrupted(callers.identify(request.headers)) != who:
        raise UnauthenticatedError("what the caller may do has changed")


async def _place(services: Services, text: str | None) -> Cursor:
    """Where to go on. Raises InvalidInput for what is no cursor of this database."""
    if text == FROM_THE_START:
        return START
    async with services.reads.connect() as connection:
        if text is None:
            return await cursors.end(connection)
        place = _decode(text)
        if await cursors.is_ahead(connection, place):
            raise InvalidInput("the cursor is of another database; begin again with `start`", field="cursor")
    return place


def _encode(place: Cursor) -> str:
    return cursor.encode(str(place.transaction), str(place.entry))


def _decode(text: str) -> Cursor:
    parts = cursor.decode(text, 2)
    if not all(part.isascii() and part.isdigit() and int(part) <= _LONGEST for part in parts):
        raise InvalidInput("take next_cursor as it was answered", field="cursor")
    return Cursor(int(parts[0]), int(parts[1]))


def _items(told: ChangesRead) -> list[dict[str, str | int]]:
    return [{"sku": each.sku, "quantity": each.quantity, "level": each.level} for each in told.news]


def _full() -> Response:
    return problems.answer(problems.of(problems.FULL, "as many listen in this process as may"))
