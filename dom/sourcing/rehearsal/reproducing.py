"""A recorded decision made again, on what the planner saw then, under the policy version it used."""

from enum import StrEnum

from dom.orders.status import SourcingCause
from dom.shared.base import Value
from dom.sourcing.models import SourcingDecision
from dom.sourcing.planner import plan
from dom.sourcing.policy.document import Policy
from dom.sourcing.rehearsal.compared import explanation_differences, plan_differences
from dom.sourcing.rehearsal.recorded import Recorded


class Verdict(StrEnum):
    """What came of making a decision again."""

    SAME = "same"
    """The same plan, at the same cost, with the same explanation."""
    EXPLAINED_OTHERWISE = "explained_otherwise"
    """The same plan at the same cost; the explanation is another."""
    DIFFERENT = "different"
    """Another plan or another cost, though everything the planner read is the same."""
    PLANNER_CHANGED = "planner_changed"
    """Another plan or another cost; another version of the planner made it."""
    CUT_SHORT = "cut_short"
    """Another plan; one of the searches was ended by its time limit."""
    REOPTIMISED = "reoptimised"
    """Another plan; a re-optimisation chose it together with the plans of other orders."""
    NO_SNAPSHOT = "no_snapshot"
    """What the planner saw was not kept."""
    POLICY_NOT_FOUND = "policy_not_found"
    """The policy version is not there, or cannot be read any more."""


WHY: dict[Verdict, str] = {
    Verdict.SAME: "made again, the decision is the same",
    Verdict.EXPLAINED_OTHERWISE: "the plan is the same; its explanation, or how far it is proven, reads otherwise",
    Verdict.DIFFERENT: "all the planner read is the same: this is a fault in the planner or in what is recorded",
    Verdict.PLANNER_CHANGED: "another version of the planner made the decision",
    Verdict.CUT_SHORT: "the search was ended by its time limit, and how far it gets depends on the machine",
    Verdict.REOPTIMISED: "a re-optimisation chose it together with other orders' plans, not for the order alone",
    Verdict.NO_SNAPSHOT: "what its planner saw was not kept, or not in a form this release reads",
    Verdict.POLICY_NOT_FOUND: "the policy version it used is not there, or cannot be read by this release",
}
"""What each verdict means, in words."""


class Reproduced(Value):
    """What came of making one decision again; `differences` names what is not the same."""

    order_id: str
    attempt: int
    verdict: Verdict
    differences: tuple[str, ...] = ()


def made_again(recorded: Recorded, policy: Policy | None) -> SourcingDecision | None:
    """The decision as the planner makes it today on what it saw then; None where that is not known."""
    if policy is None or recorded.snapshot is None:
        return None
    return plan(recorded.demand, recorded.snapshot, policy, recorded.policy_version)


def reproduced(recorded: Recorded, policy: Policy | None, again: SourcingDecision | None) -> Reproduced:
    """How the recorded decision compares with the one made again."""
    verdict, differences = _verdict(recorded, policy, again)
    return Reproduced(order_id=recorded.order_id, attempt=recorded.attempt, verdict=verdict, differences=differences)


def _verdict(
    recorded: Recorded, policy: Policy | None, again: SourcingDecision | None
) -> tuple[Verdict, tuple[str, ...]]:
    if recorded.snapshot is None:
        return Verdict.NO_SNAPSHOT, ()
    if policy is None or again is None:
        return Verdict.POLICY_NOT_FOUND, ()
    was = recorded.decision
    if differences := plan_differences(was, again):
        return _cause(recorded, again), differences
    if told := explanation_differences(was, again):
        return Verdict.EXPLAINED_OTHERWISE, told
    return Verdict.SAME, ()


def _cause(recorded: Recorded, again: SourcingDecision) -> Verdict:
    """Why a plan is not the one that was recorded."""
    was = recorded.decision
    if recorded.cause == SourcingCause.REOPTIMISED:
        return Verdict.REOPTIMISED
    if was.planner != again.planner:
        return Verdict.PLANNER_CHANGED
    return Verdict.DIFFERENT if was.exact and again.exact else Verdict.CUT_SHORT
