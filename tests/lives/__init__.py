"""Random lives of orders: what people, nodes, carriers, stock and time do to them, at once too, and what must hold.

test_lives  draws lives with hypothesis, and carries out again what once failed
story       what is done to an order, as data
acting      carries one act out, through the API
books       what the store must say at any moment, and once nothing is open
life        one life: acts, checks, and its end
"""
