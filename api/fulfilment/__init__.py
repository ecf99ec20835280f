"""The work list of nodes, and the steps they report.

cancellation_examples  cancellations that nodes are asked for
cancellation_models    the same, as they see and answer them
cancellation_routes    the same, listed, granted and refused
collection_routes    goods that wait for their customer: collected without the code, kept longer, put back
examples  work lists and reports of nodes
models    fulfilments as nodes see them
supplier_routes      what suppliers say: they sent goods with a carrier of their own
routes    fulfilments: a node's work list, and what the node reports about its work
"""
