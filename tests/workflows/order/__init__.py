"""The life of an order.

test_captured               captured once, however often it comes
test_delivered              the plain life, and what it costs
test_reports                reports late, twice, out of turn
test_early_reports          reports before the workflow knows the fulfilment
test_all_at_once            everything at the same moment
test_cancelled              cancelling before, at and after hand-over
test_cancel_requested       cancelling from the Temporal UI
test_cancelled_by_temporal  Temporal's own "Request Cancellation"
test_booked_late            bookings that nobody needs any more
test_sourced_again          units that lose their node
test_fails_at_a_node        what a node rejected or did not find
test_reoptimised        work given to other nodes
test_impossible             what can never be sent
test_promise                the promise of what is on its way
test_policy_outcomes        what the policy says of units without a node
test_waits                  orders that wait, in their places
test_waiting_for_stock      waits of days
test_preorder               release days
test_node_calendar          calendars that change
test_node_flapping          a node switched off and on
test_node_retired           a node that cannot do its work any more
test_carrier_added          carriers added while workers run
"""
