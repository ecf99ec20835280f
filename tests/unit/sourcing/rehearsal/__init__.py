"""Recorded decisions under another policy.

test_walking  the walk through recorded decisions
test_money    both sides are priced alike
test_page     the report as a page
"""
