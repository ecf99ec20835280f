"""Differences between the books.

test_faults          every fault is found by name and place, and mended where it can be
test_for_people      what only a person can decide
test_inbound         goods on their way in, against the ledger
test_at_work         while orders come and go
test_any_corruption  statements drawn at random
test_statuses        the books agree after whatever becomes of a fulfilment
"""
