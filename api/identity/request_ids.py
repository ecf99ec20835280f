"""What every answer carries: the id of its request, and headers that keep browsers from guessing."""

import re
from typing import Final
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from api.http import request_id

_GIVEN: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
"""An id of the caller's that is taken; any other is replaced, and none is ever written to a log unread."""
_PAGES: Final = "text/html"
_ALWAYS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}
_NO_PAGE: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
"""Of answers that are no pages: they are for programs, and for the caller alone."""


class RequestIds:
    """Gives each request its id, the caller's own if it can be one, and each answer its headers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its id."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(request_id.HEADER, "")
        own = given if _GIVEN.fullmatch(given) else uuid4().hex
        # Not taken back where the application fails: the answer to that is made further out, and names it too.
        token = request_id.current.set(own)

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add_headers(MutableHeaders(scope=message), own)
            await send(message)

        with bound_contextvars(request_id=own):
            await self._app(scope, receive, answer)
        request_id.current.reset(token)


def _add_headers(headers: MutableHeaders, own: str) -> None:
    headers[request_id.HEADER] = own
    is_page = headers.get("content-type", "").startswith(_PAGES)
    for name, value in {**_ALWAYS, **({} if is_page else _NO_PAGE)}.items():
        headers.setdefault(name, value)
