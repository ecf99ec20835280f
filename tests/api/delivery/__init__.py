"""What carriers report.

test_carriers  bookings taken back, orders that ended, reports that come twice
"""
