"""Which nodes and carriers may take part.

test_fences          fences of nodes
test_carrier_limits  what is too heavy or too large for a carrier
"""
