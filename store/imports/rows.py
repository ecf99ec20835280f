"""A line of a file as a row, or what is wrong with it.

A row is one line, in CSV too: what has quotes in it may have commas, but no line breaks, so that one wrong quote spoils
one row. The number of a row is the number of its line, so that people find it in an editor.
"""

import csv
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Final, NamedTuple

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from dom.orders.status import ReasonCode
from dom.shared import json_text
from dom.shared.base import GivenTime, Key, NodeId, SkuId, Value
from dom.shared.errors import Forbidden, InvalidInput
from dom.shared.input_words import in_words
from store.enums import ImportKind, ItemOutcome

AHEAD: Final = timedelta(minutes=5)
"""How far a sender's clock may be ahead of ours."""
MOST_RAW: Final = 1000
"""Characters of a line that could not be read that are kept."""
_INTEGER: Final = re.compile(r"-?[0-9]+")
_PLAIN: Final = re.compile(r"[\0\ud800-\udfff]")


class Format(StrEnum):
    """What a file is: CSV with a header line, or one JSON object a line."""

    CSV = "csv"
    JSONL = "jsonl"


def _past(at: datetime) -> datetime:
    if at > datetime.now(UTC) + AHEAD:
        raise ValueError(f"{at.isoformat()} is still to come")
    return at


class _NoInteger(ValueError):
    """A cell holds another number than JSON would: pydantic would read 7.0 and 1_000 as integers."""


def _not_zero(quantity: int) -> int:
    if quantity == 0:
        raise ValueError("a change of 0 changes nothing")
    return quantity


Past = Annotated[GivenTime, AfterValidator(_past)]
RowKey = Annotated[Key, Field(pattern=r"^[ -~]+$")]


class CountRow(Value):
    """A count; without `as_of` it is of the file's."""

    node_id: NodeId
    sku: SkuId
    quantity: Annotated[int, Field(ge=0, le=1_000_000_000)]
    as_of: Past | None = None
    reason_code: ReasonCode | None = None


class DeltaRow(Value):
    """A change of sellable units; the key makes it happen once, without one the import and the row's number do."""

    node_id: NodeId
    sku: SkuId
    quantity: Annotated[int, AfterValidator(_not_zero), Field(ge=-1_000_000, le=1_000_000)]
    key: RowKey | None = None
    occurred_at: Past | None = None
    reason_code: ReasonCode | None = None


class Staged(NamedTuple):
    """A row as it is staged; one that is wrong has an outcome, and carries what could be read of it."""

    row: int
    node_id: str | None
    sku: str | None
    quantity: int | None
    key: str | None
    reason_code: str | None
    as_of: datetime | None
    raw: str | None
    outcome: str | None
    problem: str | None
    field: str | None
    detail: str | None


MODELS: Final[dict[ImportKind, TypeAdapter[Any]]] = {
    ImportKind.COUNTS: TypeAdapter(CountRow),
    ImportKind.DELTAS: TypeAdapter(DeltaRow),
}
COLUMNS: Final = {
    ImportKind.COUNTS: tuple(CountRow.model_fields),
    ImportKind.DELTAS: tuple(DeltaRow.model_fields),
}
REQUIRED: Final = ("node_id", "sku", "quantity")


