"""The network.

test_network  nodes and SKUs
"""
