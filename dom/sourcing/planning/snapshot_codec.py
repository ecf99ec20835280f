"""A snapshot cut down to what the plan of one order can depend on, to be kept with the decision.

Nodes and tariffs are kept apart, once each, under a digest. Of the rest there is: the order's SKUs, without the texts
only people read; their stock, a list of units for each SKU in the sequence of `nodes`, which are those that hold any;
and those nodes' used capacity on the days that can matter.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Any, Final

from dom.delivery.promise import Calendar, calendar
from dom.delivery.tariffs import Tariff
from dom.network import Node, Sku
from dom.sourcing.constraints.context import OpenDays
from dom.sourcing.models import Snapshot, StockValue

_UNSEEN: Final = {"description", "preorder_limit", "backorder_limit"}
"""Of a SKU, what no plan depends on."""


def pack(snapshot: Snapshot, skus: Collection[str], as_of: datetime | None = None) -> dict[str, Any]:
    """What the planner saw of the SKUs, as JSON data; without `as_of`, the demand's is when the snapshot was taken."""
    holders = sorted({node for (node, sku), units in snapshot.available.items() if sku in skus and units > 0})
    available = snapshot.available
    values: dict[str, dict[str, Any]] = {}
    for (node, sku), value in sorted(snapshot.values.items()):
        if sku in skus:
            values.setdefault(sku, {})[node] = value.model_dump(mode="json", exclude_defaults=True)
    return {
        "taken_at": snapshot.taken_at.isoformat(),
        "skus": [
            snapshot.skus[sku].model_dump(mode="json", exclude_defaults=True, exclude=_UNSEEN) for sku in sorted(skus)
        ],
        "nodes": holders,
        "available": {sku: [max(0, available.get((node, sku), 0)) for node in holders] for sku in sorted(skus)},
        "capacity_used": _used(snapshot, set(holders), as_of or snapshot.taken_at),
        **({"values": values} if values else {}),
    }


def unpack(seen: dict[str, Any], nodes: Iterable[Node], tariffs: Iterable[Tariff]) -> Snapshot:
    """The snapshot the planner saw, with the network of its digest."""
    return Snapshot(
        taken_at=datetime.fromisoformat(seen["taken_at"]),
        nodes=tuple(nodes),
        tariffs=tuple(tariffs),
        skus={document["id"]: Sku.model_validate(document) for document in seen["skus"]},
        available={
            (node, sku): units
            for sku, held in seen["available"].items()
            for node, units in zip(seen["nodes"], held, strict=True)
            if units
        },
        capacity_used={(node, day, service): used for node, day, service, used in packed_capacity(seen) if used},
        values={
            (node, sku): StockValue.model_validate(value)
            for sku, held in seen.get("values", {}).items()
            for node, value in held.items()
        },
    )


def packed_capacity(seen: dict[str, Any]) -> Iterator[tuple[str, date, str, int]]:
    """The used capacity of a kept snapshot: node, day, service, and how much."""
    first = date.fromisoformat(seen["capacity_used"]["from"])
    for node, by_service in seen["capacity_used"]["nodes"].items():
        for service, counts in by_service.items():
            for ahead, used in enumerate(counts):
                yield node, first + timedelta(days=ahead), service, used


def _used(snapshot: Snapshot, holders: Collection[str], as_of: datetime) -> dict[str, Any]:
    """The used capacity of these nodes, from the day of the order up to the first day on which none is used yet.

    A node's work is put on the first day that the fences let it have. They let it have a day of which nothing is used,
    or none at all: what stands after that day is never looked at. Kept as a count a day, by node and service.
    """
    first = as_of.date() - timedelta(days=1)
    by_node: defaultdict[str, list[tuple[date, str, int]]] = defaultdict(list)
    for (node_id, day, service), used in snapshot.capacity_used.items():
        if node_id in holders and used and day >= first:
            by_node[node_id].append((day, service, used))
    calendars: dict[Calendar, OpenDays] = {}
    kept: dict[str, dict[str, list[int]]] = {}
    for node in snapshot.nodes:
        taken = by_node.get(node.id)
        if not taken:
            continue
        key = calendar(node)
        if key not in calendars:
            calendars[key] = OpenDays(node, as_of)
        free, today = (
            calendars[key].first({day for day, _, _ in taken}.__contains__),
            as_of.astimezone(node.zone).date(),
        )
        by_service: dict[str, list[int]] = {}
        for day, service, used in sorted(taken):
            if today <= day and (free is None or day < free.day):
                counts = by_service.setdefault(service, [])
                counts += [0] * ((day - first).days - len(counts))
                counts.append(used)
        if by_service:
            kept[node.id] = by_service
    return {"from": first.isoformat(), "nodes": dict(sorted(kept.items()))}
