"""The earliest promise for one unit, by shipping method: the planner's own fences, calendar, lanes and costs.

A node that passes the fences could send a parcel on a day; how it travels from there depends on the goods, for the
carrier is the cheapest one for their weight and size, as in a plan.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from dom.network import ShippingMethod, Sku
from dom.ofl.costs import Load, Offer, Tally, offers_on
from dom.ofl.fences import asked, examine
from dom.ofl.matching import first_rules
from dom.ofl.models import Demand, DemandLine, Place, Snapshot
from dom.orders import Promise
from dom.policy.document import Policy

SHIPPED: Final = tuple(method for method in ShippingMethod if method is not ShippingMethod.PICKUP)
"""The methods by which goods travel."""

_ONE = (DemandLine(line_id="1", sku="any", quantity=1),)

Way = tuple[ShippingMethod, str, date]
"""Method, the country a parcel leaves from and its day: all that the offers depend on."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How each node could send a parcel to one place."""

    ways: Mapping[str, tuple[Way, ...]]
    offers: Mapping[Way, tuple[Offer, ...]]
    _chosen: dict[tuple[Way, int, int], Promise] = field(default_factory=dict)

    def earliest(self, node_ids: Iterable[str], sku: Sku) -> dict[ShippingMethod, Promise]:
        """The promise of each method that ends first, over the nodes that hold the SKU; none for what nobody offers."""
        best: dict[ShippingMethod, Promise] = {}
        for way in sorted({way for ways in {self.ways.get(node, ()) for node in node_ids} for way in ways}):
            promise, known = self._promise(way, sku), best.get(way[0])
            if known is None or (promise.latest, promise.earliest) < (known.latest, known.earliest):
                best[way[0]] = promise
        return best

    def _promise(self, way: Way, sku: Sku) -> Promise:
        key = (way, sku.weight_grams, sku.volume_mm3)
        if key not in self._chosen:
            offer = Tally(0, 0, 0, 0, 0, self.offers[way]).best_offer(Load(1, sku.weight_grams, sku.volume_mm3))
            if offer is None:
                raise ValueError(f"nobody offers {way}")
            self._chosen[key] = offer.promise
        return self._chosen[key]


def reach(world: Snapshot, policy: Policy, *, country: str, place: Place | None, as_of: datetime) -> Reach:
    """How the nodes of the world could send a parcel that is asked for now; the world's stock plays no part."""
    ways: dict[str, list[Way]] = {}
    offers: dict[Way, tuple[Offer, ...]] = {}
    for method in SHIPPED:
        demand = Demand(
            order_id="-",
            channel="-",
            as_of=as_of,
            country=country,
            place=place,
            shipping_method=method,
            lines=_ONE,
            currency=policy.currency,
        )
        rules = first_rules(demand, world.skus, policy)
        if rules is None:
            continue
        question = asked(demand, world, rules)
        for node in world.nodes:
            site = examine(node, (1,), question)
            if not site.eligible or site.ship_day is None:
                continue
            way = (method, node.address.country, site.ship_day.day)
            if way not in offers:
                offers[way] = offers_on(site.ship_day.day, site.lanes, demand, rules)
            ways.setdefault(node.id, []).append(way)
    return Reach({node: tuple(found) for node, found in ways.items()}, offers)
