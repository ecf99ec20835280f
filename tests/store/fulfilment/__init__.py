"""Work of nodes.

test_work_list  what is urgent first, what is done last
"""
