"""What stock must do, in plain Python: one shelf at a time, no SQL, no locks. The store is held against it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from store.stock import Reserved, WorkDay
from store.stock.soft import ReservationVerdict, SoftRequest

Row = tuple[str, str]
"""Node and SKU."""


@dataclass(frozen=True)
class Rule:
    """What a channel may have of a balance."""

    buffer: int = 0
    share: int = 100
    excluded: bool = False


@dataclass
class Balance:
    """The quantities of a node and SKU; `soft` includes what lapsed and was not reclaimed."""

    on_hand: int = 0
    damaged: int = 0
    quarantine: int = 0
    reserved: int = 0
    soft: int = 0
    safety: int = 0
    promise_safety: int = 0
    moved: int = 0
    """What moved on hand so far, counts aside."""
    counted: bool = False
    """Whether it was counted after all that moved in the past."""

    @property
    def quantities(self) -> list[int]:
        """What the books say of it."""
        return [
            self.on_hand,
            self.damaged,
            self.quarantine,
            self.reserved,
            self.soft,
            self.safety,
            self.promise_safety,
        ]

    @property
    def possible(self) -> bool:
        """Whether the database may keep it."""
        return min(self.damaged, self.quarantine, self.reserved, self.soft, self.safety, self.promise_safety) >= 0 and (
            self.reserved + self.soft <= self.on_hand
        )


@dataclass
class Hold:
    """A soft reservation: whether its header is active, whether its time is past, and the units it has not given up."""

    channel: str
    owner: str
    active: bool = True
    lapsed: bool = False
    units: dict[Row, int] = field(default_factory=dict)


@dataclass
class Firm:
    """What a fulfilment still has reserved, by line."""

    order_id: str
    lines: dict[str, tuple[Row, int]]


@dataclass
class Shelves:
    """All balances and reservations."""

    capacity: int
    express: int
    rules: dict[tuple[str, str, str], Rule] = field(default_factory=dict)
    balances: dict[Row, Balance] = field(default_factory=dict)
    holds: dict[str, Hold] = field(default_factory=dict)
    firm: dict[str, Firm] = field(default_factory=dict)
    days: Counter[tuple[str, date, str]] = field(default_factory=Counter)

    def rule(self, channel: str, row: Row) -> Rule:
        """The most specific rule of the channel for the balance."""
        node, sku = row
        for key in ((sku, node), (sku, ""), ("", node), ("", "")):
            if (channel, *key) in self.rules:
                return self.rules[channel, *key]
        return Rule()

    def allowed(self, channel: str, row: Row, free: int) -> int:
        """Units of `free` the channel may have."""
        rule = self.rule(channel, row)
        return 0 if rule.excluded else max(free - rule.buffer, 0) * rule.share // 100

    def lapsed(self, row: Row) -> int:
        """Units of the balance that lapsed reservations still stand on."""
        return sum(hold.units.get(row, 0) for hold in self.holds.values() if hold.lapsed)

    def free(self, row: Row) -> int:
        """Units nobody holds now, whatever safety says."""
        balance = self.balances[row]
        return balance.on_hand - balance.reserved - balance.soft + self.lapsed(row)

    def available(self, channel: str, row: Row, *, brokering: bool) -> int:
        """What the channel may have of a balance right now."""
        balance = self.balances[row]
        safety = balance.safety if brokering else max(balance.safety, balance.promise_safety)
        return self.allowed(channel, row, self.free(row) - safety)

    def reclaim(self, row: Row) -> None:
        """Takes the lapsed reservations off a balance."""
        self.balances[row].soft -= self.lapsed(row)
        for hold in self.holds.values():
            if hold.lapsed:
                hold.units.pop(row, None)

    def take(self, requests: list[SoftRequest]) -> list[ReservationVerdict]:
        """Soft reservations of one group, one after the other: who stands in front is in the way, taken or not."""
        verdicts: dict[str, ReservationVerdict] = {}
        ahead: Counter[Row] = Counter()
        active = {(hold.channel, hold.owner): key for key, hold in self.holds.items() if hold.active}
        asked: set[tuple[str, str]] = set()
        for request in requests:
            who = (request.channel, request.owner)
            if request.id in self.holds:
                verdicts[request.id] = ReservationVerdict.REPEATED
            elif who in active:
                verdicts[request.id] = ReservationVerdict.OWNER_BUSY
            elif who in asked:
                verdicts[request.id] = ReservationVerdict.CROWDED
            asked.add(who)
        wanted = {request.id: _summed(request) for request in requests}
        for row in {row for units in wanted.values() for row in units} & self.balances.keys():
            self.reclaim(row)
        before = {row: self.free(row) for row in self.balances}
        for request in requests:
            if request.id in verdicts:
                continue
            units = wanted[request.id]
            verdicts[request.id] = self._judge(request, units, before, ahead)
            ahead.update(units)
            if verdicts[request.id] is ReservationVerdict.TAKEN:
                self.holds[request.id] = Hold(request.channel, request.owner, units=dict(units))
                for row, quantity in units.items():
                    self.balances[row].soft += quantity
        return [verdicts[request.id] for request in requests]

    def _judge(
        self, request: SoftRequest, units: Mapping[Row, int], before: Mapping[Row, int], ahead: Mapping[Row, int]
    ) -> ReservationVerdict:
        def fits(in_front: Mapping[Row, int]) -> bool:
            return bool(units) and all(
                row in before
                and quantity
                <= self.allowed(request.channel, row, before[row] - self._safety(row, request) - in_front.get(row, 0))
                for row, quantity in units.items()
            )

        if fits(ahead):
            return ReservationVerdict.TAKEN
        return ReservationVerdict.CROWDED if fits({}) else ReservationVerdict.REFUSED

    def _safety(self, row: Row, request: SoftRequest) -> int:
        balance = self.balances[row]
        return balance.safety if request.brokering else max(balance.safety, balance.promise_safety)

    def let_go(self, hold_id: str) -> dict[Row, int] | None:
        """Gives a soft reservation's units back: those that had not lapsed, or None if it was not active."""
        hold = self.holds[hold_id]
        units = dict(hold.units)
        for row, quantity in units.items():
            self.balances[row].soft -= quantity
        hold.units.clear()
        was, hold.active = hold.active, False
        if not was:
            return None
        return {} if hold.lapsed else units

    def sweep(self, row: Row | None) -> int:
        """Writes down what lapsed, everywhere or of one balance; answers how many units' rows there were."""
        rows = [row] if row else list(self.balances)
        count = sum(1 for hold in self.holds.values() if hold.lapsed for held in hold.units if held in rows)
        for each in rows:
            if each in self.balances:
                self.reclaim(each)
        for hold in self.holds.values():
            hold.active = hold.active and not hold.lapsed
        return count

    def reserve(
        self, channel: str, order_id: str, units: list[Reserved], work: Iterable[WorkDay], owned: Mapping[Row, int]
    ) -> bool:
        """Firm reservation, whole or not at all; what the order has given back for itself is its own."""
        wanted: Counter[Row] = Counter()
        for unit in units:
            wanted[unit.node_id, unit.sku] += unit.quantity
        fits = all(
            row in self.balances and quantity <= max(owned.get(row, 0), self.available(channel, row, brokering=True))
            for row, quantity in wanted.items()
        )
        days = Counter((one.node_id, one.day, "") for one in work)
        days += Counter((one.node_id, one.day, one.service) for one in work if one.service == "express")
        limits = {"": self.capacity, "express": self.express}
        if not fits or any(self.days[day] + more > limits[day[2]] for day, more in days.items()):
            return False
        self.days.update(days)
        for row, quantity in wanted.items():
            self.reclaim(row)
            self.balances[row].reserved += quantity
        lines: defaultdict[str, dict[str, tuple[Row, int]]] = defaultdict(dict)
        for unit in units:
            lines[unit.fulfilment_id][unit.line_id] = ((unit.node_id, unit.sku), unit.quantity)
        self.firm.update({key: Firm(order_id, of_it) for key, of_it in lines.items()})
        return True

    def release(self, fulfilment_id: str, quantities: Mapping[str, int]) -> None:
        """Gives units of a fulfilment's lines back, never more than there are."""
        lines = self.firm[fulfilment_id].lines
        for line, quantity in quantities.items():
            if line in lines:
                row, held = lines.pop(line)
                self.balances[row].reserved -= quantity
                if held > quantity:
                    lines[line] = (row, held - quantity)

    def consume(self, fulfilment_id: str, *, past: bool) -> None:
        """The goods left; in the past: a count that came after it has seen that already."""
        for row, quantity in self.firm[fulfilment_id].lines.values():
            balance = self.balances[row]
            leaving = 0 if past and balance.counted else quantity
            balance.reserved -= quantity
            balance.on_hand -= leaving
            balance.moved -= leaving
        self.firm[fulfilment_id].lines.clear()

    def touch(self, row: Row) -> Balance:
        """A balance that is there from now on, with nothing on it that lapsed."""
        self.balances.setdefault(row, Balance())
        self.reclaim(row)
        return self.balances[row]

    def count(self, row: Row, quantity: int, youngest_first: Iterable[str], *, recent: bool) -> str:
        """A count of now, or of before all that ever moved; answers its outcome."""
        balance = self.touch(row)
        if balance.counted and not recent:
            return "late"
        target = quantity if recent else quantity + balance.moved
        level = max(target, balance.reserved)
        for hold_id in youngest_first:
            if balance.reserved + balance.soft <= level:
                break
            hold = self.holds[hold_id]
            balance.soft -= hold.units.pop(row)
            hold.active = hold.active and bool(hold.units)
        balance.on_hand = level
        if target < balance.reserved:
            return "short"
        balance.counted = recent
        return "applied"


def _summed(request: SoftRequest) -> Counter[Row]:
    units: Counter[Row] = Counter()
    for each in request.units:
        units[each.node_id, each.sku] += each.quantity
    return units
