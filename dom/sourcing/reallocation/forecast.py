"""When goods on their way reach the orders that wait for them: the queue, served as goods come in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class DueGoods:
    """Units that are counted on at a node from a day on."""

    day: date
    node_id: str
    units: int


@dataclass(frozen=True, slots=True)
class Claim:
    """Units of a SKU that an order waits for. `first`: it stands before all that do not."""

    order_id: str
    units: int
    first: bool = False


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is known of a SKU: goods on their way, by day, and the claims on them, in the sequence of the queue."""

    arrivals: tuple[DueGoods, ...] = ()
    line: tuple[Claim, ...] = ()

    def come_by(self, day: date, node_id: str | None = None) -> int:
        """Units that have come by the end of a day, at a node or (None) anywhere."""
        return sum([each.units for each in self.arrivals if each.day <= day and node_id in (None, each.node_id)])

    def ahead_of(self, order_id: str) -> int | None:
        """Units that are claimed by who stands before an order; None if it does not stand in line."""
        ahead = 0
        for claim in self.line:
            if claim.order_id == order_id:
                return ahead
            ahead += claim.units
        return None

    def served(self, order_id: str) -> DueGoods | None:
        """The arrival that brings the last unit of an order's claim; None if nothing that is known of does."""
        ahead = self.ahead_of(order_id)
        claimed = sum([claim.units for claim in self.line if claim.order_id == order_id])
        if ahead is None:
            return None
        come = 0
        for each in _in_turn(self.arrivals):
            come += each.units
            if come >= ahead + claimed:
                return each
        return None

    def slack(self, order_id: str) -> int | None:
        """Units that may be put before an order while it gets each of its own on the same day; None: any number, as
        nothing that is known of reaches it.
        """
        ahead = self.ahead_of(order_id)
        claimed = sum([claim.units for claim in self.line if claim.order_id == order_id])
        if ahead is None:
            return None
        found: int | None = None
        for day in sorted({each.day for each in self.arrivals}):
            come = self.come_by(day)
            if come > ahead:
                spare = max(come - ahead - claimed, 0)
                found = spare if found is None else min(found, spare)
        return found

    @property
    def first_claims(self) -> int:
        """Units that are claimed by orders that stand before all others."""
        return sum([claim.units for claim in self.line if claim.first])


def _in_turn(arrivals: Sequence[DueGoods]) -> list[DueGoods]:
    return sorted(arrivals, key=lambda each: (each.day, each.node_id))
