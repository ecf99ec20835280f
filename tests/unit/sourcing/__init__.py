"""The planner and what belongs to it; folders as in `dom/sourcing/`.

test_planner         the planner by examples
test_properties      what holds for every plan, against a planner that tries everything
test_strategies      strategies tried in turn, and how an order may be parted
test_costs           what a plan costs, term by term
test_services        node and service are chosen together
test_servable        which nodes may ever give a SKU to a place
test_catalogues      every fence and every cost is known wherever it must be
test_reoptimisation  better plans for many orders together
constraints/         fences and the limits of carriers
planning/            matching, the earliest promise, what is ruled out
solver/              the solver alone
policy/              reading, linting and comparing policies
explanation/         reasons, and decisions made again
valuation/           what stock is worth
rehearsal/           recorded decisions under another policy
"""
