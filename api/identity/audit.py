"""The audit log of the API: every change that a caller asked for, and everything that a caller was refused for want of
rights, with who, what, when, why and from where.

An entry is written before the answer is sent. Who is not known at all stands in the log of the process alone: otherwise
anybody could fill the table.
"""

import asyncio
import json
from typing import Any, Final

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.datastructures import Headers, QueryParams
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http import request_id
from api.identity.authentication import PROTECTED
from api.identity.scopes import declared
from dom.shared.access import Principal
from dom.shared.texts import keepable
from store.access import audit
from store.access.audit import AuditEntry

_READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_FORBIDDEN: Final = 403
_TOO_MANY: Final = 429
_UNAUTHENTICATED: Final = 401
_FAILED: Final = 500
_LOOKED_THROUGH: Final = 65_536
"""Bytes of a body in which a reason is looked for."""
_PATIENCE: Final = 3.0
"""Seconds an answer waits for its entry, where the database does not answer. The entry is not cut off then: a
connection that is cut off is lost to the pool.
"""
_END_WITHIN: Final = 10.0
"""Seconds that entries under way get to be written when the process ends."""
_under_way: Final[set[asyncio.Task[None]]] = set()
_log = structlog.get_logger("access")


class Audit:
    """Writes an entry for what a caller changes, or may not do; none for a request that was one too many (429)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and write down what it was answered with."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = bytearray()
        answered = False

        async def hear() -> Message:
            message = await receive()
            if message["type"] == "http.request" and len(body) <= _LOOKED_THROUGH:
                body.extend(message.get("body", b""))
            return message

        async def answer(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = True
                await _note(scope, message["status"], Headers(raw=message["headers"]), bytes(body))
            await send(message)

        try:
            await self._app(scope, hear, answer)
        except Exception:
            if not answered:
                await _note(scope, _FAILED, Headers(), bytes(body))
            raise


async def _note(scope: Scope, status: int, headers: Headers, body: bytes) -> None:
    caller = scope.get("state", {}).get("caller")
    source = scope["client"][0] if scope.get("client") else ""
    if not isinstance(caller, Principal):
        if status == _UNAUTHENTICATED:
            _log.warning("unauthenticated", method=scope["method"], path=scope["path"], source=source)
        return
    if status == _TOO_MANY or (status != _FORBIDDEN and not _changes(scope)):
        return
    entry = AuditEntry(
        request_id=request_id.current.get(),
        principal=caller.name,
        key_id=caller.key_id,
        roles=sorted(caller.roles),
        method=scope["method"],
        route=_route(scope),
        object=_object(scope, headers),
        status=status,
        reason=_reason(scope, body),
        source=source,
    )
    writing = asyncio.create_task(_write(scope["app"].state.services.reads, entry))
    _under_way.add(writing)
    writing.add_done_callback(_under_way.discard)
    await asyncio.wait({writing}, timeout=_PATIENCE)


async def finish() -> None:
    """Wait for the entries that are still being written. To be called before the engine is closed."""
    if not _under_way:
        return
    _, late = await asyncio.wait(_under_way, timeout=_END_WITHIN)
    if late:
        _log.error("entries of the audit log are not written yet", entries=len(late))


async def _write(statements: AsyncEngine, entry: AuditEntry) -> None:
    """Write it down, in one statement. The answer is given all the same if that fails: what was done is done."""
    try:
        async with statements.connect() as connection:
            await audit.write(connection, entry)
    except (SQLAlchemyError, OSError) as error:
        _log.error("an entry of the audit log was not written", entry=entry, error=str(error))


def _changes(scope: Scope) -> bool:
    """Whether the request may change something: not one that reads, nor one whose scope is to read."""
    if scope["method"] in _READS:
        return False
    scopes = declared(scope["route"]) if "route" in scope else ()
    return not scopes or any(not scope_.endswith(":read") for scope_ in scopes)


def _route(scope: Scope) -> str:
    """The route's template; of what leads nowhere the path."""
    template = getattr(scope.get("route"), "path", None)
    return _kept(scope["path"]) if template is None else f"{PROTECTED}{template}"


def _object(scope: Scope, headers: Headers) -> str:
    """What it was about: the parameters of the path, and what was made."""
    named = [str(value) for value in scope.get("path_params", {}).values()]
    made = headers.get("location", "").rpartition("/")[2]
    return _kept("/".join([*named, *([made] if made and made not in named else [])]))


def _reason(scope: Scope, body: bytes) -> str:
    """The reason or comment that the caller gave."""
    given = QueryParams(scope["query_string"]).get("comment", "")
    if given or b'"reason"' not in body or len(body) > _LOOKED_THROUGH:
        return _kept(given)
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    return _kept(found.get("reason")) if isinstance(found, dict) else ""


def _kept(text: Any) -> str:
    """The text as it can be stored: without NUL and halves of characters."""
    return keepable(text) if isinstance(text, str) else ""
