"""Work of nodes.

test_fulfilments  what there is to do, and what was done
test_held_back    work that its node does not see
"""
