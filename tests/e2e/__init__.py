"""The whole system, started by `dom up` and driven through HTTP."""
