"""Sales channels: how platforms send orders, are asked for them, and are told what became of them.

port           what the system asks of a connector
registry       which connector serves a platform
generic        any sender of JSON that signs, or comes with an API key
shopify, woocommerce, vendure, amazon
               platforms with an API
files, edi     files of orders, and interchanges of trading partners
platform_http  requests within a platform's budget
graphql        GraphQL over HTTP
bodies         bodies of messages: signed, told apart, written
budget         buckets of requests
"""
