"""Reads for people.

test_screens  lines and totals are of the same rows and one moment
"""
