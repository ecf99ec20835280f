"""The cheapest way of every basket at given prices: which of its lines travel together, and from where."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]

LINES_AT_MOST: Final = 5
"""Lines of a basket; all ways to part so many are looked at (Bell's number of five is 52)."""


@dataclass(frozen=True, slots=True)
class Basket:
    """What is ordered together, to one region: (SKU, units) by the places of SKUs and regions in the context.

    `share` is its part of what a shipment costs, where only some of an order's lines are looked at.
    """

    region: int
    lines: tuple[tuple[int, int], ...]
    share: float = 1.0


@dataclass(slots=True)
class WayKind:
    """Baskets with the same number of lines, side by side."""

    first: Places
    skus: Places
    units: Numbers
    regions: Places
    shares: Numbers


@dataclass(slots=True)
class Ways:
    """Ways to ship baskets: for each the basket, the node of each line (the last is 'not filled') and the cost."""

    baskets: Places
    nodes: Places
    reduced: Numbers
    cost: Numbers

    def only(self, these: npt.NDArray[np.bool_]) -> "Ways":
        """Some of them."""
        return Ways(self.baskets[these], self.nodes[these], self.reduced[these], self.cost[these])


@dataclass(frozen=True, slots=True)
class WayCosts:
    """Of baskets of a kind: a shipment by node, each line by node at the prices, each line by node without them."""

    fixed: Numbers
    dear: Numbers
    plain: Numbers


def laid_out(baskets: Sequence[tuple[int, Basket]]) -> WayKind:
    """Baskets with their numbers, all of as many lines, side by side."""
    lines = [basket.lines for _, basket in baskets]
    return WayKind(
        first=np.array([number for number, _ in baskets]),
        skus=np.array([[sku for sku, _ in each] for each in lines]),
        units=np.array([[float(units) for _, units in each] for each in lines]),
        regions=np.array([basket.region for _, basket in baskets]),
        shares=np.array([basket.share for _, basket in baskets]),
    )


def planned(kind: WayKind, costs: WayCosts) -> Ways:
    """The cheapest way of every basket of a kind: lines fall into parcels, each parcel goes to its cheapest node.

    The best way to part a set of lines is the best first parcel with the best way to part the rest: a dynamic program
    over sets of lines, which are written as bits.
    """
    fixed, dear = costs.fixed, costs.dear
    count, lines = kind.skus.shape
    everything = (1 << lines) - 1
    parcel = np.empty((everything + 1, count))
    at = np.zeros((everything + 1, count), np.int64)
    for held in range(1, everything + 1):
        own = [line for line in range(lines) if held >> line & 1]
        by_node = fixed + dear[:, :, own].sum(axis=2)
        at[held] = by_node.argmin(axis=1)
        parcel[held] = by_node[np.arange(count), at[held]]
    best = np.zeros((everything + 1, count))
    first = np.zeros((everything + 1, count), np.int64)
    for held in range(1, everything + 1):
        lowest = held & -held
        parts = [part for part in range(1, held + 1) if part & held == part and part & lowest]
        totals = np.stack([parcel[part] + best[held ^ part] for part in parts])
        choice = totals.argmin(axis=0)
        best[held] = totals[choice, np.arange(count)]
        first[held] = np.array(parts)[choice]
    nodes = np.zeros((count, lines), np.int64)
    left = np.full(count, everything)
    while left.any():
        part = first[left, np.arange(count)]
        for line in range(lines):
            of_part = (part >> line & 1).astype(bool)
            nodes[of_part, line] = at[part[of_part], np.nonzero(of_part)[0]]
        left ^= part
    baskets = np.arange(count)
    return Ways(baskets, nodes, best[everything], cost_of(baskets, nodes, costs))


def cost_of(baskets: Places, nodes: Places, costs: WayCosts) -> Numbers:
    """What ways cost without prices: every node that is used once, and every line at its node."""
    fixed, plain = costs.fixed, costs.plain
    used = np.zeros(fixed[baskets].shape, bool)
    np.put_along_axis(used, nodes, values=True, axis=1)
    goods = np.take_along_axis(plain[baskets], nodes[:, None, :], axis=1)[:, 0, :].sum(axis=1)
    cost: Numbers = np.where(used, fixed[baskets], 0.0).sum(axis=1) + goods
    return cost
