"""Who may call, and what callers did: API keys, secrets that carriers sign with, and the audit log.

models, examples, routes                        keys and the audit log
secret_models, secret_examples, secret_routes   secrets that carriers sign with
credential_answers                              what is answered of both
"""
