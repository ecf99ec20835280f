"""The sourcing question stripped to numbers: items wanted, sources that hold them, and plans that answer it.

The rules of a plan, over and above the fences:

- It uses at most `maximum_shipments` sources, and each of them gives something.
- It leaves nothing out that its sources together could give.
- An item goes whole from one source wherever one of the plan's sources holds it whole. Only otherwise do its units
  part: then one source after the other gives all it has of the item, up to what is wanted.

Of all such plans the one that fills most units is the best, of these the cheapest, of these the one with fewer
shipments, of these the first by node ids.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from dom.ofl.costs import Load, Tally


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
    tally: Tally
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


class Plan(NamedTuple):
    """An answer; plans are compared as tuples, and the least is the best."""

    short: int
    """Units left out of those that the sources together hold."""
    cost: int
    shipments: int
    node_ids: tuple[str, ...]
    shares: tuple[Share, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """Items, sources in the order of their node ids, and what the policy says of splitting."""

    items: tuple[Item, ...]
    sources: tuple[Source, ...]
    maximum_shipments: int
    split_penalty: int
    units: int
    """All units of the items: what can be filled if the number of shipments does not matter."""
    minimum_value: int = 0
    """What each shipment of a plan with more than one must be worth."""
    minimum_units: int = 0
    """How many pieces each shipment of a plan with more than one must hold."""


def source(node_id: str, stock: Iterable[int], tally: Tally, items: tuple[Item, ...]) -> Source:
    """A source with its stock cut to what is wanted."""
    held = tuple([min(item.units, have) for have, item in zip(stock, items, strict=True)])
    whole = sum([1 << i for i, (have, item) in enumerate(zip(held, items, strict=True)) if have == item.units])
    return Source(node_id, held, whole, load_of(held, items), tally)


def load_of(units: Iterable[int], items: tuple[Item, ...]) -> Load:
    """The load that so many units of each item make."""
    count = grams = mm3 = 0
    for given, item in zip(units, items, strict=True):
        if given:
            count += given
            grams += given * item.grams
            mm3 += given * item.mm3
    return Load(count, grams, mm3)


def alone(problem: Problem, index: int) -> Plan:
    """The plan in which one source gives all it holds of what is wanted."""
    own = problem.sources[index]
    load = own.all_it_holds
    cost = own.tally.total(*load)
    return Plan(problem.units - load.units, cost, 1, (own.node_id,), (Share(index, own.stock),))


def plan_of(problem: Problem, shares: Iterable[Share]) -> Plan:
    """The plan that these shares make."""
    parts = tuple(shares)
    loads = [load_of(part.units, problem.items) for part in parts]
    cost = sum([problem.sources[part.source].tally.total(*load) for part, load in zip(parts, loads, strict=True)])
    return Plan(
        short=problem.units - sum([load.units for load in loads]),
        cost=cost + problem.split_penalty * (len(parts) - 1),
        shipments=len(parts),
        node_ids=tuple([problem.sources[part.source].node_id for part in parts]),
        shares=parts,
    )
