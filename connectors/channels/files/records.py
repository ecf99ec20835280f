"""From lines to records: rows of a CSV file, values of a JSON Lines file.

A record that cannot be read is as good as any other: it is handed on as it stands, for a person to look at.
"""

import csv
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from connectors.channels.files import lines
from connectors.channels.files.lines import Line

DELIMITERS: Final = (";", ",", "\t", "|")
MOST_LINES: Final = 200
"""Lines of one row: a cell may hold line breaks. A quote that is never closed must not swallow the file."""
_AS_JSON: Final = json.JSONEncoder(ensure_ascii=False).encode
_NO_NAME: Final = re.compile(r"[\s.\[\]]+")


@dataclass(frozen=True, slots=True)
class FileRecord:
    """A row or a value: `lines` are those it was read from. `key` names its order; None where nothing can be told.

    `value` is None for one that cannot be read, as JSON for one that can.
    """

    lines: Sequence[Line]
    value: str | None
    key: str | None

    @property
    def raw(self) -> bytes:
        """As it stands in the file."""
        return b"".join([line.raw for line in self.lines])


class FileForm(Protocol):
    """How the records of a file are read."""

    @property
    def encoding(self) -> str:
        """In which its texts are written."""

    @property
    def start(self) -> int:
        """Where its first record begins."""

    @property
    def line(self) -> int:
        """The number of that line."""

    def records(self, found: Sequence[Line], *, at_end: bool) -> Iterator[FileRecord | Line]:
        """The records of these lines; a bare line is one that says nothing. The last record is left out where more of
        it may come.
        """


class HeaderError(Exception):
    """A file has no header row that says how it is read."""


# --- CSV -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CsvForm:
    """A CSV file: its columns, by the header row or by the settings. `start` is where its first row begins."""

    encoding: str
    delimiter: str
    columns: tuple[str, ...]
    header: tuple[str, ...] | None
    order_column: str
    start: int
    line: int

    def records(self, found: Sequence[Line], *, at_end: bool) -> Iterator[FileRecord | Line]:
        """As the protocol says."""
        place = 0
        while place < len(found):
            cells, count = self._row(found, place)
            if cells is None and count > len(found) - place and not at_end:
                return
            if cells is None:
                yield FileRecord(found[place : place + 1], None, self._key_of_broken(found[place]))
                place += 1
                continue
            row = found[place : place + count]
            place += count
            if not any(cells) or tuple(cells) == self.header:
                yield from row
                continue
            fitting = self._fitting(cells)
            if fitting is None:
                # A quote that opens by mistake may have swallowed rows: only its own line is given up.
                place -= count - 1
                yield FileRecord(row[:1], None, self._key(cells) or self._key_of_broken(row[0]))
                continue
            key = self._key(fitting)
            value = _AS_JSON(dict(zip(self.columns, fitting, strict=True)))
            yield FileRecord(row, None if key == "" else value, key or None)

    def _row(self, found: Sequence[Line], place: int) -> tuple[list[str] | None, int]:
        """The cells of the row that begins here, and its lines; without cells it cannot be read. More lines than there
        are: its end may be still to come.
        """
        line = found[place]
        first = None if line.piece else lines.text(line.raw, self.encoding)
        if first is None:
            return None, 1
        if '"' not in first:
            return [cell.strip() for cell in first.split(self.delimiter)], 1
        return self._quoted(found, place, first)

    def _quoted(self, found: Sequence[Line], place: int, first: str) -> tuple[list[str] | None, int]:
        taken, is_short = 1, False

        def given() -> Iterator[str]:
            nonlocal taken, is_short
            yield first + "\n"
            for line in found[place + 1 : place + MOST_LINES]:
                text = None if line.piece else lines.text(line.raw, self.encoding)
                if text is None:
                    return
                taken += 1
                yield text + "\n"
            is_short = place + taken == len(found) and taken < MOST_LINES

        try:
            cells = next(csv.reader(given(), delimiter=self.delimiter, strict=True))
        except csv.Error:
            return None, taken + 1 if is_short else 1
        return [cell.strip() for cell in cells], taken

    def _fitting(self, cells: list[str]) -> list[str] | None:
        """The cells of a row, one for each column; None for a row that is cut or too long. A delimiter behind the last
        cell that the header row has not, or the other way about, is none too many.
        """
        more = len(cells) - len(self.columns)
        if more == 1 and not cells[-1]:
            return cells[:-1]
        if more == -1 and self.header is not None and not self.header[-1]:
            return [*cells, ""]
        return cells if more == 0 else None

    def _key(self, cells: Sequence[str]) -> str | None:
        """What names the order; empty where its cell is."""
        if not self.order_column:
            return None
        place = self.columns.index(self.order_column)
        return cells[place] if place < len(cells) else None

    def _key_of_broken(self, line: Line) -> str | None:
        """The order of a row that cannot be read, as far as its cells before the mistake tell."""
        if line.piece:
            return None
        text = line.raw.decode("utf-8" if self.encoding == "detect" else self.encoding, "replace").rstrip("\r\n")
        key = self._key([cell.strip().strip('"') for cell in text.split(self.delimiter)])
        return None if not key or "\ufffd" in key else key


