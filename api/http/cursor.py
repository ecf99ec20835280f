"""Cursors: where a list goes on. Opaque to callers, so that what they hold can change without breaking them."""

import binascii
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from dom.shared.errors import InvalidInput

Row = TypeVar("Row")
Position = tuple[str | datetime, ...]

LONGEST_NUMBER = 9
"""Digits of a number the database holds as an integer."""
LONGEST_SERIAL = 18
"""Digits of one it counts itself."""

WORK_PARTS = ("open", "closed")
"""The two parts of the work list, by whether the work is closed."""


def encode(*position: str | datetime) -> str:
    """The cursor of the row at this position."""
    parts = [part.isoformat() if isinstance(part, datetime) else part for part in position]
    return urlsafe_b64encode(json.dumps(parts, separators=(",", ":")).encode()).decode().rstrip("=")


def page(found: Sequence[Row], limit: int, position: Callable[[Row], Position]) -> tuple[list[Row], str | None]:
    """The page of a list that was read with one row more than `limit`, and the cursor of the next page; None for the
    last one. `position` gives the sort key of a row.
    """
    rows = list(found[:limit])
    return rows, encode(*position(rows[-1])) if len(found) > limit else None


def decode(cursor: str, length: int) -> list[str]:
    """The parts of a position. Raises InvalidInput for what is no cursor of ours."""
    try:
        parts = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError) as error:
        raise _not_ours() from error
    if (
        not isinstance(parts, list)
        or len(parts) != length
        or not all(isinstance(p, str) and "\0" not in p for p in parts)
    ):
        raise _not_ours()
    return parts


def decode_moment(cursor: str) -> tuple[datetime, str]:
    """A position of a time and an id. Raises InvalidInput for what is no cursor of ours."""
    at, row_id = decode(cursor, 2)
    return _moment(at), row_id


def decode_work(cursor: str) -> tuple[bool, datetime, str]:
    """A position in the work list: whether the work is closed, its time and its id. Raises InvalidInput for others."""
    part, at, row_id = decode(cursor, 3)
    if part not in WORK_PARTS:
        raise _not_ours()
    return part == WORK_PARTS[True], _moment(at), row_id


def _moment(at: str) -> datetime:
    try:
        moment = datetime.fromisoformat(at)
    except ValueError as error:
        raise _not_ours() from error
    if moment.tzinfo is None:
        raise _not_ours()
    return moment


def decode_number(cursor: str, longest: int = LONGEST_NUMBER) -> int:
    """A position of a number of so many digits at most. Raises InvalidInput for what is no cursor of ours."""
    (number,) = decode(cursor, 1)
    if not number.isdecimal() or not number.isascii() or len(number) > longest:
        raise _not_ours()
    return int(number)


def _not_ours() -> InvalidInput:
    return InvalidInput("take next_cursor as it was answered, with the same filters", field="cursor")