class Rows:
    """Turns lines of one kind and format into rows. A CSV file's first line is its header. Rows of other nodes than
    `nodes`, where they are given, are refused.
    """

    def __init__(self, kind: ImportKind, format_: Format, nodes: frozenset[str] | None = None) -> None:
        self._kind = kind
        self._nodes = nodes
        self._model = MODELS[kind]
        self._csv = format_ is Format.CSV
        self._names: Sequence[str] = ()
        self._line = 0

    def staged(self, lines: Sequence[bytes | None]) -> list[Staged]:
        """The next lines as rows; None stands for one that was too long. Raises InvalidInput for a wrong header."""
        found = []
        for line in lines:
            self._line += 1
            if self._csv and not self._names:
                self._names = self._header(line)
            elif line is None:
                found.append(self._bad("", None, "a row may have 10,000 characters"))
            elif line and not line.isspace():
                found.append(self._row(line))
        return found

    def _header(self, line: bytes | None) -> Sequence[str]:
        try:
            names = [name.strip().lower() for name in _cells((line or b"").decode("utf-8-sig"))]
        except (ValueError, csv.Error) as error:
            raise InvalidInput("the first line must be a header of column names, in UTF-8", field="header") from error
        known = COLUMNS[self._kind]
        unknown = [name for name in names if name not in known or names.count(name) > 1]
        missing = [name for name in REQUIRED if name not in names]
        if unknown or missing:
            wrong = (
                f"{unknown[0][:60]!r} is none, or there twice; a comma parts them"
                if unknown
                else f"{missing[0]} is missing"
            )
            raise InvalidInput(
                f"the header names columns, parted by commas, of {', '.join(known)}: {wrong}", field="header"
            )
        return names

    def _row(self, line: bytes) -> Staged:
        try:
            text = line.decode("utf-8-sig" if self._line == 1 else "utf-8")
        except UnicodeDecodeError:
            return self._bad(line.decode("utf-8", "replace"), None, "it is not UTF-8")
        fields: object = None
        try:
            if self._csv:
                fields = self._fields(text)
                row = self._model.validate_strings(fields)
            else:
                row = self._model.validate_json(text)
                if text.count(":") > len(row.model_fields_set):  # a key may stand twice: only then is it read again
                    json_text.read(text)
        except ValidationError as error:  # a ValueError too
            return self._wrong(text, fields, error.errors(include_url=False)[0])
        except json_text.KeyTwice as error:
            return self._bad(text, str(error.path[0]), str(error))
        except _NoInteger as error:
            return self._bad(text, "quantity", str(error))
        except (ValueError, csv.Error) as error:
            return self._bad(text, None, str(error))
        at = row.as_of if isinstance(row, CountRow) else row.occurred_at
        key = row.key if isinstance(row, DeltaRow) else None
        read = Staged(
            self._line, row.node_id, row.sku, row.quantity, key, row.reason_code, at, None, None, None, None, None
        )
        return read if self._nodes is None or row.node_id in self._nodes else _foreign(read)

    def _fields(self, text: str) -> dict[str, str]:
        values = _cells(text)
        if len(values) != len(self._names):
            raise ValueError(f"it has {len(values)} columns, the header has {len(self._names)}")
        # A key is left as it came: another key is another change.
        cells = zip(self._names, values, strict=True)
        fields = {name: cell for name, value in cells if (cell := value if name == "key" else value.strip())}
        if not _INTEGER.fullmatch(fields.get("quantity", "0")):
            raise _NoInteger("give an integer, such as 12")
        return fields

    def _wrong(self, text: str, fields: object, error: ErrorDetails) -> Staged:
        field = str(error["loc"][0]) if error["loc"] else None
        bad = self._bad(text, field, in_words(error))
        if not self._csv and error["type"] != "json_invalid":
            fields = json.loads(text)
        if not isinstance(fields, dict):
            return bad
        named = [_plain(value)[:100] if isinstance(value := fields.get(n), str) else None for n in ("node_id", "sku")]
        return bad._replace(node_id=named[0], sku=named[1])

    def _bad(self, text: str, field: str | None, detail: str) -> Staged:
        raw = _plain(text[:MOST_RAW])
        refused = (ItemOutcome.REFUSED, InvalidInput.type, field and _plain(field)[:100], _plain(detail)[:500])
        return Staged(self._line, None, None, None, None, None, None, raw, *refused)


def _foreign(read: Staged) -> Staged:
    detail = f"you have no access to {read.node_id}"
    return read._replace(outcome=ItemOutcome.REFUSED, problem=Forbidden.type, field="node_id", detail=detail)


def _cells(text: str) -> list[str]:
    if '"' not in text:
        return text.split(",")
    return next(csv.reader([text], strict=True))


def _plain(text: str) -> str:
    """The text without what the database has no place for."""
    return _PLAIN.sub("\N{REPLACEMENT CHARACTER}", text)
