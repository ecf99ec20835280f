"""The simulator.

test_parts      time, chance, journeys, sums, patience
test_demo       whole runs
test_live       replays at a pace
test_checkouts  carts that are held and ordered
test_show       what people see of a run
fakes           an API of the simulator's own, with the failures of a real one
"""
