"""Returns: ask, receive, inspect, cancel, close.

examples  returns
models    returns as the API shows them
routes    returns: goods that come back for money
"""
