"""From order lines to SKUs and back: two lines may ask for one SKU, and both draw on the same stock."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from dom.network import Sku
from dom.shared.errors import UnknownSku
from dom.sourcing.models import DemandLine


def wanted(lines: Sequence[DemandLine], skus: Mapping[str, Sku]) -> dict[str, int]:
    """Units of each SKU the lines ask for, in the order of the SKUs' codes. UnknownSku if the catalogue lacks one."""
    units: dict[str, int] = defaultdict(int)
    for index, line in enumerate(lines):
        if line.sku not in skus:
            raise UnknownSku(f"SKU {line.sku!r} is not known", field=f"lines[{index}].sku", data={"sku": line.sku})
        units[line.sku] += line.quantity
    return {sku: units[sku] for sku in sorted(units)}


def lines_in_full(lines: Sequence[DemandLine], stock: Mapping[str, int]) -> int:
    """How many of the lines this stock fills whole, the smaller ones first."""
    left = dict(stock)
    count = 0
    for line in sorted(lines, key=lambda line: line.quantity):
        if left[line.sku] >= line.quantity:
            left[line.sku] -= line.quantity
            count += 1
    return count


def dealt(
    lines: Sequence[DemandLine], given: Sequence[Mapping[str, int]]
) -> tuple[list[list[DemandLine]], list[DemandLine]]:
    """Deal what each shipment gives of each SKU out to the lines: lines by shipment, and what is left unfilled.

    The largest line comes first and stays whole where one shipment has enough for it.
    """
    left = [dict(units) for units in given]
    taken: list[dict[str, int]] = [{} for _ in given]
    for line in sorted(lines, key=lambda line: (-line.quantity, line.line_id)):
        missing = line.quantity
        for shipment in _givers(line, left):
            count = min(missing, left[shipment][line.sku])
            left[shipment][line.sku] -= count
            taken[shipment][line.line_id] = count
            missing -= count
            if not missing:
                break
    filled = {line.line_id: sum([units.get(line.line_id, 0) for units in taken]) for line in lines}
    shipped = [[_part(line, units[line.line_id]) for line in lines if line.line_id in units] for units in taken]
    return shipped, [
        _part(line, line.quantity - filled[line.line_id]) for line in lines if filled[line.line_id] < line.quantity
    ]


def _givers(line: DemandLine, left: Sequence[Mapping[str, int]]) -> list[int]:
    """Shipments that still have the line's SKU: first the one with just enough for all of it, then those with most."""
    having = [i for i, units in enumerate(left) if units.get(line.sku, 0)]
    enough = [i for i in having if left[i][line.sku] >= line.quantity]
    if enough:
        return [min(enough, key=lambda i: left[i][line.sku])]
    return sorted(having, key=lambda i: -left[i][line.sku])


def _part(line: DemandLine, quantity: int) -> DemandLine:
    return line if quantity == line.quantity else DemandLine(line_id=line.line_id, sku=line.sku, quantity=quantity)
