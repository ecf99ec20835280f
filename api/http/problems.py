"""Problem details (RFC 9457): the one shape of every error the API answers.

`type` is a relative reference, `/problems/<type>`, so that it is the same behind every host name; resolved against the
API's address it leads to a page that says what the problem means.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, Field
from pydantic_core import to_json
from starlette.responses import Response

from api.http import request_id
from dom.shared.errors import DomError, MappingInvalid, PolicyInvalid

MEDIA_TYPE = "application/problem+json"
PATH = "/problems/"
RETRY_AFTER_SECONDS = 1
CHALLENGE = 'Bearer realm="dom"'
"""How `WWW-Authenticate` begins (RFC 6750)."""
SIGNED_CHALLENGE = 'Webhook-Signature realm="dom"'
"""What is asked for, beside the key, where a message must be signed."""


class FieldError(BaseModel):
    """One wrong field: where it is and what is wrong with it."""

    field: str = Field(description="JSON path into the input", examples=["lines[0].sku"])
    detail: str = Field(examples=["give more than 0"])
    code: str | None = Field(default=None, description="What kind of mistake, where it has a code.")
    severity: str | None = Field(default=None, description="`error`, or `warning` for what alone would have passed.")
    line: int | None = Field(default=None, description="Where in the text, from 1, where the input was text.")
    column: int | None = Field(default=None, description="From 1.")
    hint: str | None = Field(default=None, description="A way to mend it.")


class Problem(BaseModel):
    """What went wrong, for a program (`type`, `field`, `data`) and for a person (`title`, `detail`)."""

    type: str = Field(description="Stable; decide by it, never by the text.", examples=["/problems/unknown-sku"])
    title: str = Field(description="The same for every problem of the type.", examples=["A SKU is not known"])
    status: int = Field(description="The HTTP status.", examples=[422])
    detail: str = Field(description="What is wrong this time.", examples=["there is no SKU 85123Z"])
    field: str | None = Field(default=None, description="The offending field, where there is one.")
    errors: list[FieldError] | None = Field(default=None, description="Every wrong field, where the input is invalid.")
    data: dict[str, Any] | None = Field(default=None, description="What a program needs to react.")
    request_id: str | None = Field(default=None, description="The `X-Request-Id` of the request, to be told to us.")


@dataclass(frozen=True, slots=True)
class ProblemType:
    """A kind of problem; the name is the last part of its `type`."""

    name: str
    title: str
    status: int
    meaning: str

    @property
    def uri(self) -> str:
        """The problem's `type`."""
        return PATH + self.name


class UnauthenticatedError(Exception):
    """The request comes with no key or token, or with one that does not count."""


UNAUTHENTICATED = ProblemType(
    "unauthenticated",
    "Who calls is not known",
    401,
    "The request has no API key or token, or one that is wrong, has expired or was revoked.",
)


class ProviderAwayError(Exception):
    """Whether the caller's token counts cannot be told: the identity provider's keys cannot be read now."""


NOT_FOUND = ProblemType("not-found", "Not found", 404, "Nothing is at this address, or the thing named in it is not.")
MALFORMED = ProblemType("malformed-json", "The body is not JSON", 400, "The body could not be read as JSON.")
INVALID = ProblemType(
    "invalid-input", "The input is not valid", 422, "A field of the input is wrong; nothing was done."
)
METHOD = ProblemType("method-not-allowed", "Method not allowed", 405, "The address does not know this HTTP method.")
TOO_MANY = ProblemType(
    "too-many-requests",
    "Too many requests",
    429,
    "The caller asks more in a minute than one process of the API gives. Send the same again after `Retry-After`.",
)
TOO_LARGE = ProblemType("body-too-large", "The body is too large", 413, "Send less at once; nothing was done.")
MEDIA = ProblemType("unsupported-media-type", "Send JSON", 415, "The body must be sent with a JSON content type.")
UNAVAILABLE = ProblemType(
    "unavailable",
    "Not available for the moment",
    503,
    "The database, Temporal or the identity provider's keys cannot be reached. Send the same request again: what was "
    "done is not done twice.",
)
NOT_READY = ProblemType("not-ready", "Not ready to serve", 503, "A part of the system is missing; `data` names it.")
FULL = ProblemType(
    "too-many-listeners",
    "Too many listen at once",
    503,
    "The process has no place for another who waits for changes. Come back later, or ask without waiting.",
)
NO_ANSWER = ProblemType(
    "no-answer-yet",
    "No answer in time",
    504,
    "The request is on record but was not answered in time. Send it again: what was done is not done twice.",
)
INTERNAL = ProblemType("internal-error", "An error of ours", 500, "A defect; the log of the API says more.")

_OURS = (
    UNAUTHENTICATED,
    NOT_FOUND,
    MALFORMED,
    INVALID,
    METHOD,
    TOO_MANY,
    TOO_LARGE,
    MEDIA,
    UNAVAILABLE,
    NOT_READY,
    FULL,
    NO_ANSWER,
    INTERNAL,
)


def _of_class(cls: type[DomError]) -> ProblemType:
    return ProblemType(cls.type, cls.title, cls.status, inspect.getdoc(cls) or cls.title)


def _below(cls: type[DomError]) -> Iterator[type[DomError]]:
    for child in cls.__subclasses__():
        yield child
        yield from _below(child)


TYPES: Mapping[str, ProblemType] = {
    **{cls.type: _of_class(cls) for cls in _below(DomError)},
    **{kind.name: kind for kind in _OURS},
}
"""Every type of problem the API answers, by name."""


def of(
    kind: ProblemType,
    detail: str,
    *,
    field: str | None = None,
    errors: Iterable[FieldError] = (),
    data: Mapping[str, Any] | None = None,
) -> Problem:
    """A problem of this kind."""
    return Problem(
        type=kind.uri,
        title=kind.title,
        status=kind.status,
        detail=detail,
        field=field,
        errors=list(errors) or None,
        data=dict(data) if data else None,
    )


def of_error(error: DomError, prefix: str = "") -> Problem:
    """A domain error as a problem; `prefix` leads to the item of a list the error is about."""
    field = prefix + error.field if error.field else prefix.rstrip(".") or None
    if isinstance(error, PolicyInvalid | MappingInvalid):
        return of(TYPES[error.type], error.detail, field=field, errors=_findings(error))
    wrong = [FieldError(field=prefix + at, detail=detail) for at, detail in error.data.get("fields", {}).items()]
    data = {name: value for name, value in error.data.items() if name != "fields"}
    return of(TYPES[error.type], error.detail, field=field, errors=wrong, data=data)


def _findings(error: DomError) -> list[FieldError]:
    return [
        FieldError(
            field=finding["path"] or "body",
            detail=finding["message"],
            code=finding["code"],
            severity=finding["severity"],
            line=finding["line"],
            column=finding["column"],
            hint=finding["hint"] or None,
        )
        for finding in error.data.get("findings", [])
    ]


def as_dict(problem: Problem) -> dict[str, Any]:
    """The problem without what it does not say."""
    return problem.model_dump(exclude_none=True)


def answer(problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    """The problem as an HTTP answer; a transient one says when to come again."""
    problem = problem.model_copy(update={"request_id": request_id.current.get() or None})
    transient = problem.status in {UNAVAILABLE.status, NO_ANSWER.status}
    retry = {"Retry-After": str(RETRY_AFTER_SECONDS)} if transient else {}
    named = {request_id.HEADER: problem.request_id} if problem.request_id else {}
    return Response(
        to_json(as_dict(problem)), problem.status, media_type=MEDIA_TYPE, headers={**retry, **named, **(headers or {})}
    )
