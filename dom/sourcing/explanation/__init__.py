"""The full picture of a decision, worked out again from what was kept when somebody asks why.

recomputing    A decision made again from what was kept, and the full picture around it
changes        what would have to be otherwise for another plan to be the best: costs and freight
missing_stock  which few units, had they been there, would have made a better plan possible
models         what is answered when somebody asks why: the full picture, worked out again from what
               was kept
record         A decision as it is on record, with all it takes to make it again
settings       which cost setting of the policy stands behind which term, and what another value would
               make of two plans
"""
