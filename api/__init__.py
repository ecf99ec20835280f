"""The HTTP API: thin. It checks what comes in, calls a service or a process, and reads the store.

A folder a subdomain, with `routes`, `models` and `examples` side by side.

app        where services, endpoints and failures are wired
http/      what every endpoint shares
contract/  the OpenAPI document
openapi    `python -m api.openapi` writes it
"""
