"""A decision as it is on record, with all it takes to make it again."""

from dataclasses import dataclass

from dom.sourcing.models import Demand, Snapshot, SourcingDecision
from dom.sourcing.planner import plan
from dom.sourcing.planning.candidate_plan import CandidatePlan, draft
from dom.sourcing.policy.document import Costs, Policy, Strategy
from dom.sourcing.policy.strategy import Rules


@dataclass(frozen=True, slots=True)
class Record:
    """What was asked, decided and seen; `snapshot` is None where it was not kept."""

    demand: Demand
    decision: SourcingDecision
    policy: Policy
    snapshot: Snapshot | None

    @property
    def strategy(self) -> Strategy | None:
        """The strategy that was used; None if none was for the order."""
        place = self.policy.position(self.decision.strategy)
        return None if place is None else self.policy.strategies[place]

    def recompute_decision(self, snapshot: Snapshot, costs: Costs | None = None) -> SourcingDecision:
        """The decision made again on a snapshot, with other costs in the strategy that was used."""
        return plan(self.demand, snapshot, self._with(costs), self.decision.policy_version)

    def recompute_plan(self, snapshot: Snapshot) -> CandidatePlan | None:
        """The draft behind the decision; None if no strategy was for the order."""
        if self.strategy is None:
            return None
        return draft(self.demand, snapshot, Rules(self.policy, self.strategy, frozenset(self.decision.relaxed)))

    def _with(self, costs: Costs | None) -> Policy:
        if costs is None or self.strategy is None:
            return self.policy
        changed = self.strategy.model_copy(update={"cost": costs})
        strategies = [changed if each is self.strategy else each for each in self.policy.strategies]
        return self.policy.model_copy(update={"strategies": tuple(strategies)})
