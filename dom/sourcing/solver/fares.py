"""Freight, looked up once a load: nodes that share their carriers' offers share what is known of them."""

from dataclasses import dataclass, field

from dom.sourcing.solver.problem import SolverProblem

Group = tuple[tuple[int, int], ...]
"""What tells the offers of two sources apart: their lanes (by identity, one object a country) and their lateness."""


@dataclass(slots=True)
class Fares:
    """The freight of every source of a problem, in minor units; a carrier is asked once for the same load."""

    problem: SolverProblem
    groups: tuple[Group, ...] = field(init=False)
    """By source."""
    known: list[dict[tuple[int, int], int]] = field(init=False)
    """Freight by (grams, mm3), by source; sources of one group share it."""

    def __post_init__(self) -> None:
        groups, seen = [], dict[int, Group]()
        shared: dict[Group, dict[tuple[int, int], int]] = {}
        self.known = []
        for source in self.problem.sources:
            offers = source.tally.offers
            group = seen.get(id(offers))
            if group is None:
                group = seen[id(offers)] = tuple([(id(offer.lane), offer.lateness) for offer in offers])
            groups.append(group)
            self.known.append(shared.setdefault(group, {}))
        self.groups = tuple(groups)

    def freight(self, source: int, grams: int, mm3: int) -> int:
        """What it costs to move this load from a source, lateness included."""
        known = self.known[source]
        price = known.get((grams, mm3))
        if price is None:
            price = known[grams, mm3] = self.problem.sources[source].tally.freight(grams, mm3)
        return price
