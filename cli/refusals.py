"""What is refused, as a command says it: what is wrong in a line, and below it what the refusal knows besides."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from dom.shared.errors import DomError


@contextmanager
def refusals_in_words(*, as_json: bool = False) -> Iterator[None]:
    """Shows what is refused, and ends with exit code 1. With `as_json` the problem as the API answers it goes to
    standard output, too.
    """
    from dom.shared.errors import DomError

    try:
        yield
    except DomError as error:
        typer.echo("\n".join(_words(error)), err=True)
        if as_json:
            typer.echo(json.dumps(_problem(error), indent=2, default=str))
        raise typer.Exit(1) from error


def _words(error: DomError) -> Iterator[str]:
    yield f"dom: {f'{error.field}: ' if error.field else ''}{error.detail}"
    yield from known(error.data, "  ")


def known(data: Mapping[str, Any], indent: str) -> Iterator[str]:
    """What a refusal knows besides: a line each; what has parts of its own has them below it."""
    for name, value in data.items():
        said = str(name).replace("_", " ")
        parts = [value] if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else []
        if any(isinstance(part, Mapping) for part in parts):
            yield f"{indent}{said}:"
            yield from (f"{indent}  {_flat(part)}" for part in parts)
        elif value not in (None, "", [], {}, ()):
            yield f"{indent}{said}: {_flat(value)}"


def _flat(value: Any) -> str:
    """A value in a line."""
    if isinstance(value, Mapping):
        known = ((name, each) for name, each in value.items() if each not in (None, "", [], {}, ()))
        return ", ".join(f"{str(name).replace('_', ' ')} {_inner(each)}" for name, each in known)
    if isinstance(value, list | tuple):
        return ", ".join(map(_inner, value))
    return str(value)


def _inner(value: Any) -> str:
    """A value inside a line: what has parts of its own stands in brackets."""
    return f"({_flat(value)})" if isinstance(value, Mapping) else _flat(value)


def _problem(error: DomError) -> dict[str, Any]:
    said = {
        "type": f"/problems/{error.type}",
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "field": error.field,
        "data": error.data or None,
    }
    return {name: value for name, value in said.items() if value is not None}
