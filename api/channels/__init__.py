"""Channels and their rules.

examples  channels and their rules
models    channels and their rules, as they are given and shown
routes    channels, and what each may have of the stock
"""
