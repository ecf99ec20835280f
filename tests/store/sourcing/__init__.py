"""Sourcing on the store.

test_decisions       what is kept is enough to decide again
test_planned_beside  hard baskets are planned beside the event loop
test_reoptimisation  changes of plans are made whole, or not at all
test_stock_values    mark-downs and prices
"""
