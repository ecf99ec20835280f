"""Where a fulfilment's goods are, in SQL, of the table `fulfilments` as `f`."""

from typing import Final

from dom.orders.status import NEVER_LEFT, FulfilmentStatus
from store.database.parameters import listed

COLLECTED_AT: Final = "coalesce(f.pickup_node, f.node_id)"
"""The node where the customer collects what is to be collected."""
PLACE: Final = f"CASE WHEN f.status = '{FulfilmentStatus.READY}' THEN {COLLECTED_AT} ELSE f.node_id END"
"""The node where its goods are reserved: the store, once a carrier brought them there."""
LAST_PLACE: Final = f"""CASE WHEN EXISTS (SELECT FROM collections w WHERE w.fulfilment_id = f.id) THEN {COLLECTED_AT}
    ELSE {PLACE} END"""
"""The same, also of what came to a store and was cancelled or collected there."""
BROUGHT: Final = f"""f.status NOT IN ({listed(NEVER_LEFT)}) AND (
    f.status <> '{FulfilmentStatus.CANCELLED}' OR EXISTS (SELECT FROM collections w WHERE w.fulfilment_id = f.id))"""
"""Of work with a `pickup_node`: its goods are on their way to the store, are there, or came there."""
