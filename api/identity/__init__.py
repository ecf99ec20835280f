"""Who calls, and what it may do.

authentication  every request's caller, found before anything of the request is read
tokens          people, by a token of the identity provider
key_sets        the provider's public keys
scopes          what each route needs; a route that says nothing is not served
audit           every change that a caller asked for is written down
rate_limits     how much a caller may ask of one process
request_ids     the id of each request, and headers of every answer
visibility      channels, nodes and carriers that are the caller's own; what is not his is not there
"""
