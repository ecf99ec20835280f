"""An order: what a channel may hand over, where its units stand, and what may happen to them next.

intake     the door: an order is checked here against the outside world's rules, once, when a channel hands
           it over
lifecycle  the life of an order's units: where each one stands, what may happen next, and what the order's
           status is
order      an order as it was captured, and the promise its customer got. `dom.orders.intake` is where it
           is checked
status     statuses, steps, reports and reasons. Which step may follow which is in `dom.orders.lifecycle`
tidying    what an order's texts look like once the harmless oddities of shops and forms are gone
"""
