"""Nodes and SKUs.

examples     nodes and SKUs
models       pages of nodes and SKUs
node_routes  the nodes of the network
sku_routes   the catalogue of what is stocked
"""
