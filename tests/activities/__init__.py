"""What an activity does to the store and to outside parties, and that it does it once.

test_done_once           every activity may be tried again
test_limits              how many units may wait, at capture
test_conversion          a cart becomes an order
test_service_capacity    limits of a node for a service
test_carriers            bookings and labels
test_returns_inbound     allowed returns as inbound goods
test_notifications       messages leave once, signed and readable
test_notification_texts  what messages say
test_relay               what stands in the outbox leaves once and in sequence
"""
