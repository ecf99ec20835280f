"""Shopify: the Admin GraphQL API and its webhooks (shopify.dev/docs/api/admin-graphql).

connector  the connector
queries    what it asks
orders     an order's state as it is told in steps
"""
