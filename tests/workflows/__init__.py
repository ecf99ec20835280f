"""Workflows on a Temporal server whose time can be skipped.

order/                  the life of an order
test_return             a return by its steps
test_return_ends        a return that never arrives
test_outbox_relay       the relay
test_channel_orders     what channels tell of their orders
test_pricing            stock is priced in the background
test_history_bounded    histories stay short
test_search_attributes  search attributes say what the store says
"""
