"""JSON that says each thing once (RFC 8259, section 4, leaves it open what a key that stands twice means).

Python's reader takes the last of two members of one name, so that `{"quantity": 1, "quantity": 7}` is 7, and it takes
`NaN` and `Infinity`, which are no JSON.
"""

import json
from collections.abc import Iterator
from typing import Any, Final

NO_NUL: Final = "text with the NUL character cannot be kept"
"""PostgreSQL has no place for it."""


class KeyTwice(ValueError):
    """A name stands twice in an object; `path` leads to it, keys and positions in sequence."""

    def __init__(self, path: tuple[str | int, ...]) -> None:
        super().__init__(f"the key {path[-1]!r} stands twice")
        self.path = path


class _Twice(dict[str, Any]):
    name: str


def read(text: str | bytes) -> Any:
    """The value of a JSON text. Raises KeyTwice, or json.JSONDecodeError for what is no JSON."""
    found: list[_Twice] = []

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) == len(pairs):
            return made
        names = [name for name, _ in pairs]
        twice = _Twice(made)
        twice.name = next(name for name in names if names.count(name) > 1)
        found.append(twice)
        return twice

    def no_number(name: str) -> Any:
        raise json.JSONDecodeError(f"{name} is no JSON number", name, 0)

    value = json.loads(text, object_pairs_hook=members, parse_constant=no_number)
    if found:
        raise KeyTwice(next(_paths(value, ()), (found[0].name,)))
    return value


def nul(value: Any) -> tuple[str | int, ...] | None:
    """The path to a text or a key with the NUL character, keys and positions in sequence; None if there is none.

    It is the first one, of a list in its sequence.
    """
    rest: list[tuple[tuple[str | int, ...], Any]] = [((), value)]
    while rest:
        path, each = rest.pop()
        if isinstance(each, str) and "\0" in each:
            return path
        if isinstance(each, dict):
            if found := next((name for name in each if "\0" in name), None):
                return (*path, found)
            rest += [((*path, name), inner) for name, inner in reversed(each.items())]
        elif isinstance(each, list):
            rest += [((*path, index), each[index]) for index in reversed(range(len(each)))]
    return None


def _paths(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, _Twice):
        yield (*path, value.name)
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, each in members:
        yield from _paths(each, (*path, name))
