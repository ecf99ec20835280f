"""Files and interchanges are dropped, cut, repeated, replaced and mixed with garbage, while whoever reads them dies.

After the last file the inbox holds what the files say, once; every file lies where it belongs, and every interchange
has one acknowledgement. `HYPOTHESIS_PROFILE=explore` tries thousands of sequences.
"""

import asyncio
import json
import os
import shutil
import tempfile
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from connectors.channels.edi import partner
from connectors.channels.files import connector as files
from connectors.channels.files.connector import FilesConnector
from connectors.channels.port import ChannelConnector
from tests.worlds.drawing import examples
from tests.worlds.dropping import EVER, Inbox, connection
from tests.worlds.trading import (
    change_860,
    change_edifact,
    edifact,
    interchange_edifact,
    interchange_x12,
    lines_850,
    lines_orders,
    order_850,
    order_edifact,
    x12,
)

NUMBERS: Final = st.integers(1, 6)
UNITS: Final = st.integers(1, 3)
BLANK: Final = b"\0 \r\n\t\v\f\x1c\x1d\x1e\x1f\x85\xa0"
"""Bytes that say nothing between interchanges."""
GARBAGE: Final = st.binary(min_size=1, max_size=60).filter(lambda raw: bool(raw.strip(BLANK)))


class Dropping(RuleBasedStateMachine):
    """A folder, a reader that may die, and the inbox with its position."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(dir=os.environ.get("PYTEST_DEBUG_TEMPROOT")))
        self.runner = asyncio.Runner()
        self.inbox = Inbox()
        self.dropped = 0
        self.reader: ChannelConnector | None = None

    def connector(self) -> ChannelConnector:
        """Whoever reads the folder, made anew."""
        raise NotImplementedError

    def alive(self) -> ChannelConnector:
        """The reader of now."""
        self.reader = self.reader or self.connector()
        return self.reader

    def put(self, body: bytes, *, half_first: bool = False) -> None:
        """A file comes, under a name of its own; perhaps first as one that is not whole."""
        self.dropped += 1
        name = f"{self.dropped:04d}.edi"
        if half_first:
            (self.folder / f"{name}.part").write_bytes(body[: len(body) // 2])
            self.run(self.inbox.pull(self.alive(), most_pages=1))
            (self.folder / f"{name}.part").write_bytes(body)
            (self.folder / f"{name}.part").rename(self.folder / name)
        else:
            (self.folder / name).write_bytes(body)

    @rule(pages=st.integers(1, 4))
    def read(self, pages: int) -> None:
        """Some pages are read and kept."""
        self.run(self.inbox.pull(self.alive(), most_pages=pages))

    @rule()
    def die_after_reading(self) -> None:
        """A page is read, and the reader dies before it is kept."""
        self.run(self.alive().page(self.inbox.position, EVER))
        self.reader = None

    @rule()
    def die_and_lose_the_position(self) -> None:
        """The folder is read anew, as after a back-up was put in."""
        self.reader, self.inbox.position = None, {}

    def finish(self) -> None:
        """All that is there is read."""
        self.run(self.inbox.pull(self.alive()))
        put_away = [each for where in ("done", "unread") for each in (self.folder / where).iterdir()]
        assert len(put_away) == self.dropped
        assert not list((self.folder / "reading").iterdir())

    def teardown(self) -> None:
        """What is claimed here holds after the last file."""
        try:
            if self.dropped:
                self.finish()
        finally:
            self.runner.close()
            shutil.rmtree(self.folder)

    def run(self, what: Coroutine[Any, Any, Any]) -> Any:
        """Run it in the machine's loop."""
        return self.runner.run(what)


