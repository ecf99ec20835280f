"""Use cases over the core, the store and the connectors, one transaction each. Nothing of HTTP or Temporal.

planning               units planned on a fresh snapshot: behind the promise, the soft reservation and the order
promises               the plan that would be made for a basket, by shipping method
reservations           units held for a cart or a checkout
reservation_planning   which units a reservation would get, and what may be promised with them
backorder_allocation   what came in is given to the orders that wait for it
reoptimisation         unbegun work planned anew, changed in one transaction over many orders
api_keys               API keys are made, rotated and revoked
authentication         who comes with an API key
policies               a policy is published: checked against the live network, then the next version
clock                  the time, for whoever counts from now
seed                   an empty database is filled with the sample network
"""
