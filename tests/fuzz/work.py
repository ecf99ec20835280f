"""A node's work in the model of the fuzz, and its parcels."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

Units = Mapping[str, int]
"""Units by line."""


@dataclass
class Parcel:
    """A booking: what is in it, and what was reported of it. `ended` is (status, minute)."""

    id: str
    carrier: str
    units: dict[str, int]
    tracking: str = ""
    voided: bool = False
    scanned: bool = False
    ended: tuple[str, int] | None = None

    @property
    def status(self) -> str:
        """The shipment's status in the store."""
        if self.voided:
            return "voided"
        return self.ended[0] if self.ended else "in_transit" if self.scanned else "booked"


@dataclass
class Work:
    """A fulfilment. `given_back` are units that left it before its goods did; `unseen`: before anybody looked."""

    id: str
    node: str
    units: dict[str, int]
    carrier: str | None
    status: str = "released"
    parcels: list[Parcel] = field(default_factory=list)
    given_back: Counter[str] = field(default_factory=Counter)
    unseen: bool = False
    lines: frozenset[str] = frozenset()
    picked: dict[str, int] | None = None
    short: bool = False

    def __post_init__(self) -> None:
        self.lines = frozenset(self.units)

    def names_wrongly(self, found: Units, ordered: Units) -> bool:
        """Whether a pick names other lines than those of the work, or more units than were ordered."""
        unknown = any(line not in self.lines or n > ordered[line] for line, n in found.items())
        return unknown or bool(self.units.keys() - found.keys())

    def was_picked_as(self, found: Units | None) -> bool:
        """Whether a pick says what the pick before it said; packing implies that all were found."""
        if found is None:
            return not self.short
        if not found.keys() <= self.lines:
            return False
        return +Counter(found) == +Counter(self.units if self.picked is None else self.picked)
