"""Use cases on a real PostgreSQL, without a process and without HTTP.

test_capture_limits          how many units may wait, at capture
test_carrier_events          scans are carried out when they are reported
test_channel_corrections     what channels send wrongly is corrected, proposed, replayed; rules made of repairs
test_relay                   what stands in the outbox leaves once and in sequence
test_reservation_conversion  a cart becomes an order
test_service_capacity        limits of a node for a service
test_unable_nodes            work is taken from a node that cannot do it
"""
