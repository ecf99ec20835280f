"""Rules of stock.

test_allocation  who gets what came in
test_atp         what may be promised on later days
"""
