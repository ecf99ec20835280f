"""The OpenAPI document: what endpoints declare, what is added to it, and whether it breaks callers.

compatibility  whether a new OpenAPI document breaks those who use the old one
docs_page      the page `/docs`: Swagger UI, with every file it loads served from here, so that it
               works without other networks
document       the OpenAPI document: the contract, as generated from the endpoints
example        the type of an example in the OpenAPI document
glossary/      what the names of fields and parameters mean, wherever they say nothing more themselves
links          links of the OpenAPI document: which call goes on with what another one answered
               (OpenAPI 3.1, Link Object)
responses      what the OpenAPI document says of answers: examples of success, and every problem an
               endpoint knows
"""
