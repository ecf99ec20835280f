"""Holds through HTTP.

test_holds   put on, released, shown, and what they block
test_policy  the hold policy: written, refused, and what its rules do
"""
