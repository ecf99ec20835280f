"""The API's door, with as little client as can be: the driver runs on the machine whose other processes it measures."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any
from urllib.parse import urlencode, urlsplit

from dom.orders.status import BEFORE_HAND_OVER

_SEEN = tuple(sorted(BEFORE_HAND_OVER))
_PAGE = 200
_LARGEST_HEAD_BYTES = 1 << 16
_SUCCESSES = range(200, 300)

Json = dict[str, Any]
WorkList = Mapping[str, list[Json]]
"""Fulfilments that are not handed over, by order."""


class RefusedError(Exception):
    """The API did not do what the bench asked for."""


_FRESH_SECONDS = 2.0
"""The API hangs up on a connection that says nothing for 5 s; one that may be about to is not used again."""


@dataclass(slots=True)
class _Line:
    """One kept connection, and when it was used last."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    used_at: float = 0.0

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Status and body of the answer; our API always says how long its body is."""
        self.writer.write(request)
        self.used_at = monotonic()
        head = (await self.reader.readuntil(b"\r\n\r\n")).lower()
        _, _, after = head.partition(b"\r\ncontent-length:")
        return int(head.split(b" ", 2)[1]), await self.reader.readexactly(int(after.partition(b"\r\n")[0]))


class Door:
    """The API below /v1, as a channel, a node and a carrier see it. Connections are kept and reused."""

    def __init__(self, api_url: str, key: str) -> None:
        address = urlsplit(api_url)
        self._key = key
        self._host, self._port = str(address.hostname), int(address.port or 80)
        self._lines: list[_Line] = []

    async def get(self, path: str, parameters: Iterable[tuple[str, str]] = ()) -> Json:
        """Reads; raises RefusedError."""
        return await self._ask("GET", f"{path}?{urlencode(list(parameters))}", b"")

    async def post(self, path: str, body: Mapping[str, Any]) -> Json:
        """Asks for something to be done; raises RefusedError."""
        return await self._ask("POST", path, json.dumps(body).encode())

    async def put(self, path: str, body: Mapping[str, Any]) -> Json:
        """Replaces; raises RefusedError."""
        return await self._ask("PUT", path, json.dumps(body).encode())

    async def work_list(self) -> WorkList:
        """Everybody's open work in one call; raises RefusedError when it does not fit on a page."""
        page = await self.get("/fulfilments", [*(("status", status) for status in _SEEN), ("limit", str(_PAGE))])
        if page["next_cursor"]:
            raise RefusedError(f"more than {_PAGE} fulfilments are open; fewer orders at once are needed")
        found: defaultdict[str, list[Json]] = defaultdict(list)
        for item in page["items"]:
            found[item["order_id"]].append(item)
        return found

    def close(self) -> None:
        """Hangs up."""
        while self._lines:
            self._lines.pop().writer.close()

    async def _ask(self, method: str, path: str, body: bytes) -> Json:
        line = self._kept() or await self._connect()
        head = f"{method} /v1{path} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\nX-API-Key: {self._key}\r\n"
        content = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
        status, answer = await line.ask(f"{head}{content}\r\n".encode() + body)
        self._lines.append(line)
        if status not in _SUCCESSES:
            raise RefusedError(f"{method} {path}: {status} {answer.decode()}")
        found: Json = json.loads(answer)
        return found

    def _kept(self) -> _Line | None:
        while self._lines:
            line = self._lines.pop()
            if monotonic() - line.used_at < _FRESH_SECONDS:
                return line
            line.writer.close()
        return None

    async def _connect(self) -> _Line:
        return _Line(*await asyncio.open_connection(self._host, self._port, limit=_LARGEST_HEAD_BYTES))


@asynccontextmanager
async def door(api_url: str, key: str) -> AsyncIterator[Door]:
    """The API at this address, called with this API key."""
    opened = Door(api_url, key)
    try:
        yield opened
    finally:
        opened.close()
