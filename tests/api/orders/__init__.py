"""Orders.

test_orders      captured once, found again, cancelled in time
test_sourcing    why an order is sourced as it is
test_waiting     what waits, in part too
test_at_once     what carriers, nodes, channels and support say at the same moment
test_no_process  orders whose process was terminated
"""
