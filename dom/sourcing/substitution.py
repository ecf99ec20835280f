"""Which approved substitutes could stand for what is short, and which of the plans with them is the best."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, product
from math import prod
from typing import Final

from dom.network import Sku, Substitute, SubstitutePrice
from dom.sourcing.models import Demand, DemandLine, SourcingDecision

MOST_CHOICES: Final = 64
"""How many choices of substitutes are planned and compared at most; beyond that the least preferred are left out."""
MOST_UNITS: Final = 1_000_000
"""Units that a line can have."""
_PREFIX: Final = 24
"""Characters of a line's id in the id of the line that stands for it; an id has at most 32."""


@dataclass(frozen=True, slots=True)
class Replacement:
    """`units` of a line go as `quantity` of a substitute on a new line, at a price of minor units each. `rank` counts
    from 1, the preferred one.
    """

    line: DemandLine
    line_id: str
    units: int
    substitute: Substitute
    rank: int
    unit_price: int

    @property
    def quantity(self) -> int:
        """Units of the substitute."""
        return self.units * self.substitute.units


Choice = tuple[Replacement, ...]
"""What is replaced at once; the empty one replaces nothing."""


def choices(
    demand: Demand, unfilled: Sequence[DemandLine], skus: Mapping[str, Sku], line_ids: Iterable[str]
) -> list[Choice]:
    """Every choice of at most one substitute for the units short of each line, the empty one first. `skus` has the
    catalogue's entries of all that is named, and a substitute that it does not hold is none; `line_ids` are those that
    the order has.
    """
    taken, asked = set(line_ids), {line.line_id: line for line in demand.lines}
    options = [
        [None, *_of_line(demand, asked[line.line_id], line.quantity, skus, _new_line_id(line.line_id, taken))]
        for line in unfilled
    ]
    while prod(map(len, options)) > MOST_CHOICES:
        max(options, key=len).pop()
    return [tuple(each for each in chosen if each is not None) for chosen in product(*options)]


def with_choice(demand: Demand, choice: Choice) -> Demand:
    """The demand with the substitutes in place of what they stand for."""
    fewer = {each.line.line_id: each.units for each in choice}
    kept = [line.model_copy(update={"quantity": line.quantity - fewer.get(line.line_id, 0)}) for line in demand.lines]
    new = [
        DemandLine(line_id=each.line_id, sku=each.substitute.sku, quantity=each.quantity, unit_price=each.unit_price)
        for each in choice
    ]
    return demand.model_copy(update={"lines": (*(line for line in kept if line.quantity), *new)})


def best(plans: Sequence[tuple[Choice, SourcingDecision]]) -> Choice:
    """The choice after which fewest units of what was ordered wait; of those the one that the customer would prefer,
    then the cheapest. A substitute of which not all units can be sent is not taken.
    """
    return min((plan for plan in plans if _sends_all(*plan)), key=lambda plan: _worse(*plan), default=((), None))[0]


def _worse(choice: Choice, decision: SourcingDecision) -> tuple[int, int, int]:
    return sum(line.quantity for line in decision.unfilled), sum(each.rank for each in choice), decision.cost


def _sends_all(choice: Choice, decision: SourcingDecision) -> bool:
    new = {each.line_id for each in choice}
    return not any(line.line_id in new for line in decision.unfilled)


def _of_line(demand: Demand, line: DemandLine, short: int, skus: Mapping[str, Sku], new: str) -> Iterator[Replacement]:
    """A preorder is not short: nothing stands for it."""
    release_on = skus[line.sku].release_on
    if release_on is not None and demand.as_of.date() < release_on:
        return
    for rank, substitute in enumerate(skus[line.sku].substitutes, 1):
        if substitute.sku in skus and short * substitute.units <= MOST_UNITS:
            price = _unit_price(demand, line, substitute, skus[substitute.sku])
            yield Replacement(line, new, short, substitute, rank, price)


def _new_line_id(line_id: str, taken: set[str]) -> str:
    new = next(each for n in count(1) if (each := f"{line_id[:_PREFIX]}-S{n}") not in taken)
    taken.add(new)
    return new


def _unit_price(demand: Demand, line: DemandLine, substitute: Substitute, sku: Sku) -> int:
    """By the substitute's rule. What does not divide is the customer's: no cent is taken that the rule does not give.
    A list price in another currency than the order's counts for nothing, and the price is kept.
    """
    kept = line.unit_price // substitute.units
    if substitute.price is SubstitutePrice.KEEP or sku.currency != demand.currency:
        return kept
    return sku.list_price if substitute.price is SubstitutePrice.DIFFERENCE else min(kept, sku.list_price)
