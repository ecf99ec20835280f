"""How big a shipment is, and what weight is charged."""

import pytest

from dom.delivery.parcels import PACKING_GRAMS, PACKING_SHARE, ParcelSize, measure
from dom.network import Sku

SKUS = {
    "MUG": Sku(id="MUG", weight_grams=400, length_mm=100, width_mm=100, height_mm=100),
    "CUSHION": Sku(id="CUSHION", weight_grams=300, length_mm=500, width_mm=500, height_mm=200),
}


class TestMeasure:
    def test_weight_is_the_goods_and_one_packaging(self) -> None:
        assert measure([("MUG", 3), ("CUSHION", 2)], SKUS).weight_grams == 3 * 400 + 2 * 300 + PACKING_GRAMS

    def test_volume_is_more_than_the_goods_but_not_much(self) -> None:
        goods_cm3 = 3 * 1000 + 2 * 50_000
        size = measure([("MUG", 3), ("CUSHION", 2)], SKUS)
        assert goods_cm3 * PACKING_SHARE <= size.volume_cm3 <= goods_cm3 * PACKING_SHARE + 1

    def test_lines_of_one_sku_add_up(self) -> None:
        assert measure([("MUG", 1), ("MUG", 2)], SKUS) == measure([("MUG", 3)], SKUS)

    def test_the_tiniest_goods_still_take_room(self) -> None:
        pin = Sku(id="PIN", weight_grams=1, length_mm=1, width_mm=1, height_mm=1)
        assert measure([("PIN", 1)], {"PIN": pin}) == ParcelSize(weight_grams=1 + PACKING_GRAMS, volume_cm3=1)

    def test_a_sku_nobody_knows_is_not_weightless(self) -> None:
        with pytest.raises(KeyError):
            measure([("NOPE", 1)], SKUS)


class TestChargeableWeight:
    @pytest.mark.parametrize(
        ("weight", "volume", "divisor", "charged"),
        [
            (2000, 5000, 5000, 2000),
            (2000, 10_000, 5000, 2000),
            (2000, 10_005, 5000, 2001),
            (2000, 10_000, 4000, 2500),
            (2000, 12_000, 6000, 2000),
            (0, 5000, 5000, 1000),
        ],
    )
    def test_the_larger_of_scales_and_volume(self, weight: int, volume: int, divisor: int, charged: int) -> None:
        assert ParcelSize(weight_grams=weight, volume_cm3=volume).chargeable_grams(divisor) == charged
