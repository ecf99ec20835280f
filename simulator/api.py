"""The HTTP client all players share: bounded, patient with failures, and it keeps the time of every call."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

import httpx

from simulator import chance

CALLS_AT_ONCE = 24
TIMEOUT = httpx.Timeout(30.0, connect=5.0, pool=None)
FIRST_PAUSE = 0.2
LONGEST_PAUSE = 3.0
PAGE = 200
_SERVER_ERROR = 500
_PASSING = frozenset({408, 425, 429})
"""Refusals that say: not now."""

Body = dict[str, Any]
Parameters = Sequence[tuple[str, str]]


class ApiUnreachable(Exception):
    """The API did not answer one call for longer than the run's patience."""


@dataclass(frozen=True, slots=True)
class ApiAnswer:
    """What the API said; `attempts` above 1 means that earlier answers were lost or were failures."""

    status: int
    body: Body
    attempts: int

    @property
    def ok(self) -> bool:
        """Whether it was carried out."""
        return httpx.codes.is_success(self.status)

    @property
    def conflict(self) -> bool:
        """Whether it is impossible in the present state."""
        return self.status == httpx.codes.CONFLICT

    @property
    def problem(self) -> str:
        """What the problem document says is wrong."""
        return f"{self.status} {self.body.get('title', '')}: {self.body.get('detail', '')}".strip(": ")


@dataclass(slots=True)
class Calls:
    """How long each kind of call took, in seconds, and what went wrong with it."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    retries: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)

    def took(self, name: str, seconds: float) -> None:
        """Notes one answered call."""
        self.seconds.setdefault(name, []).append(seconds)


class Credentials(httpx.Auth):
    """Each player comes with its own key: channels, nodes, carriers, and an operator for the rest."""

    def __init__(self, folder: Path | None) -> None:
        names = ("channels", "nodes", "carriers", "operator")
        files = {} if folder is None else {name: folder / name for name in names}
        self._keys = {name: file.read_text().strip() for name, file in files.items() if file.exists()}

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """The request with the key of whoever would send it."""
        key = self._keys.get(_player(request.method, request.url.path)) or self._keys.get("operator")
        if key:
            request.headers["Authorization"] = f"Bearer {key}"
        yield request


def _player(method: str, path: str) -> str:
    """Who calls the address. What no partner may ask, the operator asks."""
    _, _, called = path.partition("/v1/")
    if called.startswith("carriers/"):
        return "carriers"
    if called.startswith(("fulfilments", "cancellation-requests")) or called.endswith(("/receive", "/inspect")):
        return "nodes"
    if called.startswith("inventory/adjustments"):
        return "nodes"
    if called.startswith("orders/") and method == "GET":
        return "operator"  # people look at an order; its costs are no channel's business
    if called.startswith(("orders", "reservations")) or (called == "returns" and method == "POST"):
        return "channels"
    return "operator"


class Api:
    """Calls below /v1. Connection errors, 5xx and `_PASSING` are tried again with the same content, up to `patience`
    seconds a call; then ApiUnreachable is raised. Every other answer is the caller's to read.
    """

    def __init__(self, client: httpx.AsyncClient, patience: float) -> None:
        self._client = client
        self._patience = patience
        self._room = asyncio.Semaphore(CALLS_AT_ONCE)
        self.calls = Calls()

    async def get(self, name: str, path: str, parameters: Parameters = ()) -> ApiAnswer:
        """Reads; `name` is what the statistics call it."""
        return await self._call(name, "GET", path, parameters=parameters)

    async def post(self, name: str, path: str, body: Mapping[str, Any], *, key: str = "") -> ApiAnswer:
        """Writes; `key` goes along as Idempotency-Key."""
        return await self._call(name, "POST", path, body=body, headers={"Idempotency-Key": key} if key else {})

    async def pages(self, name: str, path: str, parameters: Parameters) -> AsyncIterator[Body]:
        """Every item of a list, page by page. Raises ApiUnreachable also when the list is refused."""
        cursor: list[tuple[str, str]] = []
        while True:
            answer = await self.get(name, path, [*parameters, ("limit", str(PAGE)), *cursor])
            if not answer.ok:
                raise ApiUnreachable(f"GET {path}: {answer.problem}")
            for item in answer.body["items"]:
                yield item
            if not answer.body.get("next_cursor"):
                return
            cursor = [("cursor", answer.body["next_cursor"])]

    async def _call(
        self,
        name: str,
        method: str,
        path: str,
        *,
        parameters: Parameters = (),
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> ApiAnswer:
        attempts, failing_since = 0, None
        while True:
            attempts += 1
            async with self._room:
                began = monotonic()
                try:
                    response = await self._client.request(
                        method, f"/v1{path}", params=list(parameters) or None, json=body, headers=headers
                    )
                    trouble = _trouble(response)
                except httpx.TransportError as error:
                    trouble = _in_words(error)
                ended = monotonic()
            if not trouble:
                self.calls.took(name, ended - began)
                return ApiAnswer(response.status_code, _body(response), attempts)
            self.calls.retries[name] += 1
            self.calls.errors[trouble] += 1
            failing_since = failing_since or began
            if ended - failing_since > self._patience:
                raise ApiUnreachable(f"{method} {path}: {trouble} for {self._patience:.0f} seconds")
            await asyncio.sleep(_pause(path, attempts))


def _in_words(error: httpx.TransportError) -> str:
    """What went wrong on the way, without the name of a class."""
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        return "no connection"
    if isinstance(error, httpx.TimeoutException):
        return "no answer in time"
    return "the connection broke"


def _trouble(response: httpx.Response) -> str:
    passing = response.status_code in _PASSING or response.status_code >= _SERVER_ERROR
    return f"HTTP {response.status_code}" if passing else ""


def _body(response: httpx.Response) -> Body:
    try:
        body = response.json()
    except ValueError:
        return {"detail": response.text[:200]}
    return body if isinstance(body, dict) else {"detail": str(body)[:200]}


def _pause(path: str, attempts: int) -> float:
    """Doubles up to `LONGEST_PAUSE`; spread so that callers do not come back all at once."""
    longest = min(LONGEST_PAUSE, FIRST_PAUSE * (1 << min(attempts - 1, 10)))
    return longest * (0.5 + 0.5 * chance.draw(path, attempts))
