"""Use cases over the core, the store and the connectors, one transaction each. Nothing of HTTP or Temporal.

change_orders          what may happen to an order's units: decided on what the store holds, written at once
node_steps             a node's steps: taken or refused when they are reported
carrier_reports        what a carrier reports of a parcel, carried out or put before a person
order_views            what an order's process sees of the order
saved_views            views of the order list: who may keep, see and change which
planning               units planned on a fresh snapshot: behind the promise, the soft reservation and the order
promises               the plan that would be made for a basket, by shipping method
reservations           units held for a cart or a checkout
reservation_planning   which units a reservation would get, and what may be promised with them
backorder_allocation   what came in is given to the orders that wait for it
rehearsing             recorded decisions made again, in their sequence
reoptimisation         unbegun work planned anew, changed in one transaction over many orders
availability_news      what a channel's webhook is told next of availability
channel_webhooks       channels' own webhooks, posted to where each wants it
returns                a return is requested and goes on: each command decided and written under the order's lock
api_keys               API keys are made, rotated and revoked
signing_secrets        what carriers sign their messages with, and whether a message is signed so
authentication         who comes with an API key
policies               a policy is published: checked against the live network, then the next version
clock                  the time, for whoever counts from now
seed                   an empty database is filled with the sample network
"""
