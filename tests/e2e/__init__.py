"""The whole system, started by `dom up` and driven through HTTP.

test_newcomer    what the README says, typed
test_demo        the demo
test_servers     configured servers
test_supervisor  processes that die are started again
walking          the walk of the first order
"""
