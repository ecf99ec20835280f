"""Shipments: what carriers were booked for.

shipments  shipments: what a carrier was booked for, once a booking key, and what it reported since
"""
