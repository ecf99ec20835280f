"""The sweep: many orders' unbegun work, planned anew together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from dom.sourcing.models import Snapshot, SourcingDecision
from dom.sourcing.policy.document import Policy
from dom.sourcing.reoptimisation.choice import choose
from dom.sourcing.reoptimisation.models import Joint, PlannedChange, Unbegun
from dom.sourcing.reoptimisation.options import Option, Options, may_replace
from dom.sourcing.reoptimisation.pool import Pool, Room, Use

T = TypeVar("T")


def sweep(
    orders: Sequence[Unbegun], worlds: Mapping[str, Snapshot], policy: Policy, policy_version: int
) -> tuple[Joint, ...]:
    """The changes worth making, those that depend on each other together; the order of `orders` plays no part.

    `worlds` are snapshots by channel, in which what the orders hold is not free. No change brings anything later than
    `deliver_by`, and each group saves at least `reoptimisation.save_at_least` (and something) for every order in it.
    """
    if not orders:
        return ()
    return _Sweep(sorted(orders, key=lambda order: order.order_id), worlds, policy, policy_version).run()


class _Sweep:
    def __init__(
        self, orders: Sequence[Unbegun], worlds: Mapping[str, Snapshot], policy: Policy, policy_version: int
    ) -> None:
        self._pool = Pool(worlds, orders)
        self._orders = {order.order_id: order for order in orders}
        self._made = Options(policy, policy_version)
        self._toll = max(policy.reoptimisation.save_at_least, 1)
        self._present: dict[str, Option] = {}

    def run(self) -> tuple[Joint, ...]:
        chosen = choose(self._options(), self._pool, self._toll)
        changes = self._planned(chosen)
        joints = [Joint(tuple([changes[order_id] for order_id in group])) for group in self._groups(changes)]
        return tuple([joint for joint in joints if joint.saving >= self._toll * len(joint.changes)])

    def _options(self) -> dict[str, list[Option]]:
        """What each order could have if all others held nothing. Work the policy would not plan so any more stays."""
        everything = self._pool.room({})
        options: dict[str, list[Option]] = {}
        for order_id, order in self._orders.items():
            room = everything.snapshot(order)
            present = self._made.present(order, room)
            if present is not None:
                self._present[order_id] = present
                options[order_id] = self._made.all(order, room, present)
            else:
                everything.take(order_id, Use(order.units, order.days))
        return options

    def _planned(self, chosen: Mapping[str, Option]) -> dict[str, PlannedChange]:
        """Plan the changed orders one after the other on what the choice leaves them: each finds its option or better.

        So every decision is the planner's own answer to the stock as it is for that order.
        """
        uses = {
            order_id: chosen[order_id].use if order_id in chosen else Use(order.units, order.days)
            for order_id, order in self._orders.items()
        }
        room = self._pool.room(uses)
        changes: dict[str, PlannedChange] = {}
        for order_id, option in chosen.items():
            present = self._present[order_id]
            if option is present:
                continue
            order = self._orders[order_id]
            room.take(order_id, option.use, -1)
            found = self._best(order, room, option)
            use = option.use
            if found is not None:
                decision, world = found
                use = Use.of(decision.shipments)
                if use.units != order.units:
                    changes[order_id] = PlannedChange(order, world, decision, present.cost)
            room.take(order_id, use)
        return changes

    def _best(self, order: Unbegun, room: Room, option: Option) -> tuple[SourcingDecision, Snapshot] | None:
        world = room.snapshot(order)
        decision = self._made.best(order, world)
        present = self._present[order.order_id].decision
        if decision is not None and may_replace(decision, present) and decision.cost <= option.cost:
            return decision, world
        decision, world = self._made.of_units(order, world, option)
        return None if decision is None else (decision, world)

    def _groups(self, changes: Mapping[str, PlannedChange]) -> list[list[str]]:
        """The changed orders, together where one takes what is there only because another gives it up."""
        old = {order_id: Use(change.order.units, change.order.days) for order_id, change in changes.items()}
        new = {order_id: Use.of(change.decision.shipments) for order_id, change in changes.items()}
        units = _moves({i: (use.units, new[i].units) for i, use in old.items()})
        days = _moves({i: (use.days, new[i].days) for i, use in old.items()})
        tied = [move.orders for balance, move in units.items() if not self._pool.has_free(balance, move.wanted)]
        tied += [move.orders for day, move in days.items() if not self._pool.has_places(day, move.wanted)]
        leader = {order_id: order_id for order_id in changes}
        for orders in tied:
            _unite(leader, orders)
        groups: dict[str, list[str]] = {}
        for order_id in sorted(changes):
            groups.setdefault(_led_by(leader, order_id), []).append(order_id)
        return list(groups.values())


@dataclass(slots=True)
class _Move:
    """What changes of one thing: how much more of it is wanted by some orders, and all that take or give it."""

    wanted: int = 0
    orders: list[str] = field(default_factory=list)


def _moves(uses: Mapping[str, tuple[Mapping[T, int], Mapping[T, int]]]) -> dict[T, _Move]:
    moves: dict[T, _Move] = {}
    for order_id, (before, after) in uses.items():
        for thing in before.keys() | after.keys():
            more = after.get(thing, 0) - before.get(thing, 0)
            if more:
                move = moves.setdefault(thing, _Move())
                move.wanted += max(more, 0)
                move.orders.append(order_id)
    return moves


def _led_by(leader: dict[str, str], order_id: str) -> str:
    while leader[order_id] != order_id:
        order_id = leader[order_id]
    return order_id


def _unite(leader: dict[str, str], order_ids: Sequence[str]) -> None:
    first = min(_led_by(leader, order_id) for order_id in order_ids)
    for order_id in order_ids:
        leader[_led_by(leader, order_id)] = first
