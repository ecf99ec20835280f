"""Every failure a request can meet, as a problem. The one place that knows what Temporal and PostgreSQL raise."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final

import psycopg
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from psycopg.errors import InsufficientPrivilege, UndefinedColumn, UndefinedFunction, UndefinedObject, UndefinedTable
from sqlalchemy.exc import DataError, DBAPIError, SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from temporalio.client import RPCTimeoutOrCancelledError, WorkflowUpdateFailedError
from temporalio.exceptions import TemporalError
from temporalio.service import RPCError, RPCStatusCode

from api.http import addresses, problems
from api.http.problems import FieldError, Problem, ProviderAwayError, UnauthenticatedError
from bootstrap import refusals
from dom.shared.errors import BadSignature, DomError, Forbidden
from dom.shared.input_words import in_words
from processes.errors import NO_NAMESPACE, NotReady, Unavailable, domain_error
from store.database import engine

_log = logging.getLogger("dom.api")

_OTHER_SCHEMA: Final = (UndefinedTable, UndefinedColumn, UndefinedFunction, UndefinedObject)
"""What PostgreSQL says to a program whose migrations were not run."""
_INPUT_SHOWN: Final = {"body", "query", "path", "header"}
_HTTP: Final = {
    400: problems.MALFORMED,
    404: problems.NOT_FOUND,
    405: problems.METHOD,
    413: problems.TOO_LARGE,
    415: problems.MEDIA,
    422: problems.INVALID,
}


def register(app: FastAPI) -> None:
    """Answer every failure of the application as a problem."""
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(HTTPException, _http_error)
    for kind in (
        DomError,
        UnauthenticatedError,
        TemporalError,
        SQLAlchemyError,
        psycopg.Error,
        Unavailable,
        NotReady,
        TimeoutError,
        Exception,
    ):
        app.add_exception_handler(kind, _failure)


def problem_of(error: BaseException) -> Problem:
    """Any failure as a problem. One that is not known is logged and shown without its content."""
    if isinstance(error, WorkflowUpdateFailedError):
        error = domain_error(error.cause) or error.cause
    if isinstance(error, DomError):
        return problems.of_error(error)
    if isinstance(error, UnauthenticatedError):
        return problems.of(problems.UNAUTHENTICATED, str(error))
    if isinstance(error, ProviderAwayError):
        return problems.of(problems.UNAVAILABLE, str(error))
    return _of_a_server(error) or _defect(error)


def _of_a_server(error: BaseException) -> Problem | None:
    if isinstance(error, NotReady):
        return problems.of(problems.NOT_READY, str(error))
    if isinstance(error, RPCTimeoutOrCancelledError):
        return _no_answer(error)
    if isinstance(error, Unavailable) or engine.is_unavailable(error):
        return _unavailable(error)
    if isinstance(error, RPCError):
        return _of_temporal(error)
    if isinstance(error, DataError):
        return problems.of(problems.INVALID, "a value is outside what can be kept")
    return _of_postgresql(error.orig if isinstance(error, DBAPIError) else error)


def _unavailable(error: BaseException) -> Problem:
    if engine.is_overtaken(error):
        _log.warning("a transaction was given up for another", exc_info=error)
        return problems.of(problems.UNAVAILABLE, "another request met this one, and nothing was done; send it again")
    return problems.of(problems.UNAVAILABLE, "a server behind the API cannot be reached now")


def _no_answer(error: RPCTimeoutOrCancelledError) -> Problem:
    cause = error.__cause__
    if isinstance(cause, RPCError) and cause.status is RPCStatusCode.CANCELLED:  # the connection broke
        return problems.of(problems.UNAVAILABLE, "Temporal cannot be reached now")
    return problems.of(problems.NO_ANSWER, "no worker answered in time; the request stays on record")


def _of_temporal(error: RPCError) -> Problem | None:
    if refusals.is_about_namespace(error):
        return problems.of(problems.NOT_READY, NO_NAMESPACE)
    if error.status in refusals.LOCKED_OUT:
        return problems.of(problems.NOT_READY, "Temporal does not let the API in; `dom doctor` says more")
    if error.status in refusals.AWAY:
        return problems.of(problems.UNAVAILABLE, "Temporal cannot be reached now")
    if refusals.is_not_ready(error):
        return problems.of(problems.UNAVAILABLE, "the process cannot answer now: its last step failed or timed out")
    return None


def _of_postgresql(error: BaseException | None) -> Problem | None:
    if isinstance(error, UndefinedTable):
        return problems.of(problems.NOT_READY, "the database has no schema yet; run `dom migrate`")
    if isinstance(error, _OTHER_SCHEMA):
        _log.error("the database does not have the schema of this program", exc_info=error)
        return problems.of(
            problems.NOT_READY, "the database schema is not the one this program expects; run `dom migrate`"
        )
    if isinstance(error, InsufficientPrivilege):
        _log.error("the role of DOM_DATABASE_URL may not do what the API does", exc_info=error)
        return problems.of(problems.NOT_READY, "the database role lacks rights; `dom doctor` says more")
    return None


def _defect(error: BaseException) -> Problem:
    _log.error("unexpected failure", exc_info=error)
    return problems.of(problems.INTERNAL, "the request could not be carried out because of a defect")


async def _failure(_: Request, error: Exception) -> Response:
    return problems.answer(problem_of(error), _challenge(error))


def _challenge(error: Exception) -> dict[str, str]:
    """What RFC 6750 has said beside a refusal: which scope would do."""
    if isinstance(error, Forbidden):
        scope = error.data.get("scope")
        wanted = f', scope="{scope}"' if scope else ""
        return {"WWW-Authenticate": f'{problems.CHALLENGE}, error="insufficient_scope"{wanted}'}
    if isinstance(error, BadSignature):
        return {"WWW-Authenticate": problems.SIGNED_CHALLENGE}
    return {"WWW-Authenticate": problems.CHALLENGE} if isinstance(error, UnauthenticatedError) else {}


async def _http_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    kind = _HTTP.get(error.status_code, problems.INVALID)
    detail = f"{request.method} {request.url.path}: {error.detail}"
    headers = dict(error.headers or {})
    if kind is problems.METHOD:
        headers["Allow"] = ", ".join(addresses.methods(request.app.routes, request.scope))
    return problems.answer(problems.of(kind, detail), headers)


async def _invalid_request(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    return problems.answer(_invalid(error.errors(), request.headers.get("content-type", ""), error.body))


def _invalid(errors: Sequence[Mapping[str, Any]], media_type: str, body: Any) -> Problem:
    first = errors[0]
    if first["type"] == "json_invalid":
        position, reason = first["loc"][-1], first.get("ctx", {}).get("error", "it cannot be read")
        return problems.of(problems.MALFORMED, f"{reason} at character {position}")
    if first["loc"] == ("body",) and first["type"] != "missing" and "json" not in media_type:
        return problems.of(problems.MEDIA, f"Content-Type is {media_type or 'absent'}; send application/json")
    found = [
        FieldError(field=json_path(_without_kinds(e["loc"], body)), detail=in_words(e))
        for e in errors
        if not _is_echo(e, errors)
    ]
    named = "; ".join(f"{e.field}: {e.detail}" for e in found[:3])
    more = f"; and {len(found) - 3} more" if len(found) > 3 else ""  # noqa: PLR2004
    return problems.of(problems.INVALID, named + more, field=found[0].field, errors=found)


def _is_echo(error: Mapping[str, Any], errors: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a list only seems too short: pydantic counts the items that are right, and says so of the others too."""
    here = tuple(error["loc"])
    return error["type"] == "too_short" and any(
        len(each["loc"]) > len(here) and tuple(each["loc"][: len(here)]) == here for each in errors
    )


def _without_kinds(location: Sequence[str | int], body: Any) -> Sequence[str | int]:
    """The location without the names of kinds: of an item that may be of several, pydantic names the kind it took."""
    if not location or location[0] != "body":
        return location
    found: list[str | int] = ["body"]
    here = body
    for number, part in enumerate(location[1:], 2):
        if isinstance(here, dict) and part not in here and number < len(location):
            continue
        found.append(part)
        try:
            here = here[part]
        except (KeyError, IndexError, TypeError):
            here = None
    return found


def json_path(location: Sequence[str | int]) -> str:
    """A location in the input as people write it: ("body", "lines", 0, "sku") is `lines[0].sku`."""
    parts = location[1:] if location and location[0] in _INPUT_SHOWN else location
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return path.removeprefix(".") or "body"
