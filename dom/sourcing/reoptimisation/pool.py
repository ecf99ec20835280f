"""What the orders of a re-optimisation share: what is free, and what they hold themselves."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dom.network import Node, ShippingMethod
from dom.sourcing.models import PlannedShipment, Snapshot
from dom.sourcing.reoptimisation.models import Balance, Day, Unbegun, taken


@dataclass(frozen=True, slots=True)
class Use:
    """What an order takes of the pool."""

    units: Mapping[Balance, int]
    days: Mapping[Day, int]

    @classmethod
    def of(cls, shipments: Iterable[PlannedShipment]) -> "Use":
        """What these shipments take."""
        return cls(*taken(shipments))


class Pool:
    """`worlds` are snapshots by channel, of one moment: what the orders hold is not free in them.

    A channel that may not have all that is free of a balance may have, of what orders hold there, what its own hold.
    """

    def __init__(self, worlds: Mapping[str, Snapshot], orders: Iterable[Unbegun]) -> None:
        self._worlds = worlds
        self._free: dict[Balance, int] = {}
        for world in worlds.values():
            for balance, units in world.available.items():
                self._free[balance] = max(self._free.get(balance, 0), units)
        world = next(iter(worlds.values()))
        self._nodes: dict[str, Node] = {node.id: node for node in world.nodes}
        self._used: Mapping[Day, int] = world.capacity_used
        self._channels = {order.order_id: order.demand.channel for order in orders}
        self._held = {order.order_id: Use(order.units, order.days) for order in orders}

    def room(self, uses: Mapping[str, Use]) -> "Room":
        """What is left when these orders have what is named for them; what all others hold is free."""
        return Room(self, uses)

    def supply(self, channel: str | None = None) -> Counter[Balance]:
        """Units of each balance that the channel's orders hold, or (None) any order, with what is free for them."""
        free = self._free if channel is None else self._worlds[channel].available
        found = Counter(dict(free))
        for order_id, use in self._held.items():
            if channel in {None, self._channels[order_id]}:
                found.update(use.units)
        return found

    def is_limited(self, channel: str, balance: Balance) -> bool:
        """Whether the channel may not have all that is free of a balance."""
        return self._worlds[channel].available.get(balance, 0) < self._free.get(balance, 0)

    def channel_of(self, order_id: str) -> str:
        """The channel an order came by."""
        return self._channels[order_id]

    def capacity(self, day: Day) -> int | None:
        """Places in a node's day for the orders, with those they hold; None where there is no limit."""
        node_id, _, service = day
        node = self._nodes[node_id]
        most = node.service_capacity.get(ShippingMethod(service)) if service else node.daily_capacity
        return None if most is None else most - self.used_by_others(day)

    def used_by_others(self, day: Day) -> int:
        """Places in a node's day that none of the orders holds."""
        return self._used.get(day, 0) - sum([use.days.get(day, 0) for use in self._held.values()])

    def has_free(self, balance: Balance, units: int) -> bool:
        """Whether so many units of a balance are free as it is, for whichever channel."""
        return all(world.available.get(balance, 0) >= units for world in self._worlds.values())

    def has_places(self, day: Day, places: int) -> bool:
        """Whether a node's day has room for so many as it is."""
        there_is = self.capacity(day)
        held = sum([use.days.get(day, 0) for use in self._held.values()])
        return there_is is None or there_is - held >= places

    def world(self, channel: str) -> Snapshot:
        """The channel's snapshot as it was read."""
        return self._worlds[channel]

    @property
    def days_used(self) -> Counter[Day]:
        """Places in nodes' days that none of the orders holds."""
        found = Counter(dict(self._used))
        for use in self._held.values():
            found.subtract(use.days)
        return found


class Room:
    """What is left of a pool for one more order."""

    def __init__(self, pool: Pool, uses: Mapping[str, Use]) -> None:
        self._pool = pool
        self._left = {channel: pool.supply(channel) for channel in {None, *map(pool.channel_of, uses)}}
        self._days = pool.days_used
        for order_id, use in uses.items():
            self.take(order_id, use)

    def take(self, order_id: str, use: Use, times: int = 1) -> None:
        """An order takes something; `times` -1 gives it back."""
        for key in (None, self._pool.channel_of(order_id)):
            left = self._channel(key)
            for balance, units in use.units.items():
                left[balance] -= units * times
        for day, places in use.days.items():
            self._days[day] += places * times

    def _channel(self, channel: str | None) -> Counter[Balance]:
        if channel not in self._left:
            self._left[channel] = self._pool.supply(channel)
        return self._left[channel]

    def snapshot(self, order: Unbegun) -> Snapshot:
        """The world as the planner may see it for an order: what is left is free."""
        channel = order.demand.channel
        own, everyone = self._channel(channel), self._channel(None)
        skus = {line.sku for line in order.demand.lines}
        available = {
            balance: min(units, own[balance]) if self._pool.is_limited(channel, balance) else units
            for balance, units in everyone.items()
            if balance[1] in skus
        }
        return self._pool.world(channel).model_copy(
            update={
                "taken_at": order.demand.as_of,
                "available": {balance: units for balance, units in sorted(available.items()) if units > 0},
                "capacity_used": {day: used for day, used in self._days.items() if used > 0},
            }
        )
