"""From an order to candidate plans: strategies matched, lines pooled, each candidate costed and solved.

candidate_plan  A draft: what one strategy makes of an order, fences first, then the cheapest plan
earliest        the earliest promise for one unit, by shipping method: the planner's own fences,
                calendar, lanes and costs
lines           from order lines to SKUs and back: two lines may ask for one SKU, and both draw on the
                same stock
lots            what is planned as one item: usually a SKU's units, which may part; by policy a whole
                SKU, or several together
matching        which strategies of a policy are for an order
ruled_out       goods that no node may ever give, whatever it holds: no carrier serves the country,
                nobody is equipped for them
snapshot_codec  A snapshot cut down to what the plan of one order can depend on, to be kept with the
                decision
"""
