"""Sourcing: what the planner sees, and what was decided.

decision_log    recorded decisions, and what happened to them, in the sequence in which they were
                written down
decisions       the sourcing decisions that were made, each with what the planner saw
explanations    an order's decisions with all that is needed to explain them: what was asked, decided
                and seen, and the policy
projection      what stock is priced on: free units, what is due, and the orders that asked for it,
                read in one statement
reoptimisation  re-optimisation in the database: unbegun work, the locks of its change, and what the
                orders' processes are told
snapshot        the planner's snapshot, read in one statement
stock_values    what stock is worth where it lies: shadow prices as they were worked out, mark-downs
                as planners set them
"""
