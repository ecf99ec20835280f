"""Carriers' events, carriers and shipments.

carrier_routes   carriers report where parcels are
examples         lists of nodes, SKUs, carriers, shipments, messages and exceptions
models           lists of what the network and the day's work consist of
shipment_routes  shipments: what was booked with carriers
"""
