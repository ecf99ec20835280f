"""Goods on their way in.

test_inbound  announced, shipped, received in parts, called off, found
"""
