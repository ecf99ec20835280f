"""What may be changed of an order after it was captured: each change, when it is possible, and what it comes to.

changes  the changes there are
rules    which change is possible, for whom, and until when
revised  the order as it is after changes
"""
