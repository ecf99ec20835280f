"""Reads for people: stock on one screen, and lists of nodes, SKUs, carriers, shipments, messages and exceptions.

lists  lists for people: nodes, SKUs, carriers, shipments, messages, exceptions. Each pages by key, through an
       index
stock  stock for people without screens: one SKU over all nodes, one node over its SKUs, the ledger
"""
