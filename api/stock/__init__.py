"""Stock from outside the order flow: counts, changes, safety stock, values.

examples         counts and changes of stock
models           counts and changes of stock, many at once, and imports of them; every item gets its
                 own answer
routes           stock that changes outside the order flow: changes and counts, each item with an
                 answer of its own
safety_examples  safety stocks
safety_models    safety stocks as planners set them
safety_routes    safety stocks: what is kept back of each balance
value_examples   what stock is worth
value_models     what stock is worth where it lies
value_routes     what stock is worth where it lies: shadow prices to look at, mark-downs to set
"""
