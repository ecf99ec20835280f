"""The solver.

test_solver    against one that tries everything, and against a mixed-integer program
test_policies  plans under policies and orders drawn at random
problems       problems drawn at random, and the solver that tries everything
"""
