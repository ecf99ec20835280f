"""What an activity does to the store and to outside parties, and that it does it once.

test_done_once           every activity may be tried again
test_carriers            bookings and labels
test_returns_inbound     allowed returns as inbound goods
test_notifications       messages leave once, signed and readable
test_notification_texts  what messages say
test_relay_ends          how a relay ends, and what must not end it
"""
