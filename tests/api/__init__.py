"""The HTTP API against the running app: each route, refusals, the OpenAPI document."""
