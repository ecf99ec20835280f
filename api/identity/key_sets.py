"""The identity provider's public keys (JWKS, RFC 7517), from a file or a URL; read again when a token names another."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any, Final

import httpx
import structlog
from joserfc.errors import JoseError
from joserfc.jwk import Key, KeySet

from api.http.problems import ProviderAwayError
from api.http.shared_work import Shared

READ_AGAIN_SECONDS: Final = 600.0
"""How long keys are used before they are read again, so that one that was withdrawn is not used for ever."""
LEAST_SECONDS: Final = 10.0
"""Between two readings that tokens with unknown keys ask for: nobody makes us ask the provider without end."""
FAILED_SECONDS: Final = 2.0
"""Between a reading that failed and the next."""
LONGEST_SECONDS: Final = 8.0
"""That one reading may take."""
PATIENCE: Final = httpx.Timeout(5.0, connect=2.0)
MOST_BYTES: Final = 1_000_000
_WEB: Final = ("http://", "https://")
_log = structlog.get_logger("access")


class PublicKeys:
    """The public keys by their id. Where they cannot be read, those that were read before stay."""

    def __init__(
        self,
        source: str,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._source = source
        self._transport = transport
        self._clock = clock
        self._keys: dict[str, Key] = {}
        self._read_at: float | None = None
        self._tried_at: float | None = None
        self._failure = ""
        self._reading = Shared(self._read)

    async def find(self, kid: str) -> Key | None:
        """The key of that id; None if the provider has none. Whoever comes while keys are read waits for them.

        Raises ProviderAwayError, with the reason, for a key that is not known while none can be read.
        """
        if self._is_due(kid):
            await self._reading.within(LONGEST_SECONDS + 1)
        found = self._keys.get(kid)
        if found is None and self._failure:
            raise ProviderAwayError(f"the identity provider's keys cannot be read: {self._failure}")
        return found

    async def close(self) -> None:
        """Nothing is read any more."""
        await self._reading.close()

    def _is_due(self, kid: str) -> bool:
        if self._reading.is_under_way:
            return kid not in self._keys
        if _is_younger(self._tried_at, FAILED_SECONDS if self._failure else LEAST_SECONDS, self._clock()):
            return False
        return kid not in self._keys or not _is_younger(self._read_at, READ_AGAIN_SECONDS, self._clock())

    async def _read(self) -> None:
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                self._keys = _by_id(await self._document())
        except (OSError, ValueError, KeyError, TypeError, httpx.HTTPError, JoseError) as error:
            self._failure = _in_words(error)
            _log.error("the identity provider's keys cannot be read", source=self._source, error=str(error))
        else:
            self._failure, self._read_at = "", self._clock()
        self._tried_at = self._clock()

    async def _document(self) -> Any:
        if not self._source.startswith(_WEB):
            return json.loads(await asyncio.to_thread(Path(self._source).read_bytes))
        async with (
            httpx.AsyncClient(timeout=PATIENCE, transport=self._transport) as client,
            client.stream("GET", self._source) as answer,
        ):
            answer.raise_for_status()
            content = b""
            async for part in answer.aiter_bytes():
                content += part
                if len(content) > MOST_BYTES:
                    raise ValueError(f"more than {MOST_BYTES} bytes")
        return json.loads(content)


def _by_id(document: Any) -> dict[str, Key]:
    """The keys that verify signatures. One without an id no token can name; a symmetric one is no public key."""
    found = KeySet.import_key_set(document)
    return {
        key.kid: key
        for key in found.keys
        if key.kid and key.key_type != "oct" and key.as_dict(private=False).get("use", "sig") == "sig"
    }


def _is_younger(moment: float | None, seconds: float, now: float) -> bool:
    return moment is not None and now - moment < seconds


def _in_words(error: Exception) -> str:
    """Why they cannot be read, without the address: whoever calls without a name is told so."""
    if isinstance(error, httpx.HTTPStatusError):
        return f"the provider answered with {error.response.status_code}"
    if isinstance(error, httpx.HTTPError | OSError):
        return f"the provider or its file cannot be reached ({type(error).__name__})"
    return "what is there is no set of keys"
