"""Which cost setting of the policy stands behind which term, and what another value would make of two plans."""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import Final

from dom.sourcing.models import CostTerm, RunnerUp, SourcingDecision
from dom.sourcing.policy.document import Costs
from dom.sourcing.reasons.kept import by_term

_MOST: Final = 10**9


@dataclass(frozen=True, slots=True)
class Setting:
    """A number of the policy that a cost term grows with; `step` is the finest change that is looked at."""

    name: str
    term: CostTerm
    says: str
    step: Fraction = Fraction(1)
    is_money: bool = True

    def of(self, costs: Costs) -> Fraction | None:
        """Its value; None where the policy does not weigh it."""
        whole = getattr(costs, self.name.partition(".")[0])
        _, _, part = self.name.partition(".")
        value = getattr(whole, part) if part and whole is not None else whole
        return None if value is None else Fraction(str(value))

    def put(self, costs: Costs, value: Fraction) -> Costs:
        """The costs with another value."""
        field, _, part = self.name.partition(".")
        number = int(value) if self.is_money else float(value)
        if part:
            return costs.model_copy(update={field: getattr(costs, field).model_copy(update={part: number})})
        return costs.model_copy(update={field: number})

    def even(self, decision: SourcingDecision, second: RunnerUp, now: Fraction) -> Fraction | None:
        """The value at which the runner-up would cost as much as the plan chosen; None if there is none."""
        slope = self._slope(decision, second, now)
        value = now - Fraction(second.cost - decision.cost) / slope if slope else None
        return value if value is not None and 0 <= value <= _MOST else None

    def beyond(self, even: Fraction, now: Fraction) -> Fraction:
        """The first value past `even`, seen from `now`, that could be written; not below zero."""
        steps = even / self.step
        past = ceil(steps) - 1 if even < now else floor(steps) + 1
        return max(past * self.step, Fraction(0))

    def _slope(self, decision: SourcingDecision, second: RunnerUp, now: Fraction) -> Fraction:
        """How much more the runner-up costs for each unit of the setting."""
        if self.term in {CostTerm.SPLIT, CostTerm.PACKAGING}:
            return Fraction(len(second.node_ids) - len(decision.shipments))
        step = second.costs.get(self.term, 0) - by_term(decision.shipments).get(self.term, 0)
        return Fraction(step) / now if now else Fraction(0)


_FINE: Final = Fraction(1, 100)

SETTINGS: Final = (
    Setting("split_penalty", CostTerm.SPLIT, "the penalty for each further shipment"),
    Setting("lateness_per_day", CostTerm.LATENESS, "the penalty for each day it is late"),
    Setting("distance_per_100_km", CostTerm.DISTANCE, "the price put on 100 km"),
    Setting("priority_weight", CostTerm.PRIORITY, "the price put on a step in the rank of places"),
    Setting("packaging_per_shipment", CostTerm.PACKAGING, "the cost of packaging a shipment"),
    Setting("capacity_balance", CostTerm.CAPACITY, "the price put on a full day"),
    Setting("days_of_supply.per_unit", CostTerm.SUPPLY, "the price put on the last units of a place"),
    Setting("carbon.per_kg", CostTerm.CARBON, "the price of a kilogram of CO2"),
    Setting("freight_weight", CostTerm.FREIGHT, "the weight of freight", _FINE, is_money=False),
    Setting("handling_weight", CostTerm.HANDLING, "the weight of handling", _FINE, is_money=False),
    Setting("opportunity_weight", CostTerm.OPPORTUNITY, "the weight of what stock could earn", _FINE, is_money=False),
    Setting("markdown_weight", CostTerm.MARKDOWN, "the weight of clearing old stock", _FINE, is_money=False),
)
"""Every setting that costs grow with in proportion."""
