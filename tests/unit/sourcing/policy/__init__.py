"""Policies as documents.

test_reading    from text to a policy, everything with its place
test_lint       each mistake is found and placed
test_comparing  what changes between two policies
"""
