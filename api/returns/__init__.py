"""Returns: ask, receive, inspect.

examples  returns
models    returns as the API shows them
routes    returns: goods that come back for money
"""
