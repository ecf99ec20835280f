"""Orders that wait for stock.

test_waiting  they get what comes in, in their places, once
"""
