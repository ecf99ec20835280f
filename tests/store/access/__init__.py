"""API keys.

test_keys  made once, shown once, rotated, revoked
"""
