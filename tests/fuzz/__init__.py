"""Random feeds against the whole system and a model of it.

test_carrier_feed  what once failed, again
carrier_feed       draws lives of orders and carries them out
acts               what can happen, as it is kept in a file
drawing            what happens next
life               one life of an order
model              a model of one order
returned           a model of its returns
running            the system they run on
"""
