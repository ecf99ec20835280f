"""Shipments.

test_shipments  a booking stands once a key, an event once an id
"""
