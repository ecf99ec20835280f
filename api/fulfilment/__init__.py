"""The work list of nodes, and the steps they report.

examples  work lists and reports of nodes
models    fulfilments as nodes see them
routes    fulfilments: a node's work list, and what the node reports about its work
"""
