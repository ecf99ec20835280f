"""However a file is cut into pages, and whoever reads each of them, its orders are the same."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.channels.files import reading
from connectors.channels.files.grouping import Spot
from connectors.channels.files.records import csv_form
from connectors.channels.files.settings import FileSettings
from connectors.channels.port import ListedOrder
from tests.worlds.drawing import examples

HEAD = "order;text;units\n"
CELLS = st.sampled_from(["a", "", "ä€", '"q""q"', '"a\nb"', '";"', "x" * 40, " b "])
WHOLE = st.builds("{};{};{}\n".format, st.sampled_from("123456"), CELLS, st.sampled_from("12"))
OTHER = st.sampled_from(
    ["\n", ";;\n", HEAD, "1\n", "2;b\n", ";lost;1\n", "3;a;b;c\n", '4;"open;1\n', "5;a\udc81;1\n", ";\n"]
)
"""Rows that say nothing, or that cannot be read: cut, too long, without an order, never closed, no text."""


@dataclass
class Expected:
    """An order as the whole file says it: rows, or what cannot be read."""

    key: str | None
    first: int
    rows: list[bytes] = field(default_factory=list)


def expected(rows: Sequence[str], window: int) -> list[list[bytes]]:
    """The rows of each order, by the rule alone: within so many rows of the first one, or without another between.

    Every row counts; one that does not say its order is of the order of the row before.
    """
    found: list[Expected] = []
    still_open: dict[str, Expected] = {}
    last: str | None = None
    number = 0
    for row in rows:
        if row in {"\n", ";\n", ";;\n", HEAD}:
            continue
        number += 1
        key = row.split(";")[0].strip() or last
        for name in [name for name, each in still_open.items() if number - each.first > window and name != key]:
            del still_open[name]
        group = still_open.get(key or "")
        if group is None:
            group = Expected(key, number)
            found.append(group)
            if key is not None:
                still_open[key] = group
        group.rows.append(row.encode("utf-8", "surrogateescape"))
        last = key
    return [each.rows for each in found]


def read(body: bytes, window: int, block: int, most: int) -> list[list[bytes]]:
    """The raw rows of each order, page by page; each page knows nothing but the spot behind the last one."""
    form = csv_form(body, FileSettings(folder="/in", order_column="order", encoding="utf-8"))
    spot, size = Spot(form.start, form.line), block
    orders: list[ListedOrder] = []
    while True:
        part = body[spot.offset : spot.offset + size]
        at_end = len(part) < size
        page = reading.read(part, spot, form, "a", window=window, at_end=at_end, most=most)
        if page is None:
            size *= 2
            continue
        size = block
        orders += page.orders
        spot = Spot(**page.spot.document())
        if page.is_whole:
            return [[each.body] for each in orders]


@settings(max_examples=examples(60, 20_000))
@given(
    rows=st.lists(st.one_of(WHOLE, WHOLE, WHOLE, OTHER), max_size=40),
    window=st.integers(0, 6),
    block=st.integers(1, 200),
    most=st.integers(1, 4),
)
def test_pages_of_any_size_hold_the_same_orders(rows: list[str], window: int, block: int, most: int) -> None:
    body = (HEAD + "".join(rows)).encode("utf-8", "surrogateescape")
    whole = read(body, window, 1_000_000, 1_000_000)
    assert read(body, window, block, most) == whole
    if not any('"open' in row for row in rows):
        assert len(whole) == len(expected(rows, window))
        raw = [each[0] for each in whole if not each[0].startswith(b'{"rows"')]
        broken = [each for each in expected(rows, window) if b"".join(each) in raw]
        assert len(broken) == len(raw)


@settings(max_examples=examples(60, 20_000))
@given(body=st.binary(max_size=300), block=st.integers(1, 100), window=st.integers(0, 3))
def test_any_bytes_at_all(body: bytes, block: int, window: int) -> None:
    body = HEAD.encode() + body
    whole = read(body, window, 1_000_000, 1_000_000)
    assert read(body, window, block, 2) == whole
