"""An order: what a channel may hand over, where its units stand, and what may happen to them next.

asked        cancellations that a node is asked for, because it has picked the goods
bulk         one action on many orders: which orders, what is done, and what may become of each
calls        what callers ask of an order, and what they hear
return_calls the same of a return
cancellation how much of what is asked is cancelled, and why the rest is not
changes      what a command changes of an order, as a value: units, statuses, stock, what is told
commands     what may be asked of an order's units
event_data   what all data of events have in common, and that of what staff does and of scarce stock
events       the kinds of events in an order's timeline, and what belongs to each
holds        holds that stand on an order: each blocks steps until it is released
intake       the door: an order is checked here against the outside world's rules, once, when a channel
             hands it over
lifecycle    the life of an order's units: where each one stands, which step may follow, and what the
             order's status is
notes        what people write about an order
order        an order as it was captured, and the promise its customer got. `dom.orders.intake` is where it
             is checked
pickup       goods that wait at their node for the customer: the code, and how long they are kept
pickup_commands what may be asked about them
questions    when what was promised comes later: what the customer is asked, and what becomes of that
requested    what commands have in common
search_filter which orders are asked for: the filter of the order list, which saved views keep
searching    what is searched of an order, and how what a person types is read
status       statuses, steps, reports and reasons. Which step may follow which is in `dom.orders.lifecycle`
tidying      what an order's texts look like once the harmless oddities of shops and forms are gone
transitions  what may happen to an order's units, decided once: what a command changes, and the order after it
views        what an order's process sees of it
"""
