"""Bulk runs: one action on many orders.

examples  requests, runs and items
models    bulk runs as callers ask for them and see them
routes    asked for, previewed, followed, stopped and resumed
"""
