"""Soft reservations of carts and checkouts.

examples  soft reservations
models    units held for a cart or a checkout, as the API takes and shows them
routes    soft reservations: units held for a cart or a checkout until they become an order, are given back,
          or expire
"""
