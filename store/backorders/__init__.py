"""Orders that wait for stock: their queue, and what is set aside for them.

queue         who waits, in which place, and what there is to give
failed_nodes  where an order's units were rejected or not found
allocations   the soft reservations in which units are set aside, and what becomes of them when the order sources
notices       orders are told of what is set aside for them; whose units are kept, or go back
limits        how many units may wait for a SKU
"""

from store.backorders.allocations import give_up, settle, soft_id, undisturbed
from store.backorders.failed_nodes import not_found
from store.backorders.notices import give_back, gone, idle, keep, lacking
from store.backorders.queue import heeds_stock, waited_for

__all__ = [
    "give_back",
    "give_up",
    "gone",
    "heeds_stock",
    "idle",
    "keep",
    "lacking",
    "not_found",
    "settle",
    "soft_id",
    "undisturbed",
    "waited_for",
]
