"""How far the draft's world has come away from the recorded one: units and work that only one of the two took.

The recorded snapshots know deliveries, counts and every order as it went; so only the difference has to be kept. It is
zero as long as the draft decides what was decided.
"""

from collections import Counter
from collections.abc import Collection
from datetime import date
from typing import TypeVar

from dom.network import ShippingMethod
from dom.sourcing.models import Snapshot

Balance = tuple[str, str]
"""Node and SKU."""
Key = TypeVar("Key")


class Divergence:
    """What the baseline has taken and the draft has not (positive), or the other way round (negative)."""

    def __init__(self) -> None:
        self.units: Counter[Balance] = Counter()
        self.work: Counter[tuple[str, date, str]] = Counter()

    def move_units(self, node_id: str, sku: str, units: int) -> None:
        """The baseline takes units more than the draft does; negative: fewer."""
        _add(self.units, (node_id, sku), units)

    def move_work(self, node_id: str, day: date, service: ShippingMethod, count: int) -> None:
        """The baseline takes a place in a node's day, its own of the service and the day's as a whole."""
        for kind in ("", service.value):
            _add(self.work, (node_id, day, kind), count)

    def seen_by_draft(self, snapshot: Snapshot, skus: Collection[str]) -> Snapshot:
        """The recorded snapshot as the draft's world has it: never below zero, and otherwise as it was."""
        units = {(node, sku): more for (node, sku), more in self.units.items() if sku in skus}
        if not units and not self.work:
            return snapshot
        available = dict(snapshot.available)
        for balance, more in units.items():
            available[balance] = max(0, available.get(balance, 0) + more)
        used = dict(snapshot.capacity_used)
        for key, fewer in self.work.items():
            used[key] = max(0, used.get(key, 0) - fewer)
        return snapshot.model_copy(update={"available": available, "capacity_used": used})


def _add(counter: Counter[Key], key: Key, by: int) -> None:
    """Add; what comes to zero is forgotten."""
    counter[key] += by
    if not counter[key]:
        del counter[key]
