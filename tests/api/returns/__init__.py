"""Returns.

test_returns  asked for, received, inspected, refunded
"""
