"""Files of counts and changes.

test_imports  every row has its outcome
"""
