"""Vendure: the Admin API (docs.vendure.io/reference/graphql-api/admin), and webhooks of a plugin of ours.

connector  the connector
queries    what it asks
orders     an order's state as it is told in steps
"""
