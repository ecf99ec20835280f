"""Use cases on a real PostgreSQL, without a process and without HTTP.

test_capture_limits          how many units may wait, at capture
test_relay                   what stands in the outbox leaves once and in sequence
test_reservation_conversion  a cart becomes an order
test_service_capacity        limits of a node for a service
"""
