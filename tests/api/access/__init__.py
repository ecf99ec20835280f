"""Who may do what.

test_access  API keys, the audit log, rate limits, request ids, headers
test_matrix  every cell of docs/access.md
"""
