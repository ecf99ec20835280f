"""Carriers' events, carriers and shipments.

carrier_routes   carriers report where parcels are
examples         carriers' events, carriers and shipments
models           carriers' events, carriers and shipments
shipment_routes  shipments: what was booked with carriers
"""
