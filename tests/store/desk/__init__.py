"""The exceptions desk.

test_queue    the queue with its filters, and its counts
test_desk     what people do with exceptions, also two of them at once
test_watches  milestones that are to be reached in time
"""
