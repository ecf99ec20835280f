"""The `dom` command as a person types it.

test_explain          `dom ofl explain`
test_ofl_commands     `dom ofl`: policies
test_rehearse         `dom ofl rehearse` and `dom ofl shadow`
test_order_command    `dom order`
test_orders_commands  `dom orders`: orders without a process
test_stock_commands   `dom stock`
test_stock_import     `dom stock import`
test_keys_commands    `dom keys`
test_inbox_commands   `dom inbox` and `dom mapping`
test_quarantine_commands `dom quarantine`
test_prepare          servers of one's own that nobody prepared
test_connections      the budget of connections
test_tls              servers behind TLS
test_own_temporal     our own Temporal server, whatever the environment says
"""
