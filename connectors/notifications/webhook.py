"""Webhooks signed after the Standard Webhooks specification (standardwebhooks.com, version 1)."""

import json
from datetime import UTC, datetime
from http import HTTPStatus
from types import TracebackType
from typing import Final, Self

import httpx
from standardwebhooks.webhooks import Webhook

from connectors.notifications.port import OutboundMessage, TemporaryFailureError
from dom.shared.errors import OutsideFailure

_MAY_PASS: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})


class WebhookSender:
    """Posts messages as JSON to the URL each names, signed with one secret. Redirects are not followed."""

    def __init__(self, secret: str, *, timeout: float = 10) -> None:
        """`secret` as whsec_ + base64; `timeout` in seconds. ValueError if the secret cannot be read."""
        try:
            self._webhook = Webhook(secret)
        except Exception as error:  # the library's own classes are Exceptions, base64's a ValueError
            raise ValueError("the webhook secret is not whsec_ + base64") from error
        self._http = httpx.AsyncClient(timeout=timeout, follow_redirects=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def send(self, message: OutboundMessage) -> None:
        """Post one message; any 2xx means it was taken.

        OutsideFailure for 4xx but 408 and 429, and for a URL that is none; TemporaryFailureError for all else.
        """
        body = json.dumps(message.payload, separators=(",", ":"), ensure_ascii=False)
        try:
            answer = await self._http.post(message.recipient, content=body, headers=self._headers(message.key, body))
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise OutsideFailure(f"webhook {message.key}: {error}") from error
        except httpx.HTTPError as error:
            raise TemporaryFailureError(f"webhook {message.key}: {type(error).__name__} {error}") from error
        if answer.is_success:
            return
        if answer.is_client_error and answer.status_code not in _MAY_PASS:
            raise OutsideFailure(
                f"webhook {message.key} refused with {answer.status_code}", data={"status": answer.status_code}
            )
        raise TemporaryFailureError(f"webhook {message.key} answered with {answer.status_code}")

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    def _headers(self, key: str, body: str) -> dict[str, str]:
        now = datetime.now(UTC)
        return {
            "content-type": "application/json",
            "webhook-id": key,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._webhook.sign(msg_id=key, timestamp=now, data=body),
        }
