"""What carriers report.

test_carriers  bookings taken back, orders that ended, reports that come twice
test_comes_back  a parcel that its carrier brings back
test_signed    reports that are signed: which count, and which are refused
"""
