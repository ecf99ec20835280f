"""Background jobs, and the comparison of processes with the store.

test_leader             one process runs the jobs; another takes over; a job that fails stops no other
test_publishing         channels are told of changes by webhook
test_expiring           what the clock alone changes is written down
test_reoptimising       better plans for work that was not begun
test_rehearsing         rehearsals are run one at a time
test_living_found       orders and returns whose process is gone or does not agree
test_living_compared    one difference alone: a status, the units of a line
test_living_lost        orders and returns that only Temporal knows
test_living_revived     they are started anew, and go on where they stood
test_terminated_midway  processes terminated in the middle of a step
"""
