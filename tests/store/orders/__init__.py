"""Orders.

test_reads     lists page by key
test_timeline  every kind has its data, each event happens once
"""
