"""Orders: capture, read, timeline, cancel.

examples  orders
models    orders as the API shows them
routes    orders: taken from channels, shown to people, cancelled before hand-over
sourcing  A sourcing decision as the API and the `dom` command show it
"""
