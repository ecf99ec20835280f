"""How big and heavy the goods of one fulfilment are, and what a carrier charges weight for."""

from collections.abc import Iterable, Mapping

from dom.base import Value
from dom.network import Sku

PACKING_GRAMS = 150
"""Assumed weight of the packaging of one shipment."""
PACKING_SHARE = 1.15
"""Assumed volume of a packed box over the volume of the goods in it."""


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
    weight, volume = PACKING_GRAMS, 0
    for sku, quantity in goods:
        weight += skus[sku].weight_grams * quantity
        volume += skus[sku].volume_mm3 * quantity
    return ParcelSize(weight_grams=weight, volume_cm3=int(volume * PACKING_SHARE) // 1000 + 1)
