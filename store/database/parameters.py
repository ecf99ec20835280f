"""Small helpers between Python values and rows."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

HAPPENED_AT: Final = "least(CAST(:at AS timestamptz), statement_timestamp())"
"""SQL of the parameter `at`, when goods moved. A caller's clock may be ahead, and a count knows nothing to come."""


def to_json(value: Any) -> str:
    """Compact JSON; dates and datetimes in ISO form."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=_iso)


def to_rows(rows: Iterable[Mapping[str, Any]]) -> str:
    """Rows as one JSON parameter for `jsonb_to_recordset`: one statement text however many rows there are."""
    return to_json([dict(row) for row in rows])


def any_of(wanted: str | Sequence[str]) -> Sequence[str]:
    """The values a filter allows; a single one stands for itself."""
    return [wanted] if isinstance(wanted, str) else wanted


def listed(values: Iterable[str]) -> str:
    """Values of a finite set of ours as an SQL list, for `IN (...)`; never anything from outside."""
    return ", ".join(f"'{value}'" for value in sorted(values))


def _iso(value: Any) -> str:
    if isinstance(value, date | datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place in a row")
