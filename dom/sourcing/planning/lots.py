"""What is planned as one item: usually a SKU's units, which may part; by policy a whole SKU, or several together."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from dom.network import Sku
from dom.sourcing.policy.document import SplitBy, Splitting
from dom.sourcing.solver.problem import Item


class Lot(NamedTuple):
    """Goods that are planned as one item: `units` of it, each made of `goods`, (place among the SKUs, units) pairs.

    One that is not `parts` comes whole from one node or not at all.
    """

    name: str
    units: int
    goods: tuple[tuple[int, int], ...]
    parts: bool

    def held(self, stock: Sequence[int]) -> int:
        """How many of it a node with so much of each SKU can give."""
        if self.parts:
            ((place, _),) = self.goods
            return min(self.units, stock[place])
        whole = all(stock[place] >= self.units * count for place, count in self.goods)
        return self.units if whole else 0

    def item(self, held: int, skus: Sequence[Sku], values: Sequence[int]) -> Item:
        """The lot as the solver knows it, where the nodes hold so many of it together."""
        return Item(
            sku=self.name,
            units=min(self.units, held),
            grams=sum([skus[place].weight_grams * count for place, count in self.goods]),
            mm3=sum([skus[place].volume_mm3 * count for place, count in self.goods]),
            value=sum([values[place] * count for place, count in self.goods]) if values else 0,
            pieces=sum([count for _, count in self.goods]),
        )


def lots(wanted: Mapping[str, int], skus: Mapping[str, Sku], split: Splitting) -> tuple[Lot, ...]:
    """The goods as the policy lets them part. SKUs that share a value of its attributes go together."""
    codes = list(wanted)
    if not split.together_by:
        parts = split.by is SplitBy.UNIT
        return tuple([Lot(sku, wanted[sku], ((place, 1),), parts) for place, sku in enumerate(codes)])
    found = []
    for members in _together(codes, skus, split.together_by):
        sku = codes[members[0]]
        if len(members) == 1 and not any(name in skus[sku].attributes for name in split.together_by):
            found.append(Lot(sku, wanted[sku], ((members[0], 1),), split.by is SplitBy.UNIT))
        else:
            goods = tuple([(place, wanted[codes[place]]) for place in members])
            found.append(Lot("+".join([codes[place] for place in members]), 1, goods, parts=False))
    return tuple(found)


def _together(codes: Sequence[str], skus: Mapping[str, Sku], attributes: Sequence[str]) -> list[list[int]]:
    """Groups of places, each ascending, by their first: whoever shares a value is in one group, over any detour."""
    leader = list(range(len(codes)))

    def lead(place: int) -> int:
        while leader[place] != place:
            place = leader[place]
        return place

    first: dict[tuple[str, str], int] = {}
    for place, sku in enumerate(codes):
        for name in attributes:
            value = skus[sku].attributes.get(name)
            if value is None:
                continue
            one, other = sorted((lead(place), lead(first.setdefault((name, value), place))))
            leader[other] = one
    groups: dict[int, list[int]] = {}
    for place in range(len(codes)):
        groups.setdefault(lead(place), []).append(place)
    return list(groups.values())
