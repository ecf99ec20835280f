"""A live system in a few lines, whose decisions are recorded and walked through again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from dom.sourcing.models import Snapshot, SourcingDecision
from dom.sourcing.planner import plan
from dom.sourcing.policy.document import Policy
from dom.sourcing.rehearsal.recorded import Happened, Happening, Recorded
from dom.sourcing.rehearsal.report import Report, report
from dom.sourcing.rehearsal.span import Span
from dom.sourcing.rehearsal.walking import Walk
from tests.worlds.policies import policy
from tests.worlds.sourcing import FREE, LEEDS, MONDAY_NOON, PARIS, World

VERSION = 3
DEAR_SPLITS = policy(name="dear splits", split_penalty=5000, distance_per_100_km=0, priority_weight=0)


@dataclass
class Live:
    """A live system in a few lines: it plans on what is free, takes it, and writes down what it saw."""

    world: World
    policy: Policy = FREE
    records: list[Recorded | Happened] = field(default_factory=list)
    taken: dict[tuple[str, str], int] = field(default_factory=dict)
    decisions: dict[str, list[SourcingDecision]] = field(default_factory=dict)
    fulfilments: dict[str, int] = field(default_factory=dict)
    delivered: dict[tuple[str, str], int] = field(default_factory=dict)

    def free(self) -> dict[tuple[str, str], int]:
        keys = self.world.available.keys() | self.delivered.keys()
        return {
            key: self.world.available.get(key, 0) + self.delivered.get(key, 0) - self.taken.get(key, 0) for key in keys
        }

    def snapshot(self) -> Snapshot:
        used: dict[Any, int] = dict(self.world.capacity_used)
        return self.world.snapshot().model_copy(update={"available": self.free(), "capacity_used": used})

    def order(self, order_id: str, cause: str = "order captured", **units: Any) -> SourcingDecision:
        demand = self.world.demand(order_id=order_id, **units)
        attempt = len(self.decisions.get(order_id, ())) + 1
        seen = self.snapshot()
        decision = plan(demand, seen, self.policy, VERSION)
        first = self.fulfilments.get(order_id, 0) + 1
        self.fulfilments[order_id] = first - 1 + len(decision.shipments)
        self.decisions.setdefault(order_id, []).append(decision)
        self._record(Recorded(order_id, attempt, cause, VERSION, first, MONDAY_NOON, demand, decision, seen))
        for shipment in decision.shipments:
            for line in shipment.lines:
                self._take(shipment.node_id, line.sku, line.quantity)
        return decision

    def happen(self, order_id: str, kind: Happening, fulfilment: int = 0, /, **lines: int) -> None:
        units = {name.removeprefix("l"): quantity for name, quantity in lines.items()}
        self._record(Happened(order_id, kind, MONDAY_NOON, fulfilment, units))

    def come_back(self, node: str, sku: str, units: int) -> None:
        self._take(node, sku, -units)

    def _take(self, node: str, sku: str, units: int) -> None:
        self.taken[node, sku] = self.taken.get((node, sku), 0) + units

    def _record(self, record: Recorded | Happened) -> None:
        self.records.append(record)


def rehearsed(live: Live, draft: Policy | None = None) -> Walk:
    walk = Walk({VERSION: live.policy}, draft)
    for record in live.records:
        if isinstance(record, Recorded):
            walk.decide(record)
        else:
            walk.happen(record)
    return walk


def is_as_recorded(walk: Walk) -> bool:
    return not walk.world.units and not walk.world.work


def told(walk: Walk, draft: Policy | None = None) -> Report:
    return report(walk, draft=draft, called="the draft", span=Span(said="all"), at=MONDAY_NOON)


def held(walk: Walk, order_id: str, side: str = "draft") -> dict[str, dict[str, int]]:
    standing = getattr(walk.orders[order_id], side)
    return {p.shipment.node_id: dict(p.left) for p in standing.parcels if p.left}


def two_nodes(**more: Any) -> World:
    """A is heavy: it goes cheaper from Leeds, which lacks B, and both go together only if splits are dear."""
    return World().sku("A", 6000).node("near", LEEDS, A=3, **more).node("far", PARIS, "FR", A=9, B=9)
