"""Policies.

test_policies  what is wrong is said with its place; publishing, drafts
"""
