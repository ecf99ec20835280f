"""WooCommerce: the REST API v3 and its webhooks (woocommerce.github.io/woocommerce-rest-api-docs).

connector  the connector
orders     an order as it is told in steps
"""
