"""How big and heavy the goods of one fulfilment are, what a carrier charges for, and how many boxes they fill."""

from collections.abc import Iterable, Mapping, Sequence

from pydantic import Field

from dom.network import Sku
from dom.shared.base import Value

PACKING_GRAMS = 150
"""Assumed weight of the packaging of one shipment."""
PACKING_SHARE = 1.15
"""Assumed volume of a packed box over the volume of the goods in it."""

MOST_PARCELS = 200
"""The most parcels of one booking: a label is drawn for each, in one go."""


class ParcelSize(Value):
    """Weight in grams and volume in cubic centimetres of what is shipped together."""

    weight_grams: int
    volume_cm3: int

    def chargeable_grams(self, divisor: int) -> int:
        """The larger of actual and dimensional weight, in grams.

        Dimensional weight is volume in cm3 over the carrier's divisor (cm3 per kg, 5,000 is usual in Europe).
        """
        return max(self.weight_grams, self.volume_cm3 * 1000 // divisor)


def measure(goods: Iterable[tuple[str, int]], skus: Mapping[str, Sku]) -> ParcelSize:
    """The size of a shipment of (SKU, units) with its packaging."""
    weight = volume = 0
    for sku, quantity in goods:
        weight += skus[sku].weight_grams * quantity
        volume += skus[sku].volume_mm3 * quantity
    return packed(weight, volume)


class Piece(Value):
    """Units of one size that are to be sent: grams and millimetres of one of them. A unit cannot be cut."""

    weight_grams: int = Field(gt=0)
    length_mm: int = Field(gt=0)
    width_mm: int = Field(gt=0)
    height_mm: int = Field(gt=0)
    quantity: int = Field(default=1, gt=0)

    @property
    def volume_mm3(self) -> int:
        """Of one unit."""
        return self.length_mm * self.width_mm * self.height_mm

    @property
    def size(self) -> ParcelSize:
        """One unit, packed by itself."""
        return packed(self.weight_grams, self.volume_mm3)


def piece(sku: Sku, quantity: int = 1) -> Piece:
    """Units of a SKU."""
    return Piece(
        weight_grams=sku.weight_grams,
        length_mm=sku.length_mm,
        width_mm=sku.width_mm,
        height_mm=sku.height_mm,
        quantity=quantity,
    )


def packed(weight_grams: int, volume_mm3: int) -> ParcelSize:
    """The size of a box with goods of that weight and volume."""
    return ParcelSize(weight_grams=PACKING_GRAMS + weight_grams, volume_cm3=int(volume_mm3 * PACKING_SHARE) // 1000 + 1)


def boxes(pieces: Iterable[Piece], most_grams: int, divisor: int) -> int:
    """How many boxes of at most so much chargeable weight the pieces fill, each box the heaviest that fit.

    Next box when nothing more fits: first fit decreasing (D. S. Johnson, 1973) over two measures. A unit whose
    chargeable weight alone is more goes by itself.
    """
    left = [(each, each.quantity) for each in sorted(pieces, key=lambda p: (-p.weight_grams, -p.volume_mm3))]
    count = 0
    while left:
        taken = _one_box(left, most_grams, divisor)
        alike = min(units // fits for (_, units), fits in zip(left, taken, strict=True) if fits)
        count += alike
        after = [(each, units - alike * fits) for (each, units), fits in zip(left, taken, strict=True)]
        left = [(each, units) for each, units in after if units]
    return count


def _one_box(left: Sequence[tuple[Piece, int]], most_grams: int, divisor: int) -> list[int]:
    """How many of each go into the next box: at least one of the first."""
    most_mm3 = most_grams * divisor / PACKING_SHARE
    grams, mm3 = most_grams - PACKING_GRAMS, most_mm3
    taken: list[int] = []
    for each, units in left:
        fits = max(0, min(units, grams // each.weight_grams, int(mm3 // each.volume_mm3)))
        fits = fits if taken else max(1, fits)
        grams, mm3 = grams - fits * each.weight_grams, mm3 - fits * each.volume_mm3
        taken.append(fits)
    return taken