class DroppedCsv(Dropping):
    """CSV files of orders of one or two rows."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: set[str] = set()
        self.raw: set[bytes] = set()
        self.bodies: list[bytes] = []

    def connector(self) -> ChannelConnector:
        """As said."""
        return FilesConnector(connection(self.folder, order_column="order", window=2), {})

    @rule(orders=st.lists(st.tuples(NUMBERS, UNITS, UNITS), min_size=1, max_size=8, unique_by=lambda each: each[0]),
          half_first=st.booleans(), cut=st.integers(0, 30), broken=st.booleans())  # fmt: skip
    def drop(self, orders: Sequence[tuple[int, int, int]], half_first: bool, cut: int, broken: bool) -> None:
        """A file of orders; its end may be cut off, and its last row be one that is none."""
        rows = [[f"{number};S{sku};{units}" for sku in range(units)] for number, units, _ in orders]
        text = "".join([row + "\n" for each in rows for row in each])
        if broken:
            text += "9;\n"
            self.raw.add(b"9;\n")
        elif cut:
            text = text[: -min(cut, len(text) - 1)]
        body = f"order;sku;units\n{text}".encode()
        if not broken:
            self.expect(text)
        else:
            self.expect(text.removesuffix("9;\n"))
        self.bodies.append(body)
        self.put(body, half_first=half_first)

    def expect(self, text: str) -> None:
        """By the text: its orders stand together, and only the last row may be cut."""
        by_order: dict[str, list[str]] = {}
        for line in text.splitlines(keepends=True):
            by_order.setdefault(line.rstrip("\n").split(";")[0], []).append(line)
        for rows in by_order.values():
            cells = [row.rstrip("\n").split(";") for row in rows]
            if all(len(each) == 3 for each in cells):
                self.rows.add(json.dumps(cells))
            else:
                self.raw.add("".join(rows).encode())

    @rule(data=st.data())
    def drop_again(self, data: st.DataObject) -> None:
        """A file that came before comes again, under another name."""
        if self.bodies:
            self.put(data.draw(st.sampled_from(self.bodies)))

    @rule(body=GARBAGE)
    def drop_garbage(self, body: bytes) -> None:
        """A file that is none of orders: it is shown, and put aside."""
        self.put(b"no\n" + body)
        self.raw.add(b"no\n" + body)

    @rule()
    def replace(self) -> None:
        """What is being read is touched, as a back-up or a scanner does it."""
        for each in (self.folder / "reading").glob("*"):
            each.touch()

    def finish(self) -> None:
        """Every order of every file is there, and nothing else."""
        super().finish()
        found = {
            json.dumps([list(row.values()) for row in rows]) for rows in self.inbox.orders(lambda each: each["rows"])
        }
        assert (found, set(self.inbox.raw)) == (self.rows, self.raw)


class Trading(Dropping):
    """A partner who sends orders and changes."""

    def __init__(self) -> None:
        super().__init__()
        self.control = 0
        self.sent: list[tuple[int, bytes]] = []
        self.refused: set[bytes] = set()
        self.sets: set[tuple[str, str, int]] = set()
        self.acknowledged = 0
        self.repeats = 0

    def interchange(self, control: int, sets: Sequence[Sequence[str]], kind: str) -> bytes:
        """An interchange of these sets."""
        raise NotImplementedError

    def order(self, number: str, units: int) -> list[str]:
        """An order."""
        raise NotImplementedError

    def change(self, number: str, units: int) -> list[str]:
        """A change of an order."""
        raise NotImplementedError

    kinds: tuple[str, str]

    def make(self, orders: Sequence[tuple[int, int]], *, changed: bool) -> tuple[int, bytes]:
        """The next interchange."""
        self.control += 1
        make = self.change if changed else self.order
        sets = [make(f"PO{number}", units) for number, units in orders]
        return self.control, self.interchange(self.control, sets, self.kinds[changed])

    @rule(orders=st.lists(st.tuples(NUMBERS, UNITS), min_size=1, max_size=4), changed=st.booleans(),
          half_first=st.booleans())  # fmt: skip
    def drop(self, orders: Sequence[tuple[int, int]], changed: bool, half_first: bool) -> None:
        """An interchange of orders, or of changes."""
        control, body = self.make(orders, changed=changed)
        self.sent.append((control, body))
        self.sets |= {(str(control), f"PO{number}", place) for place, (number, _) in enumerate(orders, 1)}
        self.acknowledged += 1
        self.put(body, half_first=half_first)

    @rule(data=st.data())
    def drop_again(self, data: st.DataObject) -> None:
        """An interchange that came before comes again: it is told to be a duplicate."""
        if self.sent:
            _, body = data.draw(st.sampled_from(self.sent))
            self.put(body + b"\n" * self.dropped)
            self.acknowledged += 1

    @rule(orders=st.lists(st.tuples(NUMBERS, UNITS), min_size=1, max_size=2), cut=st.integers(12, 60))
    def drop_a_cut_one(self, orders: Sequence[tuple[int, int]], cut: int) -> None:
        """An interchange without its end, and one that is whole behind it."""
        _, body = self.make(orders, changed=False)
        control, good = self.make(orders, changed=False)
        self.refused.add(body[:-cut])
        self.sent.append((control, good))
        self.sets |= {(str(control), f"PO{number}", place) for place, (number, _) in enumerate(orders, 1)}
        self.acknowledged += 2
        self.put(body[:-cut] + good)

    @rule(body=GARBAGE.filter(lambda raw: not raw.startswith((b"ISA", b"UN"))))
    def drop_garbage(self, body: bytes) -> None:
        """Bytes that are no interchange: a person sees them."""
        self.put(body)
        self.refused.add(body)

    def finish(self) -> None:
        """Every set of every whole interchange is a message once; what is broken is there, too."""
        super().finish()
        found = self.inbox.orders(
            lambda each: (each["interchange"]["control"].lstrip("0"), each["number"], int(each["interchange"]["set"]))
        )
        assert len(found) == len(set(found))
        assert set(found) == self.sets
        assert {each.strip(BLANK) for each in self.inbox.raw} == {each.strip(BLANK) for each in self.refused}
        out = self.folder / "out"
        numbers = sorted([int(each.name[:9]) for each in out.iterdir()]) if out.exists() else []
        assert numbers == list(range(1, self.acknowledged + 1))


class DroppedX12(Trading):
    """X12."""

    kinds = ("850", "860")

    def connector(self) -> ChannelConnector:
        """As said."""
        return x12(self.folder)

    def interchange(self, control: int, sets: Sequence[Sequence[str]], kind: str) -> bytes:
        """As said."""
        return interchange_x12(control, *sets, kind=kind)

    def order(self, number: str, units: int) -> list[str]:
        """As said."""
        return order_850(number, lines_850(A=units, B=1))

    def change(self, number: str, units: int) -> list[str]:
        """As said."""
        return change_860(number, [f"POC*1*CA*{units}**EA*1**VP*A"])


class DroppedEdifact(Trading):
    """EDIFACT."""

    kinds = ("ORDERS", "ORDCHG")

    def connector(self) -> ChannelConnector:
        """As said."""
        return edifact(self.folder)

    def interchange(self, control: int, sets: Sequence[Sequence[str]], kind: str) -> bytes:
        """As said."""
        return interchange_edifact(control, *sets, kind=kind)

    def order(self, number: str, units: int) -> list[str]:
        """As said."""
        return order_edifact(number, lines_orders(A=units, B=1))

    def change(self, number: str, units: int) -> list[str]:
        """As said."""
        return change_edifact(number, [f"LIN+1+3'QTY+21:{units}"])


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "BLOCK", 40)
    monkeypatch.setattr(files, "MOST_ORDERS", 3)
    monkeypatch.setattr(partner, "MOST_MESSAGES", 2)


@pytest.mark.parametrize("machine", [DroppedCsv, DroppedX12, DroppedEdifact])
def test_nothing_is_lost_and_nothing_comes_twice(machine: type[Dropping]) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(max_examples=examples(10, 1_500), stateful_step_count=examples(10, 25), deadline=None),
    )
