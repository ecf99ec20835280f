"""What many systems do: the cheapest feasible node first, line by line."""

from __future__ import annotations

from dom.sourcing.solver.problem import Share, SolverPlan, SolverProblem, plan_of


def greedy(problem: SolverProblem) -> SolverPlan | None:
    """Each item goes to the node that has it and costs least on top of what is planned already.

    Where no node has the item whole, the one that has most gives what it has, and so on. Nodes are added only as long
    as the policy allows another shipment; what is then left stays open. None if nothing can be given.
    """
    given: dict[int, list[int]] = {}
    for index in sorted(range(len(problem.items)), key=lambda index: problem.items[index].sku):
        left = problem.items[index].units
        while left:
            giver = _cheapest(problem, given, index, left)
            if giver is None:
                break
            units = given.setdefault(giver, [0] * len(problem.items))
            count = min(left, problem.sources[giver].stock[index])
            units[index] = count
            left -= count
    if not given:
        return None
    return plan_of(problem, [Share(place, tuple(given[place])) for place in sorted(given)])


def _cheapest(problem: SolverProblem, given: dict[int, list[int]], index: int, left: int) -> int | None:
    """The source of which one more share of the item costs least; those that hold all that is left come first."""
    best: tuple[bool, int, int, int] | None = None
    for place, source in enumerate(problem.sources):
        held, mine = source.stock[index], given.get(place)
        if not held or (mine is not None and mine[index]) or source.alone_only:
            continue
        if mine is None and len(given) >= problem.maximum_shipments:
            continue
        count = min(left, held)
        more = _cost(problem, place, mine, index, count)
        rank = (held < left, -count if held < left else 0, more, place)
        if best is None or rank < best:
            best = rank
    return best[-1] if best else None


def _cost(problem: SolverProblem, place: int, mine: list[int] | None, index: int, count: int) -> int:
    source, items = problem.sources[place], problem.items
    units = mine or [0] * len(items)
    grams = sum([n * item.grams for n, item in zip(units, items, strict=True)])
    mm3 = sum([n * item.mm3 for n, item in zip(units, items, strict=True)])
    item, tally = items[index], source.tally
    cost = tally.freight(grams + count * item.grams, mm3 + count * item.mm3) + count * source.unit_costs[index]
    return cost - tally.freight(grams, mm3) if mine else cost + tally.fixed
