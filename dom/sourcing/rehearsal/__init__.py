"""Rehearsal: recorded decisions made again, under the policy that made them or under another one.

span         which orders: the last days, the last orders, from one day to another, all
recorded     what was decided and what happened to it, as it was written down
compared     whether two decisions are the same, and where they part
reproducing  a recorded decision made again on what the planner saw then
allocation   where the units of one order stand, on the live side and on the draft's
divergence   how far the draft's world has come away from the recorded one
walking      the walk through the records, one decision after the other
pricing      a plan at the prices of another policy
figures      what it all comes to: cost, splits, distance, days, load
report       the figures of both sides, and the orders whose plan changes
"""
