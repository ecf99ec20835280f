"""Which nodes and carriers may take part in an order at all.

carrier_limits  which carriers can move the goods: no unit is heavier or larger than what a service
                takes, and none can be cut
context         the question put to every node: the order, the world, the policy, and what many nodes
                have in common
fences          which nodes may take part in an order, and the first reason why one may not
node_index      the nodes as a strategy knows them before it knows the order: what many orders have in
                common is worked out once
"""
