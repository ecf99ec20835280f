"""The benchmarks say what follows from what they measured.

test_measures  the bench of orders
test_stock     the bench of stock
test_horizon   planning over a horizon, and its bounds
"""
