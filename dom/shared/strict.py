"""Scalars that are what they look like.

Pydantic reads a number as a time (seconds or milliseconds since 1970), `true` as 1, and "7" and 7.0 as integers. A
wrong column or a day written without dashes then becomes a value nobody sent. Here:

- an integer is a JSON integer, a truth value is `true` or `false`, a number is a JSON number;
- a text has no NUL character, which PostgreSQL cannot keep, and no half of a character, which has no UTF-8;
- a point in time is a text of RFC 3339 with its offset, a day is YYYY-MM-DD, a time of day is HH:MM or HH:MM:SS.

What pydantic itself has written is written so, and is read again: a number that is a key is a text in JSON, and is
taken as one. Values made in Python may hold the Python objects.
Parameters of a query and cells of a CSV file are texts: there "7" is an integer, and a number is still no time.
"""

import re
from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from typing import Any, Final

from pydantic_core import core_schema

DATE_TIME: Final = re.compile(r"^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$", re.ASCII)
"""RFC 3339, section 5.6, `date-time`; the space in place of the T is allowed there too."""
FULL_DATE: Final = re.compile(r"^\d{4}-\d{2}-\d{2}$", re.ASCII)
"""RFC 3339, section 5.6, `full-date`."""
TIME_OF_DAY: Final = re.compile(r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?$", re.ASCII)
"""RFC 3339, section 5.6, `partial-time`, of which the seconds may be left out."""

NOT_KEPT: Final = "text with the NUL character or half a character cannot be kept"
_NUMBERS: Final = frozenset({"int", "float", "bool"})


def date_time(value: Any) -> Any:
    """The value if it is a point in time, as text or as a datetime. Raises ValueError."""
    if isinstance(value, datetime) or (isinstance(value, str) and DATE_TIME.fullmatch(value)):
        return value
    raise ValueError("give a time with its offset as RFC 3339 writes it, such as 2026-03-02T09:26:00Z")


def full_date(value: Any) -> Any:
    """The value if it is a day, as text or as a date. Raises ValueError."""
    if isinstance(value, date) or (isinstance(value, str) and FULL_DATE.fullmatch(value)):
        return value
    raise ValueError("give a day as YYYY-MM-DD")


def time_of_day(value: Any) -> Any:
    """The value if it is a time of day, as text or as a time. Raises ValueError."""
    if isinstance(value, time) or (isinstance(value, str) and TIME_OF_DAY.fullmatch(value)):
        return value
    raise ValueError("give a time of day as HH:MM or HH:MM:SS")


def _any_date_time(value: Any) -> Any:
    """As `date_time`; a text without an offset passes, for the fields that keep such times."""
    if isinstance(value, str) and DATE_TIME.fullmatch(value + "Z"):
        return value
    return date_time(value)


_TIMES: Final[dict[str, Callable[[Any], Any]]] = {
    "datetime": _any_date_time,
    "date": full_date,
    "time": time_of_day,
}


_KEPT: Final = core_schema.custom_error_schema(
    core_schema.str_schema(pattern=r"^[^\x00]*$", strict=True), "text_not_kept", custom_error_message=NOT_KEPT
)
"""A text that PostgreSQL can keep. It is no function of ours: every text of every value is asked."""


def make_strict(schema: Any, model: type) -> None:
    """Make the scalars of a model's core schema strict, in place.

    Models in its fields are left alone: each makes its own strict. So is what is strict: pydantic hands out the same
    schema again wherever the model is used.
    """
    for part in _parts(schema, model):
        kind = part.get("type")
        if kind in _NUMBERS:
            part["strict"] = True
        elif kind == "str":
            inner = dict(part)
            part.clear()
            part.update(core_schema.chain_schema([inner, _KEPT, inner]))  # the JSON schema shows the first or the last
        elif kind in _TIMES:
            inner = dict(part)
            part.clear()
            part.update(core_schema.no_info_before_validator_function(_TIMES[kind], inner))


def _is_made(schema: dict[str, Any]) -> bool:
    """Whether it is a time or a text that was made strict before."""
    if schema.get("type") == "function-before":
        return schema["function"]["function"] in _TIMES.values()
    return schema.get("type") == "chain" and _KEPT in schema["steps"]


def _parts(schema: Any, model: type) -> Iterator[dict[str, Any]]:
    """Every core schema inside a schema, the innermost first."""
    if isinstance(schema, list | tuple):
        for each in schema:
            yield from _parts(each, model)
    elif isinstance(schema, dict):
        if schema.get("type") == "model" and schema["cls"] is not model:
            return
        if _is_made(schema):
            return
        for name, each in schema.items():
            if name == "keys_schema" and each["type"] in _NUMBERS:
                continue  # JSON has no other keys than texts
            if name not in {"metadata", "serialization", "default"} and isinstance(each, dict | list | tuple):
                yield from _parts(each, model)
        if isinstance(schema.get("type"), str):  # else these are the fields of a model, and one is named so
            yield schema
