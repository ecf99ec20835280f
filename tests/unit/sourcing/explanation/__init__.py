"""Why a decision is as it is.

test_sentences   one expected text a situation
test_properties  what holds for every explanation
"""
