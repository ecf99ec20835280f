"""The planner: an order, the world and a policy in; a sourcing plan with its reasons out.

A pure function. The strategies of the policy are tried in order, each by
`dom.sourcing.planning.candidate_plan`; where one leaves something open, it says itself what follows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from dom.sourcing.models import PLANNER, Attempt, Demand, Outcome, Snapshot, SourcingDecision
from dom.sourcing.planning.candidate_plan import CandidatePlan, draft
from dom.sourcing.planning.matching import MatchSubject, mismatch
from dom.sourcing.planning.ruled_out import ruled_out
from dom.sourcing.policy.document import Fence, LeftOver, OnNone, OnPartial, Policy, Strategy, Then
from dom.sourcing.policy.strategy import Rules
from dom.sourcing.reasons.kept import candidates, others, passed_over, runner_up
from dom.sourcing.reasons.sentences import reasons, unmatched
from dom.stock.atp import next_release


def plan(demand: Demand, snapshot: Snapshot, policy: Policy, policy_version: int) -> SourcingDecision:
    """Decide which node ships which units of the demand.

    Of the strategies that are tried, the plan that fills most units counts; of equal ones, the first. The order of
    nodes, tariffs and stock in the snapshot plays no part. UnknownSku if the snapshot's catalogue lacks a SKU of the
    demand.
    """
    trial = _Trial(demand, snapshot, policy)
    then = trial.run()
    best = trial.best
    if best is None:
        return _unmatched(demand, snapshot, policy, policy_version, trial.passed_over)
    outcome, ships = _outcome(best, then)
    unfilled = best.unfilled if ships else demand.lines
    shown = best if ships else None
    decision = SourcingDecision(
        order_id=demand.order_id,
        policy_version=policy_version,
        decided_at=snapshot.taken_at,
        currency=policy.currency,
        shipments=shown.shipments if shown else (),
        unfilled=unfilled,
        candidates=candidates(best),
        runner_up=runner_up(best) if shown else None,
        exact=best.found.exact,
        gap=best.found.gap,
        plans_compared=best.found.compared,
        reasons=(),
        next_release=_next_release({line.sku for line in unfilled}, demand, snapshot),
        strategy=best.rules.strategy.name,
        relaxed=tuple(sorted(best.rules.relaxed)),
        tried=tuple(trial.tried),
        outcome=outcome,
        retry=best.rules.strategy.retry,
        others=others(best),
        passed_over=passed_over(best, snapshot.skus) if shown else (),
        ruled_out=ruled_out(trial.drafts, unfilled),
        planner=PLANNER,
    )
    return decision.model_copy(update={"reasons": (*reasons(decision, best), *trial.passed_over)})


def drafts_of_nothing(demand: Demand, snapshot: Snapshot, policy: Policy) -> list[CandidatePlan]:
    """What would be tried for the demand, by every strategy that is for it, if no node held anything."""
    trial = _Trial(demand, snapshot.model_copy(update={"available": {}}), policy)
    trial.run()
    return trial.drafts


@dataclass(slots=True)
class _Trial:
    """The strategies being tried: the best draft so far, and what was tried.

    `passed_over` says in sentences of which strategies it could not be found out whether they are for the order.
    """

    demand: Demand
    snapshot: Snapshot
    policy: Policy
    best: CandidatePlan | None = None
    tried: list[Attempt] = field(default_factory=list)
    drafts: list[CandidatePlan] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)

    def run(self) -> Then:
        """Try one strategy after the other, until one has the last word; answers what it says."""
        subject = MatchSubject(self.demand, self.snapshot.skus, self.policy)
        position: int | None = 0
        seen: set[int] = set()
        while position is not None and position not in seen:
            seen.add(position)
            strategy = self.policy.strategies[position]
            jump = None
            other = mismatch(strategy.match, subject)
            if other:
                self.passed_over.append(f"The rules “{strategy.name}” were passed over: {other}.")
            if other is None:
                follows = self._try(strategy)
                if follows is None or follows.then is not Then.NEXT_STRATEGY:
                    return Then.SHIP_AVAILABLE if follows is None else follows.then
                jump = follows.strategy
            position = self.policy.after(position, jump)
        return Then.SHIP_AVAILABLE

    def _try(self, strategy: Strategy) -> OnPartial | OnNone | None:
        """Try a strategy, giving up its fences as it says; answers what follows, None if nothing is left open."""
        found = self._drafted(Rules(self.policy, strategy))
        follows: OnPartial | OnNone = strategy.on_partial if found.filled else strategy.on_none
        given_up: frozenset[Fence] = frozenset()
        for fence in follows.relax if found.unfilled else ():
            given_up |= {fence}
            again = self._drafted(Rules(self.policy, strategy, given_up))
            if again.filled > found.filled:
                found = again
            if not found.unfilled:
                break
        if not found.unfilled:
            return None
        return strategy.on_partial if found.filled else strategy.on_none

    def _drafted(self, rules: Rules) -> CandidatePlan:
        made = draft(self.demand, self.snapshot, rules)
        self.tried.append(
            Attempt(
                strategy=rules.strategy.name,
                relaxed=tuple(sorted(rules.relaxed)),
                filled=made.filled,
                cost=sum([shipment.cost for shipment in made.shipments]),
            )
        )
        self.drafts.append(made)
        if self.best is None or made.filled > self.best.filled:
            self.best = made
        return made


def _outcome(best: CandidatePlan, then: Then) -> tuple[Outcome, bool]:
    """What comes of the draft, and whether its shipments go."""
    if not best.unfilled:
        return Outcome.PLANNED, True
    whole = best.demand.ship_complete or best.rules.split.left_over is LeftOver.ORDER
    ships = bool(best.shipments) and not whole
    match then:
        case Then.QUEUE:
            return Outcome.QUEUED, False
        case Then.CANCEL:
            return Outcome.CANCELLED, ships
        case Then.SHIP_AVAILABLE:
            return (Outcome.PART_PLANNED if ships else Outcome.WAITS), ships
        case _:
            return Outcome.WAITS, False


def _unmatched(
    demand: Demand, world: Snapshot, policy: Policy, policy_version: int, passed_over: Sequence[str]
) -> SourcingDecision:
    return SourcingDecision(
        order_id=demand.order_id,
        policy_version=policy_version,
        decided_at=world.taken_at,
        currency=policy.currency,
        shipments=(),
        unfilled=demand.lines,
        candidates=(),
        runner_up=None,
        exact=True,
        plans_compared=0,
        reasons=(*unmatched(demand), *passed_over),
        outcome=Outcome.QUEUED,
        planner=PLANNER,
    )


def _next_release(waiting: set[str], demand: Demand, world: Snapshot) -> datetime | None:
    return next_release([world.skus[sku] for sku in sorted(waiting)], world.nodes, demand.as_of)
