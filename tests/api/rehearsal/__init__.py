"""Rehearsals and shadows.

test_rehearsals  asked for, run, read as JSON or as a page
"""
