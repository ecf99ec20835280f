"""A page of a file: orders from a spot on, and where the next page begins. No I/O: it is given the bytes."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from connectors.channels.bodies import as_header
from connectors.channels.files import lines
from connectors.channels.files.grouping import Group, Grouping, Spot
from connectors.channels.files.lines import Line
from connectors.channels.files.records import FileForm
from connectors.channels.port import ListedOrder

ROW: Final = "row"
BROKEN: Final = "broken-row"
"""Topics of messages: rows of an order, and what cannot be read."""


@dataclass(frozen=True, slots=True)
class FilePage:
    """Orders of a file. `is_whole`: nothing of the file comes behind them."""

    orders: Sequence[ListedOrder]
    spot: Spot
    is_whole: bool
    broken: int


def read(
    block: bytes, spot: Spot, form: FileForm, name: str, *, window: int, at_end: bool, most: int
) -> FilePage | None:
    """The next page, from a block of bytes that begins at the spot; at most so many orders.

    None where the block holds no whole one: more bytes are needed.
    """
    found = list(lines.split(block, spot.offset, form.encoding, at_end=at_end, cut=spot.within))
    grouping = Grouping(spot, window)
    orders: list[ListedOrder] = []
    broken = 0
    for group in _groups(grouping, form, found, at_end=at_end):
        orders.append(listed(group, name))
        broken += group.is_raw
        if len(orders) >= most:
            break
    after = grouping.spot
    is_whole = at_end and after.offset >= spot.offset + len(block)
    if not is_whole and after.offset == spot.offset:
        return None
    return FilePage(orders, after, is_whole, broken)


def _groups(grouping: Grouping, form: FileForm, found: Sequence[Line], *, at_end: bool) -> Iterator[Group]:
    for record in form.records(found, at_end=at_end):
        yield from grouping.add(record)
    if at_end:
        yield from grouping.end()


def listed(group: Group, name: str) -> ListedOrder:
    """An order's rows as a message. It is told from others by its rows alone: where they stand says nothing of it."""
    headers = {"x-file": as_header(name), "x-line": str(group.spot.line)}
    if group.is_raw:
        raw = b"".join([record.raw for record in group.records])
        return ListedOrder(raw, f"raw:{hashlib.sha256(raw).hexdigest()}", BROKEN, headers)
    rows = "[" + ",".join([record.value or "null" for record in group.records]) + "]"
    body = f'{{"rows": {rows}, "file": {json.dumps(name)}, "line": {group.spot.line}}}'.encode()
    return ListedOrder(body, f"rows:{hashlib.sha256(rows.encode()).hexdigest()}", ROW, headers)
