"""Who is in danger, who could give, and what comes of it."""

from dataclasses import dataclass
from datetime import date, datetime

from dom.sourcing.models import Demand, DemandLine, Snapshot, SourcingDecision

Balance = tuple[str, str]
"""(node, SKU)."""


@dataclass(frozen=True, slots=True)
class Endangered:
    """Units of one SKU that an order waits for. `demand` asks for just these; `due` is the promise that its customer
    was told, else when he wants the goods.
    """

    demand: Demand
    sku: str
    due: datetime

    @property
    def order_id(self) -> str:
        """The order's id."""
        return self.demand.order_id

    @property
    def units(self) -> int:
        """How many it lacks."""
        return sum([line.quantity for line in self.demand.lines])


@dataclass(frozen=True, slots=True)
class Giver:
    """Work that no node has begun, of an order that may be able to wait.

    `demand` asks for all units of the fulfilment, and its `deliver_by` is the promise that the customer was told.
    `may_wait`: units of it may be left without a node until goods come in; `gives_up_after`: for so many days at most.
    """

    demand: Demand
    fulfilment_id: str
    node_id: str
    may_wait: bool = True
    gives_up_after: int = 14

    @property
    def order_id(self) -> str:
        """The order's id."""
        return self.demand.order_id

    @property
    def told(self) -> datetime:
        """By when its customer was told that the goods arrive. ValueError if he was told nothing."""
        if self.demand.deliver_by is None:
            raise ValueError(f"{self.order_id} has no promise")
        return self.demand.deliver_by

    def units(self, sku: str) -> int:
        """Units of a SKU in it."""
        return sum([line.quantity for line in self.demand.lines if line.sku == sku])

    def part(self, sku: str, units: int) -> tuple[DemandLine, ...]:
        """So many units of a SKU, taken from its lines in their sequence."""
        found = []
        for line in self.demand.lines:
            taken = min(units, line.quantity) if line.sku == sku else 0
            if taken:
                found.append(line.model_copy(update={"quantity": taken}))
                units -= taken
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Giving:
    """What one order gives: units of its work, and where it gets its own from then.

    `decision` is the new plan on `snapshot`, made now, or (`due_on`) on the day on which goods that are due at its node
    are counted on: until then the units wait. `extra` is what it costs more than before, in minor units of the policy's
    currency.
    """

    giver: Giver
    lines: tuple[DemandLine, ...]
    decision: SourcingDecision
    snapshot: Snapshot
    demand: Demand
    extra: int
    due_on: date | None = None
    counted_on: date | None = None
    """The first day on which its goods are counted on: `due_on`, and the policy's margin."""

    @property
    def units(self) -> int:
        """How many units it gives."""
        return sum([line.quantity for line in self.lines])

    @property
    def new_node(self) -> str:
        """Where its own units come from then."""
        return self.decision.shipments[0].node_id

    @property
    def promise(self) -> datetime:
        """When its own units arrive at the latest."""
        return max([shipment.promise.latest for shipment in self.decision.shipments])


@dataclass(frozen=True, slots=True)
class Reallocation:
    """One order in danger, who gives to it, and what that gains. `gain` is in minor units of the policy's currency:
    the lateness that is avoided, as its class weighs it, less what all of it costs more.

    `late_before` and `late_after` are days begun after `taker.due`; `forecast`: when the goods would arrive without it,
    None where nothing is known that brings them.
    """

    taker: Endangered
    node_id: str
    gives: tuple[Giving, ...]
    decision: SourcingDecision
    snapshot: Snapshot
    forecast: datetime | None
    late_before: int
    late_after: int
    avoided: int
    extra: int

    @property
    def gain(self) -> int:
        """What it gains."""
        return self.avoided - self.extra

    @property
    def order_ids(self) -> tuple[str, ...]:
        """All orders it concerns."""
        return (self.taker.order_id, *(giving.giver.order_id for giving in self.gives))
