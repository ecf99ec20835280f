"""Messages to customers.

test_messages  written once under its key, claimed before they leave
"""
