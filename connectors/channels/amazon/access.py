"""Access tokens of Login with Amazon: one for an hour, made of the merchant's refresh token."""

from collections.abc import AsyncGenerator
from time import monotonic
from typing import Final

import httpx

from connectors.notifications.port import TemporaryFailureError

_HEADER: Final = "x-amz-access-token"
_EARLY_SECONDS: Final = 60.0


class AmazonAccess(httpx.Auth):
    """Puts an access token into every request, and gets another one before it ends."""

    requires_response_body = True

    def __init__(self, token_url: str, client_id: str, client_secret: str, refresh_token: str) -> None:
        self._token_url = token_url
        self._given = {
            "grant_type": "refresh_token",
            "client_id": client_id,
            "client_secret": client_secret,
            "refresh_token": refresh_token,
        }
        self._token, self._until = "", 0.0

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Ask for a token where there is none, or it ends; then ask what was to be asked."""
        if monotonic() >= self._until:
            answer = yield httpx.Request("POST", self._token_url, data=self._given)
            await answer.aread()
            if not answer.is_success:
                raise TemporaryFailureError(f"Amazon gives no access token: {answer.status_code} {answer.text[:200]}")
            made = answer.json()
            self._token, self._until = made["access_token"], monotonic() + float(made["expires_in"]) - _EARLY_SECONDS
        request.headers[_HEADER] = self._token
        answer = yield request
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            self._until = 0.0  # revoked before its time: the next request gets another
