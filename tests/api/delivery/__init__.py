"""What carriers report.

test_carriers  bookings taken back, orders that ended, reports that come twice
test_signed    reports that are signed: which count, and which are refused
"""
