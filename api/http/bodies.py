"""What may come in: bodies up to a limit."""

from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http import addresses, problems

MAX_BYTES: Final = 2_000_000
"""Temporal refuses payloads above 2 MiB."""
MAX_FILE_BYTES: Final = 256_000_000
"""Of a file whose rows are read as they come; a million rows have some 30 MB."""
FILES: Final = frozenset({"/v1/inventory/imports"})
"""Where files are sent to."""

MAX_LINK_BYTES: Final = 4_096
"""Of what comes by a customer's link, from anybody: an answer is a word."""

_WITHOUT_BODY: Final = {"GET", "HEAD", "OPTIONS", "DELETE"}


class BodyGuard:
    """Reads a request's body once, before anything works on it; a file is only counted, and read by who works on it.

    Refuses a body above the limit without reading the rest.
    """

    def __init__(self, app: ASGIApp, max_bytes: int = MAX_BYTES) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it with a problem."""
        if scope["type"] != "http" or scope["method"] in _WITHOUT_BODY:
            await self._app(scope, receive, send)
            return
        if scope["path"] in FILES:
            await self._app(scope, _counted(receive), send)
            return
        most = MAX_LINK_BYTES if addresses.is_link(scope) else self._max_bytes
        try:
            body = await _read(scope, receive, most)
        except ClientDisconnect:
            return
        if body is None:
            problem = problems.of(problems.TOO_LARGE, f"a body may have {most} bytes")
            await problems.answer(problem, {"Connection": "close"})(scope, receive, send)
        else:
            await self._app(scope, _Replay(body, receive), send)


async def _read(scope: Scope, receive: Receive, most: int) -> bytes | None:
    """The body; None where it is larger."""
    announced = dict(scope["headers"]).get(b"content-length", b"0")
    if announced.isdigit() and int(announced) > most:
        return None
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += bytes(message.get("body", b""))
        if len(body) > most:
            return None
        if not message.get("more_body", False):
            return body


def _counted(receive: Receive) -> Receive:
    """The messages of a file's body; raises HTTPException where they are too many bytes."""
    left = MAX_FILE_BYTES

    async def next_message() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise HTTPException(413, f"a file may have {MAX_FILE_BYTES} bytes")
        return message

    return next_message


class _Replay:
    """Hands a body out that was read before."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Message:
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}
