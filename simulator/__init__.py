"""Channels, nodes, carriers, customers and a goods-in desk, played from outside through the public HTTP API.

It replays real orders in business time: every message says when it happened, and the dates are the retailer's own,
moved by whole weeks to shortly before today. It imports nothing of the system it plays with.
"""
