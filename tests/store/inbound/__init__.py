"""Goods on their way in.

test_inbound    announced, shipped, received, called off
test_receiving  they arrive in parts, several times, at once
"""
