"""Stock.

test_feeds   scans, counts and changes: each counts once
test_safety  safety stocks
test_values  mark-downs and values
"""
