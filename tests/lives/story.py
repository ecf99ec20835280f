"""What is done to an order, as data: drawn, carried out, printed and kept in a file.

An act names what it is about by small numbers, which count among what there is when it is carried out: the story stays
one when acts are left out of it.
"""

import json
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from hypothesis import strategies as st

KEPT: Final = Path(__file__).parent / "kept"
NODES: Final = ("dc-leeds", "wh-london", "st-york")
EACH: Final = {
    "advance": 8,
    "everybody": 9,
    "step": 3,
    "pick_short": 3,
    "reject": 2,
    "cancel": 4,
    "answer_cancellation": 3,
    "edit": 5,
    "hold": 2,
    "release": 2,
    "scan": 5,
    "goods": 3,
    "count": 1,
    "move": 2,
    "source_again": 2,
    "split": 3,
    "merge": 3,
    "prioritise": 1,
    "keep": 1,
    "put_back": 1,
    "staff_says": 3,
    "reship": 3,
    "arrived": 2,
    "note": 1,
    "return": 4,
    "goes_on_with_return": 4,
    "time": 2,
    "settle": 2,
}
"""Acts, and how often each is drawn."""


@dataclass(frozen=True, slots=True)
class Act:
    """`which` counts among what the act can be about, `much` is of units, `how` chooses among its forms."""

    do: str
    which: int = 0
    much: int = 0
    how: int = 0


@dataclass(frozen=True, slots=True)
class Story:
    """How an order begins, and what is done to it: the acts of a group at the same time.

    `lines` are SKU and units, `stock` units by node and SKU.
    """

    lines: tuple[tuple[str, int], ...]
    stock: tuple[tuple[int, ...], ...]
    groups: tuple[tuple[Act, ...], ...]
    pickup: bool = False
    complete: bool = False

    def as_json(self) -> str:
        """A document that `read` takes; one group a line."""
        start = json.dumps({key: value for key, value in asdict(self).items() if key != "groups"})
        groups = ",\n  ".join(json.dumps([asdict(act) for act in group]) for group in self.groups)
        return f'{{"start": {start},\n "groups": [\n  {groups}\n ]}}\n'


def read(file: Path) -> Story:
    """A kept story."""
    document: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    start = document["start"]
    return Story(
        tuple((sku, units) for sku, units in start["lines"]),
        tuple(tuple(units) for units in start["stock"]),
        tuple(tuple(Act(**act) for act in group) for group in document["groups"]),
        start["pickup"],
        start["complete"],
    )


SKUS: Final = "ABC"


def drawn(seed: int) -> Story:
    """The life that belongs to a number: up to three lines at up to three nodes, with stock for all of it, for some or
    for none; first it goes on its way for a while, then anything happens.
    """
    chance = random.Random(seed)
    lines = tuple((chance.choice("AAB"), chance.randint(1, 4)) for _ in range(chance.randint(1, 3)))
    stock = tuple(tuple(chance.choice((0, 2, 4, 9)) for _ in SKUS) for _ in NODES)
    way = [(Act("everybody", how=chance.choice((0, 3))),) for _ in range(chance.randint(0, 5))]
    groups = [_group(chance) for _ in range(chance.randint(5, 14))]
    kind = chance.random()
    return Story(lines, stock, (*way, *groups), pickup=kind < 0.12, complete=0.12 < kind < 0.24)


def _group(chance: random.Random) -> tuple[Act, ...]:
    return tuple(_act(chance) for _ in range(2 if chance.random() < 0.25 else 1))


def _act(chance: random.Random) -> Act:
    (do,) = chance.choices(list(EACH), list(EACH.values()))
    return Act(do, chance.randint(0, 3), chance.randint(0, 4), chance.randint(0, 11))


def several() -> st.SearchStrategy[Sequence[Story]]:
    """Lives that are lived at the same time. Each comes of a number, so that rare acts are drawn as often as they are
    to be.
    """
    return st.lists(st.integers(0, 2**64 - 1).map(drawn), min_size=1, max_size=4)
