"""What would have to be otherwise for another plan to be the best: costs and freight.

Each term of a plan's cost grows in proportion with one setting, so two plans cost the same at one value of it. That
value follows from the costs that are kept (`from_record`). A third plan may win before it does: `confirmed` plans the
order again, and finds by bisection the smallest change at which the chosen plan is not chosen any more. The cheapest of
all other plans is a concave function of a setting, the chosen one is a straight line: what has lost stays lost.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import Final

from dom.sourcing.explanation.models import Change, ChangeKind
from dom.sourcing.explanation.record import Record
from dom.sourcing.explanation.settings import SETTINGS, Setting
from dom.sourcing.models import CostTerm, RunnerUp, Snapshot, SourcingDecision
from dom.sourcing.policy.document import Costs
from dom.sourcing.reasons import words

_PUSHES: Final = 6
"""How often a value is pushed further, where rounding keeps the runner-up from winning at once."""

Names = dict[str, str]
"""What nodes are called, by id."""


def from_record(record: Record, names: Names) -> Iterator[Change]:
    """What the kept costs say: freight first, then each setting."""
    decision = record.decision
    if decision.runner_up is None or record.strategy is None:
        return
    yield from _freight(decision, record.strategy.cost, names)
    for setting, now, needed in _settings(decision, decision.runner_up, record.strategy.cost):
        yield _change(setting, now, needed, decision.runner_up.node_ids, decision.currency, names, confirmed=False)


def confirmed(record: Record, snapshot: Snapshot, names: Names) -> Iterator[Change]:
    """The same, each setting tried: its value is the smallest change that makes another plan win."""
    decision = record.decision
    if decision.runner_up is None or record.strategy is None:
        return
    cost = record.strategy.cost
    yield from _freight(decision, cost, names)
    for setting, now, beyond in _settings(decision, decision.runner_up, cost):
        search = _Search(record, snapshot, setting, cost, now)
        needed = search.smallest(beyond)
        if needed is not None:
            winner = tuple(shipment.node_id for shipment in search.plans[needed].shipments)
            yield _change(setting, now, needed, winner, decision.currency, names, confirmed=True)


def _settings(
    decision: SourcingDecision, second: RunnerUp, cost: Costs
) -> Iterator[tuple[Setting, Fraction, Fraction]]:
    """Settings at some value of which the two plans cost the same: each with its value now, and one just beyond."""
    for setting in SETTINGS:
        now = setting.of(cost)
        even = None if now is None else setting.even(decision, second, now)
        if now is not None and even is not None:
            yield setting, now, setting.beyond(even, now)


class _Search:
    """The smallest change of one setting at which the chosen plan is not chosen."""

    def __init__(self, record: Record, snapshot: Snapshot, setting: Setting, costs: Costs, now: Fraction) -> None:
        self.record = record
        self.snapshot = snapshot
        self.setting = setting
        self.costs = costs
        self.now = now
        self.plans: dict[Fraction, SourcingDecision] = {}

    def smallest(self, guess: Fraction) -> Fraction | None:
        """The value nearest to `now` at which another plan wins, near or before `guess`; None if none is found."""
        step = self.setting.step if guess > self.now else -self.setting.step
        lost = guess
        for push in range(_PUSHES):
            if self._loses(lost):
                break
            lost = max(lost + step * 2**push, Fraction(0))
        else:
            return None
        kept = self.now
        while abs(lost - kept) > abs(step):
            middle = kept + step * ((lost - kept) / step // 2)
            if self._loses(middle):
                lost = middle
            else:
                kept = middle
        return lost

    def _loses(self, value: Fraction) -> bool:
        if value not in self.plans:
            self.plans[value] = self.record.recompute_decision(self.snapshot, self.setting.put(self.costs, value))
        return taken(self.plans[value]) != taken(self.record.decision)


def taken(decision: SourcingDecision) -> list[tuple[str, tuple[tuple[str, int], ...]]]:
    """Which units each node gives: what makes a plan this one and not another."""
    return [
        (shipment.node_id, tuple((line.line_id, line.quantity) for line in shipment.lines))
        for shipment in decision.shipments
    ]


def _freight(decision: SourcingDecision, costs: Costs, names: Names) -> Iterator[Change]:
    """By how much the freight of one shipment would have to differ: less for the runner-up, or more for the chosen."""
    second = decision.runner_up
    if second is None or not costs.freight_weight:
        return
    weight = Fraction(str(costs.freight_weight))
    gap = Fraction(second.cost - decision.cost)
    own = {shipment.node_id: shipment.costs.get(CostTerm.FREIGHT, 0) for shipment in decision.shipments}
    for node_id, freight in second.freight.items():
        if node_id not in own and gap < freight:
            yield _freight_change(node_id, freight / weight, (freight - gap) / weight, decision, names)
    for node_id, freight in own.items():
        if node_id not in second.node_ids and freight:
            yield _freight_change(node_id, freight / weight, (freight + gap) / weight, decision, names)


def _freight_change(node_id: str, now: Fraction, needed: Fraction, decision: SourcingDecision, names: Names) -> Change:
    wins = decision.runner_up.node_ids if decision.runner_up else ()
    than = "less" if needed < now else "more"
    limit = words.money(round(needed), decision.currency)
    return Change(
        kind=ChangeKind.FREIGHT,
        node_id=node_id,
        now=round(now),
        needed=round(needed),
        wins=wins,
        confirmed=False,
        sentence=(
            f"{_named(wins, names)} would win if freight from {names.get(node_id, node_id)} were {than} than {limit}; "
            f"it is {words.money(round(now), decision.currency)}."
        ),
    )


def _change(
    setting: Setting,
    now: Fraction,
    needed: Fraction,
    wins: tuple[str, ...],
    currency: str,
    names: Names,
    *,
    confirmed: bool,
) -> Change:
    def said(value: Fraction) -> str:
        return words.money(int(value), currency) if setting.is_money else f"{float(value):g}"

    return Change(
        kind=ChangeKind.SETTING,
        setting=setting.name,
        now=float(now),
        needed=float(needed),
        wins=wins,
        confirmed=confirmed,
        sentence=(
            f"{_named(wins, names)} would win if {setting.says} were {said(needed)} or "
            f"{'less' if needed < now else 'more'}; it is {said(now)}."
        ),
    )


def _named(node_ids: tuple[str, ...], names: Names) -> str:
    return words.listed([names.get(node_id, node_id) for node_id in node_ids])
