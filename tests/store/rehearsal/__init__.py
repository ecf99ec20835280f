"""Rehearsals and shadows.

test_rehearsals  recorded decisions in sequence, rehearsals in their queue
"""
