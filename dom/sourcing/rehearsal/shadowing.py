"""A shadow's decision beside the live one, on the very snapshot the live one was made on."""

from dom.shared.base import Value
from dom.sourcing.models import SourcingDecision
from dom.sourcing.planner import plan
from dom.sourcing.policy.document import Policy
from dom.sourcing.rehearsal.compared import same_plan
from dom.sourcing.rehearsal.recorded import Recorded
from dom.sourcing.rehearsal.walking import DRAFT


class Compared(Value):
    """Both decisions, short. Costs are in minor units, each in its policy's currency and at its own prices.

    `problem` says why the shadow decided nothing; the live decision stands all the same.
    """

    differs: bool
    nodes: tuple[str, ...] = ()
    live_nodes: tuple[str, ...]
    strategy: str = ""
    live_strategy: str
    cost: int = 0
    live_cost: int
    live_currency: str = ""
    unfilled: int = 0
    live_unfilled: int
    problem: str = ""


def shadowed(recorded: Recorded, policy: Policy) -> Compared:
    """What the shadow decides where the live policy decided this. Whatever goes wrong is its own trouble."""
    live = recorded.decision
    known = {
        "live_nodes": _nodes(live),
        "live_strategy": live.strategy,
        "live_cost": live.cost,
        "live_currency": live.currency,
        "live_unfilled": _unfilled(live),
    }
    if recorded.snapshot is None:
        return Compared.model_validate({**known, "differs": False, "problem": "no snapshot was kept"})
    try:
        decision = plan(recorded.demand, recorded.snapshot, policy, DRAFT)
    except Exception as error:  # a draft that cannot decide must not stop the others
        return Compared.model_validate({**known, "differs": True, "problem": f"{type(error).__name__}: {error}"[:300]})
    return Compared.model_validate(
        {
            **known,
            "differs": not same_plan(live, decision),
            "nodes": _nodes(decision),
            "strategy": decision.strategy,
            "cost": decision.cost,
            "unfilled": _unfilled(decision),
        }
    )


def _nodes(decision: SourcingDecision) -> tuple[str, ...]:
    return tuple(shipment.node_id for shipment in decision.shipments)


def _unfilled(decision: SourcingDecision) -> int:
    return sum(line.quantity for line in decision.unfilled)
