"""Orders that are to be shipped complete: sourced whole, or not at all."""

from dom.ofl.models import Demand, SourcingDecision


def whole_or_waiting(decision: SourcingDecision, demand: Demand) -> SourcingDecision:
    """The decision if it leaves nothing open; otherwise one by which everything waits, and says why."""
    if not decision.unfilled or not decision.shipments:
        return decision
    missing = sum(line.quantity for line in decision.unfilled)
    asked = sum(line.quantity for line in demand.lines)
    reason = (
        f"The order is to be shipped complete, and {missing} of its {asked} units cannot be sourced with the others "
        "now, so all of it waits."
    )
    return decision.model_copy(
        update={"shipments": (), "unfilled": demand.lines, "runner_up": None, "reasons": (reason,)}
    )
