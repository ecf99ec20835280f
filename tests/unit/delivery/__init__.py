"""Sending goods.

test_parcels  sizes, and the weight that is charged
test_promise  when a node can ship, and when goods arrive
test_tariffs  what a carrier charges
"""
