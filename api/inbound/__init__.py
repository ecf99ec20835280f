"""Goods on their way in.

examples  inbound goods
models    inbound goods as callers announce and receive them, and as the API shows them
routes    inbound goods: announced, shipped, received in parts, called off
"""
