"""GraphQL over HTTP, as shops speak it (spec.graphql.org, GraphQL over HTTP)."""

from collections.abc import Mapping
from typing import Any, Final

from connectors.channels.platform_http import PlatformHttp
from connectors.notifications.port import TemporaryFailureError
from dom.shared.errors import OutsideFailure

_SAID: Final = 300


_OF_THE_QUERY: Final = frozenset({"GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED", "BAD_USER_INPUT"})
"""Codes that say that what was asked is wrong; all others say that it cannot be answered now."""


def data_of(answer: Mapping[str, Any]) -> dict[str, Any]:
    """What an answer holds. Raises OutsideFailure for errors of the query, TemporaryFailureError for all others."""
    errors = answer.get("errors")
    if errors:
        if isinstance(errors, list) and all(_code(each) in _OF_THE_QUERY for each in errors):
            raise OutsideFailure(f"the platform refuses: {said(errors)}")
        raise TemporaryFailureError(f"the platform cannot answer now: {said(errors)}")
    data = answer.get("data")
    if not isinstance(data, dict):
        raise TemporaryFailureError("the platform answers without data")
    return data


def has_code(answer: Mapping[str, Any], code: str) -> bool:
    """Whether one of an answer's errors has this code (`extensions.code`)."""
    errors = answer.get("errors")
    return isinstance(errors, list) and any(_code(each) == code for each in errors)


def _code(error: Any) -> str:
    extensions = error.get("extensions") if isinstance(error, dict) else None
    return str(extensions.get("code", "")) if isinstance(extensions, dict) else ""


def said(errors: Any) -> str:
    """Errors in words."""
    each = errors if isinstance(errors, list) else [errors]
    words = [str(one.get("message", one)) if isinstance(one, dict) else str(one) for one in each]
    return "; ".join(words)[:_SAID]


async def post(
    http: PlatformHttp,
    path: str,
    operation: str,
    query: str,
    variables: Mapping[str, Any],
    *,
    cost: float = 1,
    headers: Mapping[str, str] | None = None,
) -> tuple[dict[str, Any], Mapping[str, str]]:
    """Ask one operation; the whole answer, and its headers. Raises as `PlatformHttp.ask`."""
    asked = {"operationName": operation, "query": query, "variables": dict(variables)}
    answer = await http.ask("POST", path, cost=cost, json=asked, headers=headers)
    try:
        found = answer.json()
    except ValueError as error:
        raise TemporaryFailureError(f"{operation}: the answer is no JSON ({answer.status_code})") from error
    if not isinstance(found, dict):
        raise TemporaryFailureError(f"{operation}: the answer is no object ({answer.status_code})")
    return found, answer.headers
