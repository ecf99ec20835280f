"""What may be promised.

test_availability  against a model of a few lines
test_changes       the log of changes
"""
