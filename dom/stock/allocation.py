"""Who gets what came in: orders that wait keep their place, by priority, then by age.

An order takes what there is for it and goes on waiting for the rest. One that is to be shipped complete takes all it
waits for or nothing, and holds nobody up who stands behind it; but once it has waited longer than `PATIENCE`, what it
needs is allocated to it as it comes, so that a stream of small deliveries cannot pass it by for ever.

What is allocated to an order that still lacks something is dealt out anew each time: two such orders that each hold
what the other lacks would otherwise wait for ever, and a higher priority given later would come to nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from dom.stock import atp

Balance = tuple[str, str]
"""(node, SKU)."""

PATIENCE: Final = timedelta(days=3)
"""How long an order that is to be shipped complete waits before units are allocated to it as they come."""


@dataclass(frozen=True, slots=True)
class Limit:
    """What a channel may have of a balance: `share` percent of what is free beyond `buffer` units."""

    buffer: int = 0
    share: int = 100

    def of(self, free: int) -> int:
        """Units of `free` that the channel may have."""
        return atp.allowed(free, self.buffer, self.share)


NO_LIMIT: Final = Limit()


@dataclass(frozen=True, slots=True)
class WaitingOrder:
    """An order in the queue. A lower `priority` is served first; `since` is when it began to wait, in real time.

    `wanted` are the units it waits for by SKU, `allocated` those of them it has already. It takes nothing from a node
    of `excluded_nodes`, and nothing more from a balance of `declined`, whose units it had and could not use. Of the SKU
    of `claimed` it takes from no other node: it gave its units to another order for goods that are due there.
    """

    order_id: str
    channel: str
    priority: int
    placed_at: datetime
    since: datetime
    wanted: Mapping[str, int]
    ship_complete: bool = False
    pickup_node: str | None = None
    excluded_nodes: frozenset[str] = frozenset()
    declined: frozenset[Balance] = frozenset()
    allocated: Mapping[Balance, int] = field(default_factory=dict)
    claimed: Balance | None = None

    @property
    def place(self) -> tuple[int, datetime, str]:
        """Its place in the queue."""
        return (self.priority, self.placed_at, self.order_id)

    @property
    def is_complete(self) -> bool:
        """Whether all it waits for is allocated to it."""
        return not _missing(self.wanted, self.allocated)

    @property
    def keeps_allocated(self) -> bool:
        """Whether what is allocated to it is its own; if not, it is dealt out anew."""
        return self.is_complete or not self.ship_complete

    def may_use(self, balance: Balance) -> bool:
        """Whether the order can take units from there."""
        node, sku = balance
        if self.claimed is not None and self.claimed[1] == sku and self.claimed != balance:
            return False
        return self.pickup_node in (None, node) and node not in self.excluded_nodes and balance not in self.declined


@dataclass(frozen=True, slots=True)
class Grant:
    """What an order has after a run: all units allocated to it. If it is `ready`, it is to be told to take them."""

    order_id: str
    units: Mapping[Balance, int]
    ready: bool


class Allocation:
    """One run over the queue. `free` is what OFL may take of each balance; `limits` are by channel and balance.

    Orders must be served in the order of their places. What is allocated to orders that do not keep it has to be put
    back first.
    """

    def __init__(
        self,
        free: Mapping[Balance, int],
        limits: Mapping[tuple[str, Balance], Limit],
        now: datetime,
        patience: timedelta = PATIENCE,
    ) -> None:
        self._free: dict[str, dict[str, int]] = {}
        """Units by SKU and node."""
        for (node, sku), units in free.items():
            if units > 0:
                self._free.setdefault(sku, {})[node] = units
        self._limits = limits
        self._impatient_since = now - patience

    @property
    def is_over(self) -> bool:
        """Whether there is nothing left to deal out."""
        return not any(units for nodes in self._free.values() for units in nodes.values())

    def put_back(self, order: WaitingOrder) -> None:
        """What was allocated to an order that does not keep it is free for the run."""
        if not order.keeps_allocated:
            for (node, sku), units in order.allocated.items():
                nodes = self._free.setdefault(sku, {})
                nodes[node] = nodes.get(node, 0) + units

    def serve(self, order: WaitingOrder) -> Grant:
        """What the order has from now on; what it does not get stays for those behind it."""
        held = dict(order.allocated) if order.keeps_allocated else {}
        found = self._found(order, held, _missing(order.wanted, held))
        has = {balance: held.get(balance, 0) + found.get(balance, 0) for balance in held.keys() | found.keys()}
        complete = not _missing(order.wanted, has)
        if order.ship_complete and not complete and order.since > self._impatient_since:
            return Grant(order.order_id, {}, ready=False)
        for (node, sku), units in found.items():
            self._free[sku][node] -= units
        return Grant(order.order_id, has, ready=bool(has) and (complete or not order.ship_complete))

    def _found(self, order: WaitingOrder, held: Mapping[Balance, int], missing: dict[str, int]) -> dict[Balance, int]:
        """Units for what is missing, from as few nodes as a greedy choice gives: each time from the one with most."""
        rooms: dict[str, dict[str, int]] = {}
        for sku in missing:
            for node, free in self._free.get(sku, {}).items():
                balance = (node, sku)
                if free and order.may_use(balance):
                    room = self._room(order.channel, balance, free, held.get(balance, 0))
                    if room > 0:
                        rooms.setdefault(node, {})[sku] = room
        found: dict[Balance, int] = {}
        while rooms and missing:
            node = min(rooms, key=lambda node: (-_gives(rooms[node], missing), node))
            for sku, room in sorted(rooms.pop(node).items()):
                units = min(room, missing.get(sku, 0))
                if units:
                    found[node, sku] = units
                    missing[sku] -= units
                    if not missing[sku]:
                        del missing[sku]
        return found

    def _room(self, channel: str, balance: Balance, free: int, own: int) -> int:
        """Units of a balance the order may have beyond its own; its own are free to it, as they are when it plans."""
        return min(free, self._limits.get((channel, balance), NO_LIMIT).of(free + own) - own)


def _missing(wanted: Mapping[str, int], has: Mapping[Balance, int]) -> dict[str, int]:
    missing = dict(wanted)
    for (_, sku), units in has.items():
        missing[sku] = missing.get(sku, 0) - units
    return {sku: units for sku, units in missing.items() if units > 0}


def _gives(rooms: Mapping[str, int], missing: Mapping[str, int]) -> int:
    return sum(min(room, missing.get(sku, 0)) for sku, room in rooms.items())
