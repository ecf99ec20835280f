"""Differences between the books.

test_reconcile  every fault is found by name and place, and mended where it can be
test_statuses   the books agree after whatever becomes of a fulfilment
"""
