"""Messages to customers.

test_messages  written once an occasion, claimed before they leave
"""
