"""Requests to a platform: within its budget, and every answer as what it means for who asked."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Final

import httpx

from connectors.channels.budget import RequestBudget, SlowDownError
from connectors.notifications.port import TemporaryFailureError
from dom.shared.errors import OutsideFailure

_REFUSED_US: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_MAY_PASS: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.LOCKED})
_UNTOLD_PAUSE: Final = 5.0
"""Seconds, where a platform says 429 and not for how long."""
_LONGEST_PAUSE: Final = 3600.0
_SAID: Final = 300


class PlatformHttp:
    """A platform's address, with the headers of every request. Redirects are not followed: credentials stay here."""

    def __init__(
        self,
        base_url: str,
        headers: Mapping[str, str],
        budget: RequestBudget,
        *,
        timeout: float = 20,
        transport: httpx.AsyncBaseTransport | None = None,
        auth: httpx.Auth | None = None,
        rate_header: str = "",
    ) -> None:
        """`rate_header` is where the platform says how many requests a second it grants, if it does."""
        self.budget = budget
        self._rate_header = rate_header
        self._http = httpx.AsyncClient(
            base_url=base_url, headers=dict(headers), timeout=timeout, transport=transport, auth=auth
        )

    async def ask(
        self,
        method: str,
        path: str,
        *,
        cost: float = 1,
        json: Any = None,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """The answer, if it is a success, or says that there is no such thing (404, 410).

        SlowDownError: the budget is used up, here or there. TemporaryFailureError: it did not answer, could not, or
        does not know our credentials; that is no fault of what was asked. OutsideFailure: it refuses what was asked.
        """
        await self.budget.spend(cost)
        try:
            answer = await self._http.request(method, path, json=json, params=params, headers=headers)
        except httpx.HTTPError as error:
            raise TemporaryFailureError(f"{method} {path}: {type(error).__name__} {error}") from error
        self._learn(answer)
        if answer.is_success or answer.status_code in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
            return answer
        said = f"{method} {path} was answered {answer.status_code}: {answer.text[:_SAID]}"
        if answer.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            seconds = retry_after(answer.headers.get("retry-after"))
            self.budget.close_for(seconds)
            raise SlowDownError(said, seconds)
        if answer.status_code in _REFUSED_US:
            raise TemporaryFailureError(f"the platform does not let us in: {said}")
        if answer.is_client_error and answer.status_code not in _MAY_PASS:
            raise OutsideFailure(said, data={"status": answer.status_code})
        raise TemporaryFailureError(said)

    def _learn(self, answer: httpx.Response) -> None:
        granted = answer.headers.get(self._rate_header, "") if self._rate_header else ""
        try:
            rate = float(granted)
        except ValueError:
            return
        if rate > 0:
            self.budget.granted(rate)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()


def retry_after(given: str | None) -> float:
    """Seconds that a platform asks us to wait (RFC 9110, 10.2.3: seconds, or a date)."""
    if not given:
        return _UNTOLD_PAUSE
    try:
        seconds = float(given)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(given) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):
            return _UNTOLD_PAUSE
    return min(max(seconds, 0.0), _LONGEST_PAUSE)
