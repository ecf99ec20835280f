"""Amazon marketplaces: the Selling Partner API (developer-docs.amazon.com/sp-api), Orders 2026-01-01.

connector  the connector
orders     an order as Amazon has it
access     access tokens
"""
