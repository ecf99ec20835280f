"""What a re-optimisation looks at, and what comes of it."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from dom.network import ShippingMethod
from dom.sourcing.models import Demand, PlannedShipment, Snapshot, SourcingDecision

Balance = tuple[str, str]
"""(node, SKU)."""
Day = tuple[str, date, str]
"""(node, local day, service); the empty service is the day as a whole."""


@dataclass(frozen=True, slots=True)
class Held:
    """A fulfilment that no node has begun: the units it holds of each SKU, and its place in the node's day."""

    fulfilment_id: str
    node_id: str
    ship_day: date
    service: ShippingMethod
    units: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Unbegun:
    """An order's work that no node has begun.

    `demand` asks for exactly the units that are held, and its `deliver_by` is the promise that was given for them.
    """

    demand: Demand
    held: tuple[Held, ...]

    @property
    def order_id(self) -> str:
        """The order's id."""
        return self.demand.order_id

    @property
    def units(self) -> Counter[Balance]:
        """The units the order holds of each balance."""
        found: Counter[Balance] = Counter()
        for each in self.held:
            for sku, units in each.units.items():
                found[each.node_id, sku] += units
        return found

    @property
    def days(self) -> Counter[Day]:
        """The places the order holds in nodes' days."""
        return places((each.node_id, each.ship_day, each.service) for each in self.held)


@dataclass(frozen=True, slots=True)
class PlannedChange:
    """A better plan for an order's unbegun work: it takes the place of every fulfilment of `order.held`.

    `snapshot` is what the planner was given, and `plan` gives `decision` on it: the stock as it is for this order once
    all others have what they are to have. `before` is what the present plan would cost today.
    """

    order: Unbegun
    snapshot: Snapshot
    decision: SourcingDecision
    before: int

    @property
    def saving(self) -> int:
        """Minor units of the policy's currency; below zero for an order that makes room for another."""
        return self.before - self.decision.cost


@dataclass(frozen=True, slots=True)
class Joint:
    """Changes that are made together or not at all: what one order takes, another gives up."""

    changes: tuple[PlannedChange, ...]

    @property
    def saving(self) -> int:
        """What they save together, in minor units of the policy's currency."""
        return sum([change.saving for change in self.changes])


def places(work: Iterable[Day]) -> Counter[Day]:
    """Places in nodes' days, each counted for its service and for the day as a whole."""
    found: Counter[Day] = Counter()
    for node, day, service in work:
        found[node, day, service] += 1
        found[node, day, ""] += 1
    return found


def taken(shipments: Iterable[PlannedShipment]) -> tuple[Counter[Balance], Counter[Day]]:
    """The units and the places in nodes' days that shipments take."""
    shipments = tuple(shipments)
    units: Counter[Balance] = Counter()
    for shipment in shipments:
        for line in shipment.lines:
            units[shipment.node_id, line.sku] += line.quantity
    return units, places((s.node_id, s.ship_day, s.service) for s in shipments)
