"""Orders that wait for stock: their queue, and what is allocated to them.

queue         who waits, in which place, and what there is to give
failed_nodes  where an order's units were rejected or not found
reallocation  who waits and is in danger, who could give, and goods on their way
first_claims  orders that gave their units to others, and stand first for goods on their way
allocations   the soft reservations in which units are allocated, and what becomes of them when the order sources
notices       orders are told of what is allocated to them; whose units are kept, or go back
limits        how many units may wait for a SKU
"""

from store.backorders.allocations import give_up, lock_order, soft_id, take_allocated
from store.backorders.failed_nodes import not_found
from store.backorders.notices import extend_allocation, idle, lacking, release_idle, without_process
from store.backorders.queue import reach, set_sourced_on_stock, waited_for

__all__ = [
    "extend_allocation",
    "give_up",
    "idle",
    "lacking",
    "lock_order",
    "not_found",
    "reach",
    "release_idle",
    "set_sourced_on_stock",
    "soft_id",
    "take_allocated",
    "waited_for",
    "without_process",
]
