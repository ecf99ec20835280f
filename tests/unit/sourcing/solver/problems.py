"""Sourcing problems nobody thought of, and a solver that tries everything."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import combinations, permutations, product

from hypothesis import strategies as st

from dom.delivery.tariffs import Rate
from dom.orders.order import Promise
from dom.sourcing.costs import CostTally, Offer, PricedLane
from dom.sourcing.solver.problem import Item, Share, SolverPlan, SolverProblem, Source, is_large_enough, plan_of, source

PROMISE = Promise(earliest=datetime(2026, 3, 4, 8, tzinfo=UTC), latest=datetime(2026, 3, 4, 20, tzinfo=UTC))
LIMITS = (500, 1_000, 2_000, 5_000, 8_000)
HEAVIEST = 6_000


def offer(prices: tuple[int, ...] = (300, 350, 420, 600, 900), divisor: int = 5000, late: int = 0) -> Offer:
    """A carrier with five weight breaks and parcels of at most 6 kg."""
    return Offer(PricedLane("carrier", Rate("zone", 1, 2, HEAVIEST, LIMITS, prices), divisor, 1.0), PROMISE, late)


@st.composite
def offers(draw: st.DrawFn) -> tuple[Offer, ...]:
    """One or two carriers, or none: the customer collects."""
    return tuple(
        offer(
            tuple(sorted(draw(st.lists(st.integers(100, 900), min_size=5, max_size=5)))),
            draw(st.sampled_from([4000, 6000])),
            draw(st.sampled_from([0, 0, 150])),
        )
        for _ in range(draw(st.sampled_from([1, 2, 1, 2, 0])))
    )


@st.composite
def problems(draw: st.DrawFn, most_nodes: int = 5, most_items: int = 4, plain: bool = False) -> SolverProblem:
    """Everything a source and a problem can ask for; `plain` ones have no minimums."""
    nodes = range(draw(st.integers(1, most_nodes).map(lambda n: most_nodes + 1 - n)))
    wanted = draw(st.lists(st.integers(1, 4), min_size=1, max_size=most_items))
    held = [[draw(st.sampled_from([0, units, 0, units, max(0, units - 1), 1])) for units in wanted] for _ in nodes]
    items = tuple(
        Item(
            sku=f"s{number}",
            units=min(units, sum(row[number] for row in held)),
            grams=draw(st.sampled_from([60, 150, 330, 700, 1_400, 2_900])),
            mm3=draw(st.sampled_from([20, 60, 150, 240])) ** 3,
            value=draw(st.integers(100, 5_000)),
            pieces=draw(st.sampled_from([1, 1, 1, 3])),
        )
        for number, units in enumerate(wanted)
    )
    lanes = [draw(offers()) for _ in range(2)]
    return SolverProblem(
        items=items,
        sources=tuple(_source(draw, f"n{number:02}", row, items, lanes, plain) for number, row in enumerate(held)),
        maximum_shipments=draw(st.sampled_from([3, 2, 4, 1])),
        split_penalty=draw(st.sampled_from([0, 0, 50, 250])),
        units=sum(item.units * item.pieces for item in items),
        minimum_value=0 if plain else draw(st.sampled_from([0, 0, 2_000])),
        minimum_units=0 if plain else draw(st.sampled_from([0, 0, 2])),
    )


def _source(
    draw: st.DrawFn,
    node_id: str,
    stock: list[int],
    items: tuple[Item, ...],
    lanes: list[tuple[Offer, ...]],
    plain: bool,
) -> Source:
    return source(
        node_id,
        stock,
        CostTally(draw(st.integers(0, 200)), draw(st.sampled_from(lanes))),
        items,
        unit_costs=tuple(draw(st.sampled_from([0, 10, 20, -40, 55])) for _ in items),
        ties=(1, draw(st.integers(0, 3))),
        minimum_value=0 if plain else draw(st.sampled_from([0, 0, 0, 3_000])),
        alone_only=draw(st.integers(0, 9)) == 0,
    )


def best_of_everything(problem: SolverProblem) -> SolverPlan | None:
    """Every set of sources, every way to part the items among them; the rules as the problem's module tells them."""
    return min((plan for plan in _plans(problem) if is_large_enough(problem, plan)), default=None)


def _plans(problem: SolverProblem) -> Iterator[SolverPlan]:
    for size in range(1, problem.maximum_shipments + 1):
        for members in combinations(range(len(problem.sources)), size):
            sources = [problem.sources[member] for member in members]
            per_item = [ways_to_part([s.stock[i] for s in sources], item.units) for i, item in enumerate(problem.items)]
            for dealt in product(*per_item):
                shares = [Share(m, tuple(way[place] for way in dealt)) for place, m in enumerate(members)]
                if not all(any(share.units) for share in shares):
                    continue
                plan = plan_of(problem, shares)
                if not any(s.alone_only for s in sources) or (size == 1 and plan.short == 0):
                    yield plan


def ways_to_part(stock: Sequence[int], units: int) -> set[tuple[int, ...]]:
    """Whole from one that has it whole; otherwise one after the other gives all it has, in any order."""
    whole = [place for place, held in enumerate(stock) if held >= units]
    if whole:
        return {tuple(units if place == giver else 0 for place in range(len(stock))) for giver in whole}
    found = set()
    for order in permutations(range(len(stock))):
        left, way = units, [0] * len(stock)
        for place in order:
            way[place] = min(stock[place], left)
            left -= way[place]
        found.add(tuple(way))
    return found
