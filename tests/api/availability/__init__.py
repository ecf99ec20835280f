"""What can be promised.

test_availability     what can be promised, and when
test_not_deliverable  places that nobody may send to
test_changes          changes, page by page or as they happen
"""
