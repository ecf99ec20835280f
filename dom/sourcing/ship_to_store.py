"""Ship to store: goods that other nodes send to the store where the customer collects them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from dom.delivery.promise import collection_after, delivery_window
from dom.network import Node, ShippingMethod
from dom.orders.order import Promise
from dom.sourcing.models import Place
from dom.sourcing.policy.collections import ShipToStore
from dom.sourcing.policy.document import Policy


def place_of(store: Node) -> Place:
    """Where it stands, as the place goods are sent to."""
    return Place(latitude=store.latitude, longitude=store.longitude)


@dataclass(frozen=True, slots=True)
class StoreDestination:
    """The store where the customer collects, as the place that other nodes send goods to, and on what terms."""

    node: Node
    terms: ShipToStore

    @property
    def place(self) -> Place:
        """Where it stands."""
        return place_of(self.node)

    def promise(self, day: date, transit_days_min: int, transit_days_max: int) -> Promise | None:
        """When goods that leave on a day can be collected, for certain: counted from the end of the carrier's window.

        None if the store does not open in time to make them ready.
        """
        brought = delivery_window(day, transit_days_min, transit_days_max, self.node.address.country)
        return collection_after(self.node, brought.latest, self.terms.handling_minutes)


def store_destination(
    method: ShippingMethod, pickup_node: str | None, nodes: Iterable[Node], policy: Policy
) -> StoreDestination | None:
    """The store that nodes may send goods to; None where the policy has no ship to store, or the customer collects
    nowhere that hands goods out.
    """
    terms = policy.collection.ship_to_store
    if terms is None or method is not ShippingMethod.PICKUP or pickup_node is None:
        return None
    store = next((node for node in nodes if node.id == pickup_node), None)
    return StoreDestination(store, terms) if store is not None and store.active and store.pickup else None
