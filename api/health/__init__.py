"""Whether the API is alive and ready, and what its problems mean.

examples        the API's own state, and what a problem means
models          whether the API lives and can serve
problem_routes  what each type of problem means: the page its `type` leads to
routes          whether the process lives, and whether it can serve
"""
