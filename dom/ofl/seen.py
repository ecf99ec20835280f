"""A snapshot cut down to what the plan of one order can depend on, to be kept with the decision.

Nodes and tariffs are kept apart, once each, under a digest. Keys are node ids and SKUs; what is zero is left out.
"""

from collections.abc import Collection, Iterable
from datetime import date, datetime
from typing import Any

from dom.network import Node, Sku
from dom.ofl.models import Snapshot, StockValue
from dom.tariffs import Tariff


def as_seen(snapshot: Snapshot, skus: Collection[str]) -> dict[str, Any]:
    """What the planner saw of the SKUs, as JSON data."""
    available: dict[str, dict[str, int]] = {}
    for (node, sku), units in sorted(snapshot.available.items()):
        if sku in skus and units:
            available.setdefault(sku, {})[node] = units
    values: dict[str, dict[str, Any]] = {}
    for (node, sku), value in sorted(snapshot.values.items()):
        if sku in skus:
            values.setdefault(sku, {})[node] = value.model_dump(mode="json", exclude_defaults=True)
    used = [[node, day.isoformat(), service, count] for (node, day, service), count in snapshot.capacity_used.items()]
    return {
        "taken_at": snapshot.taken_at.isoformat(),
        "skus": [snapshot.skus[sku].model_dump(mode="json", exclude_defaults=True) for sku in sorted(skus)],
        "available": available,
        "capacity_used": sorted(used),
        **({"values": values} if values else {}),
    }


def seen_again(seen: dict[str, Any], nodes: Iterable[Node], tariffs: Iterable[Tariff]) -> Snapshot:
    """The snapshot the planner saw, with the network of its digest."""
    return Snapshot(
        taken_at=datetime.fromisoformat(seen["taken_at"]),
        nodes=tuple(nodes),
        tariffs=tuple(tariffs),
        skus={document["id"]: Sku.model_validate(document) for document in seen["skus"]},
        available={(node, sku): units for sku, held in seen["available"].items() for node, units in held.items()},
        capacity_used={
            (node, date.fromisoformat(day), service): used for node, day, service, used in seen["capacity_used"]
        },
        values={
            (node, sku): StockValue.model_validate(value)
            for sku, held in seen.get("values", {}).items()
            for node, value in held.items()
        },
    )
