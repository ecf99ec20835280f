"""The walk through the records: every decision made again in the draft's world, in the sequence they were made in.

The draft sees the recorded snapshot, corrected by what it has taken otherwise so far. What happened happens to it too:

- a node that rejected units, or did not find them, fails the draft's units of those lines at that node. Units the draft
  had planned elsewhere are taken to go well, because nothing says otherwise;
- what staff took from a node and had sourced again is taken from it in the draft, too, as far as it is there;
- what the carrier lost is lost for the draft as far as it came from the same node;
- cancelled units are cancelled wherever the draft has them; units given up after waiting only if the draft's wait too;
- a recorded order that tried again does so for the draft: with whatever waits there, beyond what the recorded attempt
  itself left out, and as far as that attempt looked at the SKU's stock. What waits for the draft alone, and was never
  tried again, counts as unfilled;
- what a re-optimisation changed is changed for the draft where the order stood the same, and not at all otherwise.

With the policy that made the decisions the two worlds stay one, and every plan comes out as it was.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from dom.orders.status import SourcingCause
from dom.sourcing.models import Demand, Snapshot, SourcingDecision
from dom.sourcing.planner import plan
from dom.sourcing.policy.document import Policy
from dom.sourcing.rehearsal.allocation import OrderAllocation, Sign
from dom.sourcing.rehearsal.compared import same_plan
from dom.sourcing.rehearsal.divergence import Divergence
from dom.sourcing.rehearsal.pricing import Prices, Scale, costs_of
from dom.sourcing.rehearsal.recorded import Happened, Happening, Recorded
from dom.sourcing.rehearsal.reproducing import Reproduced, Verdict, made_again, reproduced

DRAFT: Final = 0
"""The version a draft's decisions are made under; published ones count from 1."""


@dataclass(frozen=True, slots=True)
class WalkDifference:
    """A decision the draft made otherwise."""

    attempt: int
    cause: str
    baseline: SourcingDecision
    draft: SourcingDecision


@dataclass(slots=True)
class Walked:
    """One order of the walk: what was asked, and where its units stand on both sides."""

    demand: Demand
    baseline: OrderAllocation
    draft: OrderAllocation
    differences: list[WalkDifference] = field(default_factory=list)
    currencies: set[str] = field(default_factory=set)
    """Of the policies that made its recorded decisions."""


