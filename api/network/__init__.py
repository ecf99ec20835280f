"""Nodes and SKUs.

examples     nodes, SKUs, and the API's own state
models       pages of nodes and SKUs
node_routes  the nodes of the network
sku_routes   the catalogue of what is stocked
"""
