"""Stock: balances, the ledger behind them, and reservations. A balance changes only together with its ledger entry.

terms       what is free and what a channel may have of it, for reads and the planner
firm        reservations of orders, from accept to hand-over or release
soft        reservations that expire: carts, checkouts, waiting orders
movements   changes of what a node holds
arrivals    goods that come to the store where their customer collects them
counts       absolute counts of a node, as a source says
adjustments  changes from outside the order flow
item_results what counts and changes share: locks, and what a sender hears of each item
safety       safety stocks
grouped      many soft reservations in one statement
"""

from store.stock.arrivals import receive_at_store
from store.stock.firm import NOTHING, OutOfReach, Reserved, WorkDay, consume, give_day_back, lock, release, reserve
from store.stock.movements import Movement, move

__all__ = [
    "NOTHING",
    "Movement",
    "OutOfReach",
    "Reserved",
    "WorkDay",
    "consume",
    "give_day_back",
    "lock",
    "move",
    "receive_at_store",
    "release",
    "reserve",
]
