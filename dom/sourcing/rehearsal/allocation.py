"""Where the units of one order stand on one side: planned at nodes, waiting, or cancelled."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from dom.sourcing.models import DemandLine, Outcome, PlannedShipment, SourcingDecision
from dom.sourcing.rehearsal.divergence import Divergence
from dom.sourcing.rehearsal.pricing import Prices

Units = Mapping[str, int]
"""Units by order line."""


class Sign(IntEnum):
    """Which way a side's units count in the divergence."""

    BASELINE = 1
    DRAFT = -1


@dataclass(slots=True)
class Parcel:
    """A planned shipment and what is left of it. What the carrier lost had left the node: it stays counted."""

    number: int
    shipment: PlannedShipment
    left: Counter[str]
    prices: Prices
    distance_km: float | None = None
    lost: int = 0

    @property
    def counts(self) -> bool:
        """Whether the shipment went or goes."""
        return bool(self.left) or self.lost > 0

    @property
    def sku_of(self) -> dict[str, str]:
        """The SKU of each line in it."""
        return {line.line_id: line.sku for line in self.shipment.lines}


@dataclass(slots=True)
class OrderAllocation:
    """One order on one side; what it takes and gives back is told to the divergence.

    `numbered` counts the shipments over the order's life, `strategy` is the one that planned last.
    """

    sign: Sign
    world: Divergence
    parcels: list[Parcel] = field(default_factory=list)
    waiting: Counter[str] = field(default_factory=Counter)
    cancelled: Counter[str] = field(default_factory=Counter)
    strategy: str = ""
    numbered: int = 0

    @property
    def shape(self) -> tuple[object, ...]:
        """What makes two sides of an order the same."""
        parcels = sorted(
            (parcel.shipment.node_id, str(parcel.shipment.ship_day), sorted(parcel.left.items()))
            for parcel in self.parcels
            if parcel.left
        )
        return (parcels, sorted(self.waiting.items()))

    def begin(self, lines: Sequence[DemandLine]) -> None:
        """The order comes in: all its units wait for a plan."""
        self.waiting.update({line.line_id: line.quantity for line in lines})

    def call_back(self, units: Units) -> None:
        """Units that are planned are to be planned anew: the shipments made last give them back first."""
        for line_id, wanted in units.items():
            self.waiting[line_id] += self._give_back(line_id, wanted, list(reversed(self.parcels)))

    def take(self, decision: SourcingDecision, prices: Sequence[Prices]) -> None:
        """The plan is made: its units stand at their nodes, what is unfilled waits or is cancelled."""
        self.strategy = decision.strategy or self.strategy
        far = {candidate.node_id: candidate.distance_km for candidate in decision.candidates}
        for shipment, priced in zip(decision.shipments, prices, strict=True):
            units = Counter({line.line_id: 0 for line in shipment.lines})
            for line in shipment.lines:
                units[line.line_id] += line.quantity
                self.world.move_units(shipment.node_id, line.sku, self.sign * line.quantity)
            self.world.move_work(shipment.node_id, shipment.ship_day, shipment.service, self.sign)
            self.waiting -= units
            self.numbered += 1
            self.parcels.append(Parcel(self.numbered, shipment, units, priced, far.get(shipment.node_id)))
        if decision.outcome is Outcome.CANCELLED:
            for line in decision.unfilled:
                self._cancel_waiting(line.line_id, line.quantity)

    def fail(self, node_id: str, units: Units) -> None:
        """The node does not give these units: they are free there again, or never were there, and wait."""
        at_node = [parcel for parcel in self.parcels if parcel.shipment.node_id == node_id]
        for line_id, quantity in units.items():
            self.waiting[line_id] += self._give_back(line_id, quantity, at_node)

    def lose(self, node_id: str, units: Units) -> None:
        """The carrier lost what came from the node: it is gone from there, and the units wait."""
        for line_id, quantity in units.items():
            for parcel, part in self._parts(line_id, quantity, self.parcels):
                if parcel.shipment.node_id == node_id:
                    _take_out(parcel, line_id, part)
                    parcel.lost += part
                    self.waiting[line_id] += part

    def cancel(self, units: Units) -> None:
        """Units are cancelled: first those that wait, then the shipments in their sequence give them back."""
        for line_id, quantity in units.items():
            rest = quantity - self._cancel_waiting(line_id, quantity)
            self.cancelled[line_id] += self._give_back(line_id, rest, self.parcels)

    def give_up(self, units: Units) -> None:
        """Units that waited for too long are cancelled; what is planned stays planned."""
        for line_id, quantity in units.items():
            self._cancel_waiting(line_id, quantity)

    def parcel(self, number: int) -> Parcel | None:
        """The shipment of that number in the order's life."""
        return next((parcel for parcel in self.parcels if parcel.number == number), None)

    def _cancel_waiting(self, line_id: str, quantity: int) -> int:
        taken = min(quantity, self.waiting[line_id])
        self.waiting -= Counter({line_id: taken})
        self.cancelled[line_id] += taken
        return taken

    def _give_back(self, line_id: str, quantity: int, parcels: Sequence[Parcel]) -> int:
        given = 0
        for parcel, part in self._parts(line_id, quantity, parcels):
            _take_out(parcel, line_id, part)
            node_id = parcel.shipment.node_id
            self.world.move_units(node_id, parcel.sku_of[line_id], -self.sign * part)
            if not parcel.left and not parcel.lost:
                self.world.move_work(node_id, parcel.shipment.ship_day, parcel.shipment.service, -self.sign)
            given += part
        return given

    def _parts(self, line_id: str, quantity: int, parcels: Sequence[Parcel]) -> Iterator[tuple[Parcel, int]]:
        for parcel in parcels:
            part = min(quantity, parcel.left[line_id])
            if part:
                quantity -= part
                yield parcel, part


def _take_out(parcel: Parcel, line_id: str, units: int) -> None:
    parcel.left -= Counter({line_id: units})
