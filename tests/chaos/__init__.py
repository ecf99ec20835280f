"""Servers killed in the middle of the work, and stock under many clients at once.

test_kills        servers killed in turn while orders are under way
test_engine_lost  Temporal's database is lost
test_stock_storm  many clients at once, killed and started again
storm_client      a client of the storm
storm_told        what a client was told
storm_shelves     what really lies in the shelves
books             what must hold of the books
finishing         orders are finished
"""
