"""From records to orders: rows of one order stand together, or within so many rows of its first one.

Orders come out in the sequence of their first rows. So a place in the file says which came out: those before it. Of
these, the ones that have rows behind it are remembered by name.
"""

import hashlib
from collections import OrderedDict, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from connectors.channels.files.lines import Line
from connectors.channels.files.records import FileRecord

MOST_ROWS: Final = 2_000
MOST_BYTES: Final = 1 << 20
"""Of one order. What is longer is no order: it is handed on in pieces, for a person to look at."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in a file: where the next line begins, its number, and how many records came before it.

    `within`: the line before it was too long, and goes on there. `spanning` are orders that came out and have rows
    behind it, each with the number of its last one. `last` is the order of the row before it; `too_long`, too, if that
    order has too many.
    """

    offset: int
    line: int = 1
    row: int = 0
    within: bool = False
    spanning: Mapping[str, int] = field(default_factory=dict)
    too_long: str = ""
    last: str = ""

    def document(self) -> dict[str, Any]:
        """As it is kept."""
        return {
            "offset": self.offset, "line": self.line, "row": self.row, "within": self.within,
            "spanning": dict(self.spanning), "too_long": self.too_long, "last": self.last,
        }  # fmt: skip


@dataclass(slots=True)
class Group:
    """Rows of one order. What cannot be read as a whole is handed on as it stands."""

    key: str
    spot: Spot
    records: list[FileRecord] = field(default_factory=list)
    size: int = 0
    is_raw: bool = False
    is_closed: bool = False
    last_row: int = 0

    def add(self, record: FileRecord, row: int) -> None:
        """One more row of it."""
        self.records.append(record)
        self.size += sum([len(line.raw) for line in record.lines])
        self.is_raw = self.is_raw or record.value is None
        self.last_row = row

    @property
    def is_full(self) -> bool:
        """Whether it has as many rows as an order can have."""
        return len(self.records) >= MOST_ROWS or self.size >= MOST_BYTES


class Grouping:
    """Puts the rows of a page together, from a spot on."""

    def __init__(self, spot: Spot, window: int) -> None:
        self._window = window
        self._open: OrderedDict[str, Group] = OrderedDict()
        self._queue: deque[Group] = deque()
        self._spanning = dict(spot.spanning)
        self._too_long = spot.too_long
        self._at = spot
        self._last: str | None = None
        self._last_name = spot.last

    @property
    def spot(self) -> Spot:
        """Where the next page begins: at the first row of what did not come out yet."""
        at = self._queue[0].spot if self._queue else self._here()
        spanning = {name: last for name, last in self._spanning.items() if last > at.row}
        return Spot(at.offset, at.line, at.row, at.within, spanning, at.too_long, at.last)

    def add(self, found: FileRecord | Line) -> Iterator[Group]:
        """Take one more record; what is complete by now comes out."""
        if isinstance(found, Line):
            self._move((found,), 0)
            return
        before = self._here()
        self._move(found.lines, 1)
        # A row that does not say its order is taken for one of the order before: that one must not go on without it.
        row, key = self._at.row, self._last if found.key is None else found.key
        name = self._last_name if key is None else short(key)
        self._last, self._last_name = key, name
        self._close(row, key)
        if row > self._spanning.get(name, 0):
            self._put(found, key, before, row)
        if name != self._too_long:
            self._too_long = ""
        yield from self.complete()

    def end(self) -> Iterator[Group]:
        """The file ends here: all that is left comes out."""
        for group in self._queue:
            group.is_closed = True
        yield from self.complete()

    def complete(self) -> Iterator[Group]:
        """What is complete and comes next."""
        while self._queue and self._queue[0].is_closed:
            group = self._queue.popleft()
            if group.key:
                self._spanning[short(group.key)] = group.last_row
                if len(self._spanning) > 2 * (self._window + MOST_ROWS):
                    self._forget()
            yield group

    def _forget(self) -> None:
        first = self._queue[0].spot.row if self._queue else self._at.row
        self._spanning = {name: last for name, last in self._spanning.items() if last > first}

    def _here(self) -> Spot:
        at = self._at
        return Spot(at.offset, at.line, at.row, at.within, {}, self._too_long, self._last_name)

    def _move(self, lines: Any, rows: int) -> None:
        last = lines[-1]
        at = self._at
        self._at = Spot(last.end, at.line + sum([not each.cut for each in lines]), at.row + rows, last.cut)

    def _put(self, record: FileRecord, key: str | None, before: Spot, row: int) -> None:
        group = self._open.get(key) if key is not None else None
        if group is None:
            group = Group(key or "", before, is_raw=key is not None and short(key) == self._too_long)
            self._queue.append(group)
            if key is None:
                group.is_closed = True
            else:
                self._open[key] = group
        group.add(record, row)
        if group.is_full and key is not None:
            group.is_raw, group.is_closed = True, True
            self._too_long = short(key)
            del self._open[key]

    def _close(self, row: int, key: str | None) -> None:
        """What began too many rows ago is complete, unless its rows go on."""
        over = []
        for group in self._open.values():
            if row - (group.spot.row + 1) <= self._window:
                break
            if group.key != key:
                over.append(group)
        for group in over:
            group.is_closed = True
            del self._open[group.key]


@lru_cache(maxsize=1024)
def short(key: str) -> str:
    """A name of an order that is short, and says nothing about it."""
    return hashlib.sha256(key.encode()).hexdigest()[:16]