class Walk:
    """Rehearses a draft over recorded decisions; without a draft, each decision's own policy version over itself.

    `policies` are the published versions. `verdicts` count what came of making the recorded decisions again, of which
    `reproduced` names those that are not the same; `networks` are the names and daily capacities of the nodes seen.
    """

    def __init__(self, policies: Mapping[int, Policy], draft: Policy | None = None) -> None:
        self.policies = policies
        self._draft = draft
        self.world = Divergence()
        self.orders: dict[str, Walked] = {}
        self.reproduced: list[Reproduced] = []
        self.verdicts: Counter[Verdict] = Counter()
        self.decisions = 0
        self.not_rehearsed = 0
        self.reoptimisations = 0
        self.versions: Counter[int] = Counter()
        self.networks: dict[str, tuple[str, int]] = {}

    def decide(self, recorded: Recorded) -> None:
        """The next decision, on both sides."""
        self.decisions += 1
        self.versions[recorded.policy_version] += 1
        again = self._check(recorded)
        order = self._order(recorded)
        if recorded.policy_version in self.policies:
            order.currencies.add(self.policies[recorded.policy_version].currency)
        if recorded.cause == SourcingCause.REOPTIMISED:
            self._look_again(recorded, order)
            return
        units: Counter[str] = Counter()
        for line in recorded.demand.lines:
            units[line.line_id] += line.quantity
        demand = self._asked(recorded, order, units)
        policy = self.policies.get(recorded.policy_version)
        made = None if demand is None else self._drafted(demand, recorded, policy, again)
        order.baseline.numbered = recorded.first_fulfilment - 1
        order.baseline.take(recorded.decision, self._recorded_prices(recorded, policy))
        if made is None:
            return
        order.draft.take(*made)
        if not same_plan(recorded.decision, made[0]):
            order.differences.append(WalkDifference(recorded.attempt, recorded.cause, recorded.decision, made[0]))

    def happen(self, event: Happened) -> None:
        """Something happened to an order of the walk; other orders' news is not heard."""
        order = self.orders.get(event.order_id)
        if order is None:
            return
        if event.kind in {Happening.CANCELLED, Happening.GIVEN_UP}:
            for side in (order.baseline, order.draft):
                (side.cancel if event.kind is Happening.CANCELLED else side.give_up)(event.lines)
            return
        parcel = order.baseline.parcel(event.fulfilment)
        if parcel is None:
            return
        units, node_id = dict(event.lines or parcel.left), parcel.shipment.node_id
        for side in (order.baseline, order.draft):
            (side.lose if event.kind is Happening.LOST else side.fail)(node_id, units)

    def _look_again(self, recorded: Recorded, order: Walked) -> None:
        """A re-optimisation chose among plans of many orders: it is the draft's too where the order stood the same."""
        self.reoptimisations += 1
        sides = [order.baseline]
        if order.baseline.shape == order.draft.shape:
            sides.append(order.draft)
        units: Counter[str] = Counter()
        for line in recorded.demand.lines:
            units[line.line_id] += line.quantity
        prices = self._recorded_prices(recorded, self.policies.get(recorded.policy_version))
        planned = units - order.baseline.waiting
        order.baseline.numbered = recorded.first_fulfilment - 1
        for side in sides:
            side.call_back(planned)
            side.take(recorded.decision, prices)

    def _check(self, recorded: Recorded) -> SourcingDecision | None:
        policy = self.policies.get(recorded.policy_version)
        again = made_again(recorded, policy)
        found = reproduced(recorded, policy, again)
        self.verdicts[found.verdict] += 1
        if found.verdict is not Verdict.SAME:
            self.reproduced.append(found)
        if recorded.snapshot is not None:
            for node in recorded.snapshot.nodes:
                self.networks[node.id] = (node.name, node.daily_capacity)
        return again

    def _order(self, recorded: Recorded) -> Walked:
        order = self.orders.get(recorded.order_id)
        if order is None:
            order = Walked(
                recorded.demand, OrderAllocation(Sign.BASELINE, self.world), OrderAllocation(Sign.DRAFT, self.world)
            )
            order.baseline.begin(recorded.demand.lines)
            order.draft.begin(recorded.demand.lines)
            self.orders[recorded.order_id] = order
        return order

    def _asked(self, recorded: Recorded, order: Walked, units: Counter[str]) -> Demand | None:
        """What the draft is asked for; None if it has nothing left to plan, or nothing whose stock was recorded."""
        same = order.baseline.shape == order.draft.shape
        planned = units - order.baseline.waiting
        order.baseline.call_back(planned)
        order.draft.call_back(planned)
        if same:
            return recorded.demand
        known = recorded.snapshot.skus if recorded.snapshot else {}
        left_out = order.baseline.waiting - units
        wanted = order.draft.waiting - left_out
        lines = {line.line_id: line for line in (*order.demand.lines, *recorded.demand.lines)}
        asked = tuple(
            lines[line_id].model_copy(update={"quantity": wanted[line_id]})
            for line_id in sorted(wanted, key=_natural)
            if lines[line_id].sku in known
        )
        return recorded.demand.model_copy(update={"lines": asked}) if asked else None

    def _drafted(
        self, demand: Demand, recorded: Recorded, policy: Policy | None, again: SourcingDecision | None
    ) -> tuple[SourcingDecision, list[Prices]]:
        """The draft's decision with its prices; where it cannot be known, the recorded one."""
        draft, snapshot = self._draft or policy, recorded.snapshot
        if snapshot is None or draft is None:
            self.not_rehearsed += 1
            return recorded.decision, self._recorded_prices(recorded, policy)
        seen = self.world.seen_by_draft(snapshot, {line.sku for line in demand.lines})
        if again is not None and draft == policy and seen is snapshot and demand is recorded.demand:
            decision = again
        else:
            decision = plan(demand, seen, draft, DRAFT if self._draft else recorded.policy_version)
        return decision, self._draft_prices(decision, demand, seen, recorded, policy)

    def _recorded_prices(self, recorded: Recorded, policy: Policy | None) -> list[Prices]:
        shipments = recorded.decision.shipments
        if policy is None:
            return [Prices(dict(each.costs), None, None) for each in shipments]
        return _scale(policy, recorded, recorded.demand, recorded.snapshot).as_planned(shipments)

    def _draft_prices(
        self, decision: SourcingDecision, demand: Demand, seen: Snapshot, recorded: Recorded, policy: Policy | None
    ) -> list[Prices]:
        if policy is None:
            return [Prices(dict(each.costs), None, None) for each in decision.shipments]
        scale = _scale(policy, recorded, demand, seen)
        draft = self._draft or policy
        if _same_money(draft, policy) and costs_of(draft, decision.strategy) == scale.costs:
            return scale.as_planned(decision.shipments)
        if same_plan(recorded.decision, decision):
            was = zip(recorded.decision.shipments, self._recorded_prices(recorded, policy), strict=True)
            priced = {shipment.node_id: prices for shipment, prices in was}
            return [
                Prices(dict(each.costs), priced[each.node_id].at_baseline, priced[each.node_id].money)
                for each in decision.shipments
            ]
        return scale.repriced(decision.shipments)


def _scale(policy: Policy, recorded: Recorded, demand: Demand, seen: Snapshot | None) -> Scale:
    return Scale(policy, costs_of(policy, recorded.decision.strategy), demand, seen)


def _same_money(one: Policy, other: Policy) -> bool:
    """Whether an amount means the same under both."""
    return one.currency == other.currency and one.exchange_rates == other.exchange_rates


def _natural(line_id: str) -> tuple[int, str]:
    return (len(line_id), line_id)
