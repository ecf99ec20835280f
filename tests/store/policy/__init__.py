"""Policies.

test_policies  published versions never change
"""
