"""Holds by rule.

test_policy  what is wrong with a hold policy
test_rules   which rules act, and on what
"""
