"""Small worlds for tests: a few nodes, SKUs and one carrier whose prices can be worked out in the head.

world = World().node("near", LEEDS, A=5).node("far", PARIS, A=5, B=1)
decision = plan(world.demand(A=2), world.snapshot(), world.policy, 1)
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time

from dom.delivery.tariffs import Break, Lane, Tariff, TariffService
from dom.network import HandlingCost, Node, NodeAddress, NodeKind, ShippingMethod, Sku
from dom.sourcing.explanation.recomputing import explained
from dom.sourcing.explanation.record import Record
from dom.sourcing.models import Candidate, Demand, DemandLine, FenceResult, Place, Snapshot, SourcingDecision
from dom.sourcing.planner import plan
from dom.sourcing.policy.document import Fence, Policy
from tests.worlds.policies import changed, policy

Breaks = tuple[tuple[int, int], ...]

MONDAY_NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
"""The moment every order of these worlds is accepted unless a test says otherwise: Monday 2 March 2026."""

MONDAY = date(2026, 3, 2)

LEEDS = Place(latitude=53.8, longitude=-1.55)
YORK = Place(latitude=53.96, longitude=-1.08)
LONDON = Place(latitude=51.51, longitude=-0.13)
PARIS = Place(latitude=48.86, longitude=2.35)
ATHENS = Place(latitude=37.98, longitude=23.73)

HOME_BREAKS = ((1_000, 300), (5_000, 500), (10_000, 800), (20_000, 1_500))
"""(up to grams, pence) within a country."""
ABROAD_BREAKS = ((1_000, 900), (5_000, 1_500), (10_000, 2_400), (20_000, 4_500))
"""(up to grams, pence) between two countries."""
COUNTRIES = ("GB", "FR", "GR")

FREE = policy(
    name="only freight counts",
    split_penalty=0,
    lateness_per_day=0,
    distance_per_100_km=0,
    priority_weight=0,
)
"""A policy under which a plan costs its freight and handling and no more."""


def sku(code: str, grams: int = 400, side_mm: int = 50, **changes: object) -> Sku:
    """A cube of a SKU: 400 g and 5 cm a side, so that two of them with packaging weigh 950 g."""
    size = {"weight_grams": grams, "length_mm": side_mm, "width_mm": side_mm, "height_mm": side_mm}
    return Sku.model_validate({"id": code, **size, **changes})


def node(node_id: str, place: Place = LEEDS, country: str = "GB", /, **changes: object) -> Node:
    """A warehouse that works Monday to Saturday until a cut-off at 16:00, for nothing, as often as asked."""
    zones = {"GB": "Europe/London", "FR": "Europe/Paris", "GR": "Europe/Athens"}
    plain = {
        "id": node_id,
        "name": node_id.replace("-", " ").title(),
        "kind": NodeKind.WAREHOUSE,
        "address": NodeAddress(lines=("1 Yard",), city="Town", country=country),
        "latitude": place.latitude,
        "longitude": place.longitude,
        "time_zone": zones.get(country, "UTC"),
        "opening_hours": "Mo-Sa 08:00-18:00",
        "cut_off": time(16),
        "daily_capacity": 100,
        "priority": 10,
    }
    return Node.model_validate({**plain, **changes})


def handling(fixed: int = 0, per_unit: int = 0) -> HandlingCost:
    """What a node's work costs, in pence."""
    return HandlingCost(fixed=fixed, per_unit=per_unit)


def lane(
    origins: tuple[str, ...], destinations: tuple[str, ...], breaks: tuple[tuple[int, int], ...], days: int
) -> Lane:
    """A lane that takes exactly so many days."""
    return Lane(
        origins=origins,
        destinations=destinations,
        zone="zone",
        transit_days_min=days,
        transit_days_max=days,
        breaks=tuple(Break(*step) for step in breaks),
    )


def tariff(carrier: str = "northline", max_parcel: int = 20_000, factor: float = 1, days: int = 2) -> Tariff:
    """Table rates within and between the countries: home in `days`, abroad in two more; express costs double."""

    def service(method: ShippingMethod, times: float, faster: int) -> TariffService:
        lanes = []
        for origin in COUNTRIES:
            others = tuple(country for country in COUNTRIES if country != origin)
            lanes.append(lane((origin,), (origin,), _scaled(HOME_BREAKS, times), days - faster))
            lanes.append(lane((origin,), others, _scaled(ABROAD_BREAKS, times), days + 2 - faster))
        return TariffService(method=method, max_parcel_grams=max_parcel, lanes=tuple(lanes))

    return Tariff(
        carrier=carrier,
        name=carrier.title(),
        currency="GBP",
        divisor=5000,
        services=(service(ShippingMethod.STANDARD, factor, 0), service(ShippingMethod.EXPRESS, 2 * factor, 1)),
    )


def _scaled(breaks: Breaks, factor: float) -> Breaks:
    return tuple((grams, round(price * factor)) for grams, price in breaks)


NORTHLINE = tariff()


