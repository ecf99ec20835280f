"""Orders and the life of their units.

test_order        what an order must be, and when two messages say the same
test_intake       oddities that are corrected, and what is refused
test_lifecycle    where units stand, and which step may follow
test_transitions  what may happen to units, and what is written of it
test_units        no unit is lost or counted twice
test_statuses     every status is classified once
test_ui_words     what the Temporal UI says
"""
