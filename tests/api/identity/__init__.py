"""Who calls.

test_identity  keys and tokens that count, and those that do not
test_tokens    tokens of people
test_actor     who did it is known by key or token
"""
