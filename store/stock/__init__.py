"""Stock: balances, the ledger behind them, and reservations. A balance changes only together with its ledger entry.

terms       the formula of what is free, one for reading, planning and reserving
firm        reservations of orders, from accept to hand-over or release
soft        reservations that expire: carts, checkouts, waiting orders
movements   changes of what a node holds
announcing  what may be promised changed, though no unit moved
books       whether balances, ledger and reservations agree
"""

from store.stock.books import check
from store.stock.firm import NOTHING, OutOfReach, Reserved, WorkDay, consume, give_day_back, release, reserve
from store.stock.movements import Movement, move

__all__ = [
    "NOTHING",
    "Movement",
    "OutOfReach",
    "Reserved",
    "WorkDay",
    "check",
    "consume",
    "give_day_back",
    "move",
    "release",
    "reserve",
]