@dataclass(frozen=True)
class World:
    """Nodes with their stock, the catalogue, and what one carrier charges. Each step gives a new world."""

    nodes: tuple[Node, ...] = ()
    skus: dict[str, Sku] = field(default_factory=dict)
    available: dict[tuple[str, str], int] = field(default_factory=dict)
    capacity_used: dict[tuple[str, date, str], int] = field(default_factory=dict)
    tariffs: tuple[Tariff, ...] = (NORTHLINE,)
    policy: Policy = FREE

    def node(self, node_id: str, place: Place = LEEDS, country: str = "GB", /, **stock_and_changes: object) -> World:
        """With one more node. Capitalised names are stock (`A=5`), the others change the node."""
        stock = {name: units for name, units in stock_and_changes.items() if name[0].isupper()}
        changes = {name: value for name, value in stock_and_changes.items() if not name[0].isupper()}
        held = {(node_id, name): int(str(units)) for name, units in stock.items()}
        return replace(
            self,
            nodes=(*self.nodes, node(node_id, place, country, **changes)),
            skus={**{name: sku(name) for name in stock}, **self.skus},
            available={**self.available, **held},
        )

    def sku(self, code: str, grams: int = 400, side_mm: int = 50) -> World:
        """With a SKU of this weight and size."""
        return replace(self, skus={**self.skus, code: sku(code, grams, side_mm)})

    def full(self, node_id: str, *days: date) -> World:
        """With a node's capacity used up on some days."""
        return replace(self, capacity_used={**self.capacity_used, **{(node_id, day, ""): 100_000 for day in days}})

    def under(self, **changes: object) -> World:
        """With another policy."""
        return replace(self, policy=changed(self.policy, **changes))

    def carried_by(self, *tariffs: Tariff) -> World:
        """With other carriers."""
        return replace(self, tariffs=tariffs)

    def snapshot(self) -> Snapshot:
        """The world as the planner sees it."""
        return Snapshot(
            taken_at=MONDAY_NOON,
            nodes=self.nodes,
            skus=self.skus,
            available=self.available,
            capacity_used=self.capacity_used,
            tariffs=self.tariffs,
        )

    def demand(self, **units_and_changes: object) -> Demand:
        """An order to Leeds. Capitalised names are lines (`A=2`), the others change the demand."""
        lines = [(name, units) for name, units in units_and_changes.items() if name[0].isupper()]
        changes = {name: value for name, value in units_and_changes.items() if not name[0].isupper()}
        plain = {
            "order_id": "web-1",
            "channel": "web",
            "as_of": MONDAY_NOON,
            "country": "GB",
            "place": LEEDS,
            "shipping_method": ShippingMethod.STANDARD,
            "lines": tuple(
                DemandLine(line_id=str(number), sku=name, quantity=int(str(units)))
                for number, (name, units) in enumerate(lines, start=1)
            ),
        }
        return Demand.model_validate({**plain, **changes})


def decide(world: World, demand: Demand) -> SourcingDecision:
    """Plan under policy version 7, and check that the reasons are sentences."""
    decision = plan(demand, world.snapshot(), world.policy, 7)
    assert 2 <= len(decision.reasons) <= 8
    assert all(sentence[0].isupper() and sentence.endswith(".") for sentence in decision.reasons)
    return decision


def used(decision: SourcingDecision) -> dict[str, dict[str, int]]:
    """Units by SKU by node."""
    return {s.node_id: {line.sku: line.quantity for line in s.lines} for s in decision.shipments}


def waiting(decision: SourcingDecision) -> dict[str, int]:
    """Unfilled units by SKU."""
    return {line.sku: line.quantity for line in decision.unfilled}


def candidate(decision: SourcingDecision, node_id: str) -> Candidate:
    """What was found out about a node."""
    return next(c for c in decision.candidates if c.node_id == node_id)


def failed(decision: SourcingDecision, node_id: str) -> Fence | None:
    """The fence a node failed; None for one that passed them all."""
    fences = candidate(decision, node_id).fences
    assert len(fences) <= 1
    return fences[0].fence if fences else None


def in_full(world: World, demand: Demand) -> dict[str, tuple[FenceResult, ...]]:
    """Every fence of every node, by node id."""
    again = explained(Record(demand, decide(world, demand), world.policy, world.snapshot()))
    return {node.node_id: node.fences for node in again.nodes}


def told(decision: SourcingDecision, *words: str) -> bool:
    """Whether one sentence says all of it."""
    return any(all(word in sentence for word in words) for sentence in decision.reasons)


def heavy_duty(carrier: str = "strong", grams: int = 70_000, price: int = 50_000, **limits: int) -> Tariff:
    """A dear and slow carrier that takes heavy parcels."""
    document = tariff(carrier, factor=3, days=3).model_dump(mode="json")
    for service in document["services"]:
        service.update({"max_parcel_grams": grams, **limits})
        for lane in service["lanes"]:
            lane["breaks"].append([grams, price])
    return Tariff.model_validate(document)
