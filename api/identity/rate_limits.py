"""How much a caller may ask of one process: a bucket of tokens that fills evenly, told as the IETF's draft of RateLimit
headers has it (draft-ietf-httpapi-ratelimit-headers).

Each process counts for itself: behind N processes a caller may have N times as much.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from time import monotonic
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http import addresses, problems
from dom.shared.access import Principal

WINDOW_SECONDS: Final = 60
_MOST: Final = 10_000
"""Callers a process counts for; more than that, and those whose bucket is full again are forgotten."""


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float


class Buckets:
    """A bucket a caller."""

    def __init__(self, quota: int, clock: Callable[[], float] = monotonic) -> None:
        self.quota = quota
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}

    def take(self, caller: str) -> tuple[int, int]:
        """What is left after this request, below zero if it is too many; and the seconds until there is one more."""
        now = self._clock()
        if len(self._buckets) > _MOST:
            self._buckets = {name: each for name, each in self._buckets.items() if now - each.at < WINDOW_SECONDS}
        bucket = self._buckets.setdefault(caller, _Bucket(float(self.quota), now))
        bucket.left = min(float(self.quota), bucket.left + (now - bucket.at) * self.quota / WINDOW_SECONDS)
        bucket.at = now
        if bucket.left < 1:
            return -1, ceil((1 - bucket.left) * WINDOW_SECONDS / self.quota)
        bucket.left -= 1
        return int(bucket.left), 0


LINK_QUOTA: Final = 120
"""Requests with customers' links from one address, in a minute."""
WEBHOOK_QUOTA: Final = 12_000
"""Platforms' webhooks from one address, in a minute: a shop that catches up sends many."""


class RateLimits:
    """Answers 429 to a caller who asks too much, and to an address that opens too many customers' links or posts too
    many webhooks; tells the others what is left to them.
    """

    def __init__(self, app: ASGIApp, quota: int, link_quota: int = LINK_QUOTA) -> None:
        self._app = app
        self._callers = Buckets(quota)
        self._links = Buckets(link_quota)
        self._webhooks = Buckets(WEBHOOK_QUOTA)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it with a problem."""
        counted = self._counted(scope) if scope["type"] == "http" else None
        if counted is None:
            await self._app(scope, receive, send)
            return
        buckets, name = counted
        left, wait = buckets.take(name)
        policy = f'"caller";q={buckets.quota};w={WINDOW_SECONDS}'

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["RateLimit-Policy"] = policy
                headers["RateLimit"] = f'"caller";r={max(left, 0)};t={wait}'
            await send(message)

        if left < 0:
            problem = problems.of(problems.TOO_MANY, f"more than {buckets.quota} requests in a minute")
            await problems.answer(problem, {"Retry-After": str(max(wait, 1)), "Connection": "close"})(
                scope, receive, answer
            )
            return
        await self._app(scope, receive, answer)

    def _counted(self, scope: Scope) -> tuple[Buckets, str] | None:
        """For whom the request counts; None for nobody."""
        caller = scope.get("state", {}).get("caller")
        if isinstance(caller, Principal):
            return self._callers, caller.key_id or f"token:{caller.name}"
        address = scope["client"][0] if scope.get("client") else ""
        if addresses.is_webhook(scope):
            return self._webhooks, address
        return (self._links, address) if addresses.is_link(scope) else None
