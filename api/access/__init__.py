"""Who may call, and what callers did: API keys and the audit log.

models, examples, routes
"""