def csv_form(head: bytes, settings: "CsvSettings") -> CsvForm:
    """How a CSV file is read, by its beginning. Raises HeaderError."""
    named, length = lines.mark(head)
    encoding = named or settings.encoding
    given = tuple(_name(each, place) for place, each in enumerate(settings.columns.split(","), 1))
    first, end, number = _first_line(head, length, encoding)
    if settings.columns:
        delimiter = settings.delimiter or _sniffed(first)
        columns, header, start, number = _unique(given), None, length, 0
    else:
        delimiter = settings.delimiter or _sniffed(first)
        cells = _cells(first, delimiter)
        columns = _unique(tuple(_name(cell, place) for place, cell in enumerate(cells, 1)))
        header, start = tuple(cells), end
    wanted = _name(settings.order_column, 0) if settings.order_column else ""
    if wanted and wanted not in columns:
        raise HeaderError(f"it has no column {wanted}; its columns are {', '.join(columns)}")
    return CsvForm(encoding, delimiter, columns, header, wanted, start, number + 1)


class CsvSettings(Protocol):
    """What of the settings says how a file is read."""

    @property
    def encoding(self) -> str:
        """As `FileSettings` says, as the others are."""

    @property
    def delimiter(self) -> str: ...

    @property
    def columns(self) -> str: ...

    @property
    def order_column(self) -> str: ...


def _first_line(head: bytes, start: int, encoding: str) -> tuple[str, int, int]:
    """The first line that says anything, where the one behind it begins, and its number."""
    for number, line in enumerate(lines.split(head[start:], start, encoding, at_end=True, cut=False), 1):
        text = None if line.piece else lines.text(line.raw, encoding)
        if text is None:
            raise HeaderError("its first line is no text, or too long")
        if text.strip():
            return text, line.end, number
    raise HeaderError("it has no header row")


def _cells(text: str, delimiter: str) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([text], delimiter=delimiter, strict=True))]
    except csv.Error as error:
        raise HeaderError(f"its header row cannot be read: {error}") from error


def _sniffed(text: str) -> str:
    bare = re.sub(r'"[^"]*"', "", text)
    return max(DELIMITERS, key=bare.count)


def _name(text: str, place: int) -> str:
    """A column's name as paths of mappings can have it: blanks, dots and brackets within it become `_`."""
    return _NO_NAME.sub("_", text.strip()) or f"column_{place}"


def _unique(names: tuple[str, ...]) -> tuple[str, ...]:
    found: list[str] = []
    for name in names:
        number, fresh = 1, name
        while fresh in found:
            number += 1
            fresh = f"{name}_{number}"
        found.append(fresh)
    return tuple(found)


# --- JSON Lines ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class JsonForm:
    """A JSON Lines file: an object a line."""

    encoding: str
    order_column: str
    start: int
    line: int

    def records(self, found: Sequence[Line], *, at_end: bool) -> Iterator[FileRecord | Line]:
        """As the protocol says."""
        del at_end
        for line in found:
            text = None if line.piece else lines.text(line.raw, self.encoding)
            if text is not None and not text.strip():
                yield line
                continue
            value = None if text is None else _parsed(text)
            key = self._key(value) if value is not None else None
            can_be_read = value is not None and (key is not None or not self.order_column)
            yield FileRecord((line,), text.strip() if can_be_read and text is not None else None, key)

    def _key(self, value: Mapping[str, Any]) -> str | None:
        found = value.get(self.order_column) if self.order_column else None
        if isinstance(found, bool) or not isinstance(found, str | int):
            return None
        return str(found).strip() or None


def json_form(head: bytes, encoding: str, order_column: str) -> JsonForm:
    """How a JSON Lines file is read."""
    named, length = lines.mark(head)
    return JsonForm(named or encoding, order_column, length, 1)


def _parsed(text: str) -> Mapping[str, Any] | None:
    try:
        found = json.loads(text, parse_constant=_refused)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _refused(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
