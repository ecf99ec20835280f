"""Steps of planning, each alone.

test_matching   which orders a strategy is for
test_earliest   the earliest promise by method
test_ruled_out  goods that no node may ever give
"""
