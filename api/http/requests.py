"""What every endpoint asks of a request before it is read: parameters it knows, each once, JSON keys once, no NUL."""

import json
from collections.abc import Iterator, Mapping

from fastapi import Request
from fastapi._compat import ModelField
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from api.http import items
from api.http.failures import json_path
from dom.shared import json_text
from dom.shared.errors import InvalidInput
from dom.shared.texts import escaped


async def refuse_what_would_be_lost(request: Request) -> None:
    """Raises InvalidInput for a query parameter that the endpoint does not know, for a parameter or header that is
    given more than once where one counts, and for a key that stands twice in an object of a JSON body: of each a part
    would be ignored. Also for a text with the NUL character, but not in an item that stands for itself
    (`api.http.items`).
    """
    route = request.scope["route"]
    if not isinstance(route, APIRoute):
        return
    for name, value in request.path_params.items():
        if "\0" in str(value):
            raise InvalidInput("the address holds the NUL character", field=name)
    _check_headers(request, route.dependant)
    if request.query_params:
        _check_query(request, _parameters(route))
    if route.body_field is not None:
        _check_body(await request.body(), items.lists_of(route.body_field.field_info.annotation))


def _parameters(route: APIRoute) -> Mapping[str, bool]:
    """The endpoint's query parameters; true for those that may be repeated."""
    return {field.alias: "list[" in str(field.field_info.annotation) for field in query_fields(route.dependant)}


def query_fields(dependant: Dependant) -> Iterator[ModelField]:
    """The fields of an endpoint's query, those of what it depends on among them."""
    yield from dependant.query_params
    for part in dependant.dependencies:
        yield from query_fields(part)


def _check_headers(request: Request, dependant: Dependant) -> None:
    for name in _header_names(dependant):
        if (times := len(request.headers.getlist(name))) > 1:
            raise InvalidInput(f"the header {name} counts once; it is given {times} times", field=name)


def _header_names(dependant: Dependant) -> Iterator[str]:
    for field in dependant.header_params:
        yield field.alias
    for part in dependant.dependencies:
        yield from _header_names(part)


def _check_query(request: Request, known: Mapping[str, bool]) -> None:
    names = [name for name, _ in request.query_params.multi_items()]
    for name in names:
        if name not in known:
            allowed = sorted(known)
            said = f"it takes {', '.join(allowed)}" if allowed else "it takes none"
            raise InvalidInput(
                f"there is no parameter {name[:60]!r} here; {said}", field=name, data={"allowed": allowed}
            )
        if not known[name] and names.count(name) > 1:
            raise InvalidInput(f"the parameter {name!r} counts once; it is given {names.count(name)} times", field=name)


def _check_body(body: bytes, of_items: frozenset[str]) -> None:
    if not body:
        return
    try:
        value = json_text.read(body)
    except json_text.KeyTwice as error:
        raise InvalidInput(str(error), field=escaped(json_path(error.path))) from error
    except json.JSONDecodeError as error:  # the framework has read it, so it is one of the words that are no JSON
        raise HTTPException(400, error.msg) from error
    if b"u0000" not in body and b"\0" not in body:  # the second is of UTF-16 and UTF-32, which are read too
        return
    if of_items and isinstance(value, dict):
        value = {name: None if name in of_items else each for name, each in value.items()}
    if (path := json_text.nul(value)) is not None:
        raise InvalidInput(json_text.NO_NUL, field=escaped(json_path(path)))
