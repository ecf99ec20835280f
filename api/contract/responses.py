"""What the OpenAPI document says of answers: examples of success, and every problem an endpoint knows."""

from collections.abc import Collection, Mapping
from typing import Any

from pydantic import BaseModel

from api.http import problems as kinds

Responses = dict[int | str, dict[str, Any]]

ALWAYS = ("unavailable", "internal-error")
"""Problems any endpoint may answer."""

_REFERENCE = {"$ref": "#/components/schemas/Problem"}


def success(status: int, description: str, example: Any, model: type[BaseModel] | None = None) -> Responses:
    """A success and what it looks like; the model is needed only for what is not the endpoint's own status."""
    answer: dict[str, Any] = {"description": description, "content": {"application/json": {"example": example}}}
    return {status: answer if model is None else {**answer, "model": model}}


def problems(*names: str) -> Responses:
    """The problems of an endpoint by status, each with an example."""
    by_status: dict[int, list[kinds.ProblemType]] = {}
    for name in (*names, *ALWAYS):
        kind = kinds.TYPES[name]
        by_status.setdefault(kind.status, []).append(kind)
    return {status: _answer(found) for status, found in by_status.items()}


def refused_bodies(media_types: Collection[str]) -> Responses:
    """The problems of a body of these media types that no endpoint ever sees."""
    of_json = ("malformed-json", "unsupported-media-type") if "application/json" in media_types else ()
    return {kind.status: _answer([kind]) for kind in (kinds.TYPES[name] for name in ("body-too-large", *of_json))}


def refused_callers() -> Responses:
    """The problems of a caller who is not known, may not, or asks too much."""
    kinds_ = (kinds.TYPES["unauthenticated"], kinds.TYPES["forbidden"], kinds.TYPES["too-many-requests"])
    return {kind.status: _answer([kind]) for kind in kinds_}


def named(examples: Mapping[str, Any]) -> dict[str, Any]:
    """Examples of a body as OpenAPI wants them."""
    return {name: {"summary": name, "value": value} for name, value in examples.items()}


def _answer(found: list[kinds.ProblemType]) -> dict[str, Any]:
    examples = {kind.name: {"summary": kind.title, "value": _example(kind)} for kind in found}
    return {
        "description": "; ".join(f"`{kind.uri}`: {kind.title.lower()}" for kind in found),
        "content": {kinds.MEDIA_TYPE: {"schema": _REFERENCE, "examples": examples}},
    }


def _example(kind: kinds.ProblemType) -> dict[str, Any]:
    return kinds.as_dict(kinds.of(kind, kind.meaning))
