"""Who comes with an API key. What was read of a key is remembered for a few seconds in each process."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Final

import structlog
from sqlalchemy import RowMapping
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.shared.access import Principal
from services.api_keys import is_secret, parts
from services.credentials import is_live
from store.access import api_keys
from store.access.credentials import API_KEYS, USED_EVERY_SECONDS

REMEMBERED_SECONDS: Final = 5.0
"""How long a revoked key may still work in another process than the one that revoked it."""
_MOST: Final = 10_000
"""Keys a process remembers; more than that, and it begins anew."""
_log = structlog.get_logger("access")


@dataclass(slots=True)
class _Seen:
    row: RowMapping
    caller: Principal
    at: float
    used_at: datetime | None


class KeyRing:
    """The callers of a process, by their keys. `statements` is an engine whose statements stand for themselves."""

    def __init__(self, statements: AsyncEngine, clock: Callable[[], float] = monotonic) -> None:
        self._statements = statements
        self._clock = clock
        self._seen: dict[str, _Seen] = {}
        self._forgotten = 0

    async def caller(self, key: str) -> Principal | None:
        """Who comes with this key; None for a key that is wrong, expired or revoked: which of them, nobody is told."""
        found = parts(key)
        if found is None:
            return None
        key_id, hash_ = found
        seen = await self._read(key_id)
        if seen is None or not is_secret(seen.row, hash_):
            return None
        now = seen.row["now"] + timedelta(seconds=self._clock() - seen.at)
        if not is_live(seen.row, now):
            return None
        await self._note_use(key_id, seen, now)
        return seen.caller

    def forget(self, key_id: str) -> None:
        """Look the key up anew when it comes next: it was revoked, or ends sooner."""
        self._seen.pop(key_id, None)
        self._forgotten += 1

    async def _read(self, key_id: str) -> _Seen | None:
        seen = self._seen.get(key_id)
        if seen is not None and self._clock() - seen.at < REMEMBERED_SECONDS:
            return seen
        at, forgotten = self._clock(), self._forgotten
        async with self._statements.connect() as connection:
            row = await api_keys.find(connection, key_id)
        if row is None:
            self.forget(key_id)
            return None
        if len(self._seen) >= _MOST:
            self._seen.clear()
        read = _Seen(row, api_keys.caller_of(row), at, row["last_used_at"])
        if self._forgotten == forgotten:  # else it may have been read before it was revoked
            self._seen[key_id] = read
        return read

    async def _note_use(self, key_id: str, seen: _Seen, now: datetime) -> None:
        if seen.used_at is not None and now - seen.used_at < timedelta(seconds=USED_EVERY_SECONDS):
            return
        seen.used_at = now
        try:
            async with self._statements.connect() as connection:
                await API_KEYS.used(connection, key_id)
        except (SQLAlchemyError, OSError) as error:  # who calls is known all the same
            _log.warning("the last use of a key was not written down", key_id=key_id, error=str(error))
