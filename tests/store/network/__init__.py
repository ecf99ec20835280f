"""Reference data.

test_reference  it is remembered, and every change is seen by the next order
"""
