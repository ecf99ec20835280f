"""Whatever bytes a partner sends: nothing raises, no byte is lost, and each interchange can be acknowledged."""

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.channels.edi import orders
from connectors.channels.edi.edifact.answers import Edifact
from connectors.channels.edi.interchange import Standard
from connectors.channels.edi.settings import EdifactSettings, X12Settings
from connectors.channels.edi.x12.answers import X12
from tests.worlds.drawing import examples
from tests.worlds.trading import (
    EDIFACT_IDS,
    X12_IDS,
    change_860,
    change_edifact,
    interchange_edifact,
    interchange_x12,
    lines_850,
    lines_orders,
    order_850,
    order_edifact,
)

NOW = datetime(2026, 3, 2, tzinfo=UTC)
BLANK = b"\0 \r\n\t\v\f\x1c\x1d\x1e\x1f\x85\xa0"
X12_FILE = interchange_x12(1, order_850("PO1", lines_850(A=1, B=2)), acknowledge="1") + interchange_x12(
    2, change_860("PO1", ["POC*1*QD*1", "POC*2*DI"]), kind="860", release="005010"
)
EDIFACT_FILE = interchange_edifact(1, order_edifact("PO1", lines_orders(A=1, B=2))) + interchange_edifact(
    2, change_edifact("PO1", ["LIN+1+3'QTY+21:1", "LIN+2+2"]), kind="ORDCHG"
)
STANDARDS: list[tuple[Callable[[], Standard], bytes]] = [
    (lambda: X12(X12Settings(folder="/in", **X12_IDS)), X12_FILE),
    (lambda: Edifact(EdifactSettings(folder="/in", **EDIFACT_IDS)), EDIFACT_FILE),
]
MARKS = [b"'", b"~", b"*", b"+", b"?", b"ISA*", b"UNA", b"'UNA", b"UNB+", b"UNH+", b"ST*"]
PUT = st.one_of(st.binary(max_size=4), st.sampled_from(MARKS))
EDITS = st.lists(st.tuples(st.integers(0, 2_000), st.integers(0, 40), PUT), max_size=6)


def edited(body: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    """With other bytes in place of some."""
    for at, length, put in edits:
        place = at % (len(body) + 1)
        body = body[:place] + put + body[place + length :]
    return body


@pytest.mark.parametrize(("make", "whole"), STANDARDS)
@settings(max_examples=examples(20, 10_000))
@given(edits=EDITS)
def test_nothing_raises_and_no_byte_is_lost(
    make: Callable[[], Standard], whole: bytes, edits: list[tuple[int, int, bytes]]
) -> None:
    standard, body = make(), edited(whole, edits)
    found = standard.read(body)
    rest = body
    for each in found:
        before, there, rest = rest.partition(each.raw)
        assert (before.strip(BLANK), there) == (b"", each.raw)
        render = standard.acknowledgement(each)
        if render is not None:
            assert render(1, NOW).startswith((b"ISA", b"UNA"))
        for one in each.sets:
            assert one.raw in each.raw
            if one.message is not None:
                json.dumps(orders.whole(one.message, None)).encode()
    assert rest.strip(BLANK) == b""
