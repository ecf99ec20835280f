"""Rules and calculations without a server: a folder for each of `dom/`, and for what else needs none.

shared/             access, errors, ids, money, texts and strict input
orders/             what an order is, and how its units move
test_returns        what may be returned, and how
stock/              allocation, and what may be promised later
delivery/           parcels, tariffs, promises
sourcing/           the planner, its policy, its reasons, rehearsals
test_channels       channels
simulator/          the simulator against an API of its own
bench/              the arithmetic of the benchmarks
tools/              sample data, limits, the search for new examples
deploy/             compose file, image and scripts
test_settings       settings
test_docs           the documents against the code
test_order_numbers  the tests themselves: no two send one order
"""
