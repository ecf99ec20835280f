"""The ways in which a set of sources can give one item."""

from collections.abc import Sequence
from itertools import permutations
from typing import Final

Split = tuple[tuple[int, int], ...]
"""One way to give an item: (place in the set, units) pairs, by place."""

PARTED_AMONG_AT_MOST: Final = 4
"""Among more holders than this only one order of giving is tried: the fullest first."""


def ways_to_give(wanted: int, stock: Sequence[int]) -> tuple[tuple[Split, ...], bool]:
    """All ways allowed by the rules of `dom.sourcing.solver.problem`, and whether these are really all."""
    if whole := [place for place, held in enumerate(stock) if held >= wanted]:
        return tuple([((place, wanted),) for place in whole]), True
    holders = [place for place, held in enumerate(stock) if held]
    if sum(stock) <= wanted:
        return (tuple([(place, stock[place]) for place in holders]),), True
    if len(holders) > PARTED_AMONG_AT_MOST:
        return (_emptied(sorted(holders, key=lambda place: -stock[place]), stock, wanted),), False
    return tuple(dict.fromkeys(_emptied(order, stock, wanted) for order in permutations(holders))), True


def _emptied(order: Sequence[int], stock: Sequence[int], wanted: int) -> Split:
    given = []
    for place in order:
        count = min(stock[place], wanted)
        wanted -= count
        if count:
            given.append((place, count))
    return tuple(sorted(given))
