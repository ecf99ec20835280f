"""Random orders in random networks, under the rates of the sample's carriers.

A tenth of the nodes are distribution centres, a fifth warehouses, the rest stores; most of them stand in the country
the goods go to. How much of the range lies where is drawn anew for each instance, from well stocked to scarce,
so that some orders can go from one node and others cannot go whole at all.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cache
from pathlib import Path
from random import Random

from dom.delivery.tariffs import Tariff
from dom.network import HandlingCost, Node, NodeAddress, NodeKind, ShippingMethod, Sku
from dom.sourcing.models import Demand, DemandLine, Place, Snapshot
from dom.sourcing.policy.document import Policy

AS_OF = datetime(2026, 3, 2, 10, tzinfo=UTC)
TARIFFS = Path("data/sample/tariffs.json")
COUNTRIES = ("GB", "GB", "GB", "GB", "GB", "GB", "GB", "FR", "DE", "NL")
MIDDLE = {"GB": (53.0, -1.5), "FR": (47.5, 2.5), "DE": (51.0, 10.0), "NL": (52.2, 5.3)}
ZONES = {"GB": "Europe/London", "FR": "Europe/Paris", "DE": "Europe/Berlin", "NL": "Europe/Amsterdam"}
CURRENCIES = {"GB": "GBP"}
SHARES = {
    NodeKind.DISTRIBUTION_CENTRE: (0.1, 0.9),
    NodeKind.WAREHOUSE: (0.2, 0.6),
    NodeKind.STORE: (0.7, 0.35),
}
"""Of the nodes, how many are of the kind; and of the range, how much they hold at most."""

POLICY = Policy.model_validate(
    {
        "name": "bench",
        "exchange_rates": {"EUR": 0.86},
        "strategies": [
            {
                "name": "everything",
                "cost": {"split_penalty": 250, "distance_per_100_km": 4, "priority_weight": 2},
                "split": {"maximum_shipments": 3},
            }
        ],
    }
)


@dataclass(frozen=True, slots=True)
class Instance:
    """An order in a world."""

    demand: Demand
    snapshot: Snapshot


@cache
def tariffs() -> tuple[Tariff, ...]:
    """The rates of the sample's carriers."""
    return tuple(Tariff.model_validate(each) for each in json.loads(TARIFFS.read_text()))


def drawn(seed: int, nodes: int, lines: int) -> Instance:
    """One instance; the same for the same seed."""
    random = Random(f"{seed}/{nodes}/{lines}")
    network = [_node(random, number) for number in range(nodes)]
    skus = [_sku(random, number) for number in range(lines)]
    wanted = [random.choice((1, 1, 1, 2, 3, random.randint(4, 8))) for _ in skus]
    plenty = random.uniform(0.35, 1.0)
    available = {
        (node.id, sku.id): units
        for node in network
        for sku, asked in zip(skus, wanted, strict=True)
        if (units := _held(random, SHARES[node.kind][1] * plenty, asked))
    }
    demand = Demand(
        order_id="bench-1",
        channel="web",
        as_of=AS_OF,
        country="GB",
        place=_place(random, "GB"),
        shipping_method=ShippingMethod.STANDARD,
        lines=tuple(
            DemandLine(line_id=str(number), sku=sku.id, quantity=asked, unit_price=random.randint(300, 9_000))
            for number, (sku, asked) in enumerate(zip(skus, wanted, strict=True), 1)
        ),
    )
    used = dict(_used(random, network))
    return Instance(
        demand,
        Snapshot(
            taken_at=AS_OF,
            nodes=tuple(network),
            skus={sku.id: sku for sku in skus},
            available=available,
            capacity_used=used,
            tariffs=tariffs(),
        ),
    )


def _held(random: Random, share: float, asked: int) -> int:
    """Mostly plenty or nothing; now and then a part of what is asked for."""
    if random.random() >= share:
        return 0
    return random.randint(1, asked) if random.random() < 0.3 else asked + random.randint(0, 40)


def _node(random: Random, number: int) -> Node:
    kind = random.choices(list(SHARES), [share for share, _ in SHARES.values()])[0]
    country = random.choice(COUNTRIES)
    place = _place(random, country)
    return Node(
        id=f"n{number:04d}",
        name=f"Node {number}",
        kind=kind,
        address=NodeAddress(lines=("1 Yard",), city="Town", country=country),
        latitude=place.latitude,
        longitude=place.longitude,
        time_zone=ZONES[country],
        opening_hours="Mo-Sa 08:00-18:00",
        cut_off=time(random.randint(11, 17)),
        daily_capacity=200,
        currency=CURRENCIES.get(country, "EUR"),
        handling_cost=HandlingCost(fixed=random.randint(40, 180), per_unit=random.randint(8, 45)),
        priority=random.randint(1, 50),
    )


def _place(random: Random, country: str) -> Place:
    latitude, longitude = MIDDLE[country]
    return Place(latitude=latitude + random.uniform(-2.5, 2.5), longitude=longitude + random.uniform(-2, 2))


def _sku(random: Random, number: int) -> Sku:
    grams = min(9_000, max(60, round(random.lognormvariate(6.2, 1.1))))
    side = round((grams * random.uniform(1_500, 6_000)) ** (1 / 3))
    return Sku(id=f"S{number:02d}", weight_grams=grams, length_mm=side, width_mm=side, height_mm=side)


def _used(random: Random, network: list[Node]) -> Iterator[tuple[tuple[str, date, str], int]]:
    for node in network:
        yield (node.id, AS_OF.date(), ""), random.choice((0, 20, 80, 200))
