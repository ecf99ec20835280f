"""Which nodes and carriers may take part.

test_fences          fences of nodes
test_in_time         when goods leave and arrive, and pick-up
test_any_fences      what holds whatever fences a policy has
test_carrier_limits  what is too heavy or too large for a carrier
"""
