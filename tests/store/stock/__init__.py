"""Stock.

test_reservations  firm reservations: no unit is promised twice
test_soft          reservations that expire
test_soft_reservations  units reserved for a cart
test_lapse_race    who ends a reservation in the moment its units lapse
test_queue_wakes   who asks for a reservation is answered
test_counts        counts, whenever they arrive
test_count_sequence  counts in the sequence of their source
test_adjustments   changes, each once
test_safety        safety stocks
test_terms         what is free and allowed, in the database and in Python
test_machine       whatever is done, against a plain model
"""
