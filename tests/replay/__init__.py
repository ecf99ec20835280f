"""Recorded histories of orders replay under the present workflow code.

test_histories  every recorded history
test_regrouped  steps regrouped in a replay
"""
