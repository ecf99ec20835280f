"""Paths into a message: `customer.addresses[0].city`."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

WHOLE: Final = "@"
"""The path of the message, or of the item, itself."""
_STEP: Final = re.compile(r"[^.\[\]]+|\[\d+\]")


@lru_cache(maxsize=4096)
def steps(path: str) -> tuple[str | int, ...]:
    """The keys and places of a path."""
    if path == WHOLE:
        return ()
    return tuple([int(step[1:-1]) if step.startswith("[") else step for step in _STEP.findall(path)])


def at(message: Any, path: str) -> Any:
    """What stands there; None where nothing does."""
    found = message
    for step in steps(path):
        if isinstance(step, int):
            found = found[step] if isinstance(found, list) and step < len(found) else None
        else:
            found = found.get(step) if isinstance(found, Mapping) else None
        if found is None:
            return None
    return found
