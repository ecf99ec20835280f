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

READ_AGAIN_SECONDS: Final = 600.0
"""How long keys are used before they are read again, so that one that was withdrawn is not used for ever."""
LEAST_SECONDS: Final = 10.0
"""Between two readings that tokens with unknown keys ask for: nobody makes us ask the provider without end."""
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
        self._reading = asyncio.Lock()

    async def find(self, kid: str) -> Key | None:
        """The key of that id; None if the provider has none."""
        if self._is_older(READ_AGAIN_SECONDS) or (kid not in self._keys and self._is_older(LEAST_SECONDS)):
            await self._refresh(kid)
        return self._keys.get(kid)

    def _is_older(self, seconds: float) -> bool:
        return self._read_at is None or self._clock() - self._read_at >= seconds

    async def _refresh(self, kid: str) -> None:
        before = self._read_at
        async with self._reading:
            if self._read_at != before:  # somebody else has read them meanwhile
                return
            self._read_at = self._clock()
            try:
                self._keys = _by_id(await self._document())
            except (OSError, ValueError, KeyError, TypeError, httpx.HTTPError, JoseError) as error:
                _log.error(
                    "the identity provider's keys cannot be read", source=self._source, error=str(error), kid=kid
                )

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
