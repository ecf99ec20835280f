"""The sourcing question stripped to numbers: items wanted, sources that hold them, and plans that answer it.

The rules of a plan, over and above the fences:

- It uses at most `maximum_shipments` sources, and each of them gives something.
- It leaves nothing out that its sources together could give.
- An item goes whole from one source wherever one of the plan's sources holds it whole. Only otherwise do its units
  part: then one source after the other gives all it has of the item, up to what is wanted.
- What a source gives is worth at least the source's `minimum_value`; in a plan with more than one shipment, each is
  worth at least the problem's `minimum_value` and holds at least `minimum_units` pieces.
- A source that is `alone_only` is the plan's only one, and the plan leaves out nothing that is wanted.

Of all such plans the one that fills most pieces is the best: where a minimum rules out the sources that would fill
most, one that fills less is right. Of these the cheapest is the best, then the one with the least tie-breaks, compared
one after the other, then the one with fewer shipments, then the first by node ids.

A plan costs, for each shipment, what its source's tally asks for the load and what the source asks for each unit; and
the split penalty for each shipment beyond the first.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from dom.sourcing.costs import CostTally, Load


class Item(NamedTuple):
    """What is wanted of one SKU, or of a group that ships together: no more units than the sources hold together.

    Grams, mm3 and value (minor units of the policy's currency) are of one unit, which is made of `pieces` units of
    goods: 1, but for a group, of which one unit is wanted that is all of its goods.
    """

    sku: str
    units: int
    grams: int
    mm3: int
    value: int = 0
    pieces: int = 1


@dataclass(frozen=True, slots=True)
class Source:
    """A node that passed every fence: what it holds of each item, up to what is wanted, and what its use costs."""

    node_id: str
    stock: tuple[int, ...]
    whole: int
    """Bit i is set where the source holds item i whole."""
    all_it_holds: Load
    tally: CostTally
    unit_costs: tuple[int, ...] = ()
    """What one unit of each item costs besides freight, in minor units; below zero where the policy favours it."""
    ties: tuple[int, ...] = ()
    """What a shipment from here adds to each of the tie-breaks, the lower the better, in the policy's order."""
    minimum_value: int = 0
    """A shipment from here must be worth that much."""
    alone_only: bool = False
    """It takes part only as the only source of a plan that leaves nothing out."""


class Share(NamedTuple):
    """What one source gives in a plan: units of each item, in the order of the problem's items."""

    source: int
    units: tuple[int, ...]


class SolverPlan(NamedTuple):
    """An answer; plans are compared as tuples, and the least is the best."""

    short: int
    """Pieces left out of those that the sources together hold."""
    cost: int
    ties: tuple[int, ...]
    shipments: int
    node_ids: tuple[str, ...]
    shares: tuple[Share, ...]


@dataclass(frozen=True, slots=True)
class SolverProblem:
    """Items, sources in the order of their node ids, and what the policy says of splitting."""

    items: tuple[Item, ...]
    sources: tuple[Source, ...]
    maximum_shipments: int
    split_penalty: int
    units: int
    """All pieces of the items: what can be filled if the number of shipments does not matter."""
    minimum_value: int = 0
    """What each shipment of a plan with more than one must be worth."""
    minimum_units: int = 0
    """How many pieces each shipment of a plan with more than one must hold."""


def source(
    node_id: str,
    stock: Iterable[int],
    tally: CostTally,
    items: tuple[Item, ...],
    *,
    unit_costs: tuple[int, ...] = (),
    ties: tuple[int, ...] = (),
    minimum_value: int = 0,
    alone_only: bool = False,
) -> Source:
    """A source with its stock cut to what is wanted; without unit costs, one whose units cost nothing."""
    held = tuple([min(item.units, have) for have, item in zip(stock, items, strict=True)])
    whole = sum([1 << i for i, (have, item) in enumerate(zip(held, items, strict=True)) if have == item.units])
    costs = unit_costs or (0,) * len(items)
    return Source(node_id, held, whole, load_of(held, items), tally, costs, ties, minimum_value, alone_only)


def load_of(units: Iterable[int], items: tuple[Item, ...]) -> Load:
    """The load that so many units of each item make; its units are pieces."""
    count = grams = mm3 = 0
    for given, item in zip(units, items, strict=True):
        if given:
            count += given * item.pieces
            grams += given * item.grams
            mm3 += given * item.mm3
    return Load(count, grams, mm3)


def wanted_pieces(problem: SolverProblem) -> int:
    """All pieces that the sources together hold of what is wanted."""
    return sum([item.units * item.pieces for item in problem.items])


def alone(problem: SolverProblem, index: int) -> SolverPlan:
    """The plan in which one source gives all it holds of what is wanted, whether the minimums allow it or not."""
    return plan_of(problem, (Share(index, problem.sources[index].stock),))


def plan_of(problem: SolverProblem, shares: Iterable[Share]) -> SolverPlan:
    """The plan that these shares make."""
    parts = tuple(shares)
    givers = [problem.sources[part.source] for part in parts]
    loads = [load_of(part.units, problem.items) for part in parts]
    cost = problem.split_penalty * (len(parts) - 1)
    for part, giver, load in zip(parts, givers, loads, strict=True):
        cost += giver.tally.fixed + giver.tally.freight(load.grams, load.mm3)
        cost += sum([units * each for units, each in zip(part.units, giver.unit_costs, strict=True)])
    return SolverPlan(
        short=wanted_pieces(problem) - sum([load.units for load in loads]),
        cost=cost,
        ties=tuple([sum(column) for column in zip(*[giver.ties for giver in givers], strict=True)]),
        shipments=len(parts),
        node_ids=tuple([giver.node_id for giver in givers]),
        shares=parts,
    )


def has_minimums(problem: SolverProblem) -> bool:
    """Whether a shipment can be too small."""
    return bool(
        problem.minimum_value or problem.minimum_units or any(source.minimum_value for source in problem.sources)
    )


def is_large_enough(problem: SolverProblem, plan: SolverPlan) -> bool:
    """Whether each shipment of the plan reaches the minimums that hold for it."""
    parted = len(plan.shares) > 1
    for share in plan.shares:
        value = sum([units * item.value for units, item in zip(share.units, problem.items, strict=True)])
        if value < problem.sources[share.source].minimum_value:
            return False
        if parted and value < problem.minimum_value:
            return False
        if parted and load_of(share.units, problem.items).units < problem.minimum_units:
            return False
    return True
