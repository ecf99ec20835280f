"""The exceptions desk over HTTP.

test_desk     exceptions found, counted, taken, put off, resolved; by whom, and as the audit log has it
test_actions  what can be done about them in one call
test_watches  watches on milestones
"""
