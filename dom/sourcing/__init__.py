"""Order Fulfilment Logic (OFL): the published policy that turns an order and a snapshot into a sourcing plan.

constraints/     which nodes and carriers may take part in an order at all
costs            what a shipment costs: freight by the carriers' real rates, handling, and what the
                 policy adds
distance         how far a node is from the customer
explanation/     the full picture of a decision, worked out again from what was kept when somebody
                 asks why
models           what the planner reads and what it answers. All of it is data: a decision can be
                 stored, read and made again
planner          the planner: an order, the world and a policy in; a sourcing plan with its reasons
                 out
planning/        from an order to candidate plans: strategies matched, lines pooled, each candidate
                 costed and solved
policy/          the OFL policy: the document business people write, how it is read, checked and
                 compared
reallocation/    re-allocation: stock reserved for an order that can wait is given to a dearer one in
                 danger
reasons/         the reasons that are kept with every decision: figures for an audit, sentences for
                 people
rehearsal/       rehearsal: recorded decisions made again, under the policy that made them or under
                 another one
reoptimisation/  re-optimisation: work that no node has begun is planned anew, for many orders
                 together
servable         which nodes may ever give a SKU to a place, or hand it out there; and why none may,
                 if none may
sourced          what sourcing gives an order, as its process hears it, and the rules of sourcing it again
solver/          the sourcing question in numbers, and its best answer: which sources take part, and
                 who gives what
valuation/       what a unit of stock is worth where it lies: forecasts, shadow prices, and how they
                 lose their force
"""
