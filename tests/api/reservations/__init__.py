"""Carts that hold units.

test_reservations  hold, look, extend, give back, order
"""
