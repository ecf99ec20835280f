"""Stubs of sales platforms of which no engine can be had: they answer as the platforms document, with their limits and
their ill manners      what goes wrong on the way: deliveries twice, late, in another order, lost; a bucket of points
amazon       a seller's account with the Selling Partner API, and notifications
shopify      a shop's Admin GraphQL API and webhooks
woocommerce  a shop's REST API and webhooks
"""
