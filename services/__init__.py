"""Use cases over the core, the store and the connectors, one transaction each. Nothing of HTTP or Temporal.

database               what use cases work on: the database, the clock, what this installation does
capture                an order is written down, planned, reserved and answered, once
sourcing               units planned, released and reserved: what capture and later sourcings share
sourcing_again         units that wait are sourced again, once an attempt
reservation_conversion an order's claim on units that are held for it
order_process          what an order's process asks of the store: change, heed, read, resume
bookings               carriers are booked once a packing, and bookings nobody needs are taken back
stuck_steps            steps of a process that fail again and again are put before a person
change_orders          what may happen to an order's units: decided on what the store holds, written at once
node_steps             a node's steps: taken or refused when they are reported
cancellation_requests  cancellations that nodes are asked for: their answers, and what silence comes to
collecting             goods that wait for their customer: he is reminded, and what he does not collect is cancelled
collection_terms       how long goods are kept, and with which code
customer_questions     customers are asked when what was promised comes later; questions are kept current and withdrawn
question_offers        what a customer could have instead of waiting
question_answers       answers of customers, and what silence comes to
customer_links         links by which customers answer without a login
carrier_events         a carrier's feed of scans: written down, and carried out for the orders it concerns
carrier_reports        what a carrier reports of a parcel, carried out or put before a person
unable_nodes           work is taken from nodes that cannot do it any more
order_views            what an order's process sees of the order
order_waits            what an order waits for and until when
saved_views            views of the order list: who may keep, see and change which
bulk_runs              bulk runs are asked for, counted beforehand, stopped and resumed
bulk_changes           the orders of a bulk run are changed, each once
bulk_actions           what a bulk run does to one order
planning               units planned on a fresh snapshot: behind the promise, the soft reservation and the order
promises               the plan that would be made for a basket, by shipping method
reservations           units held for a cart or a checkout
reservation_planning   which units a reservation would get, and what may be promised with them
backorder_allocation   what came in is given to the orders that wait for it
rehearsing             recorded decisions made again, in their sequence
reoptimisation         unbegun work planned anew, changed in one transaction over many orders
reallocation           stock of orders that can wait is given to dearer ones whose promise is in danger
availability_news      what a channel's webhook is told next of availability
relay                  what stands in the outbox is sent, tried again and given up
composing              what a message says, from what the outbox and the order say
pricing                what a unit of stock is worth where it lies, worked out anew for what moved
channel_corrections    corrections of what channels send: made at a message's turn, accepted and rejected by people
channel_inbox          a channel's message is kept as it came, and whoever takes it in is told; replay
channel_intake         a channel's messages of one order are read, checked and carried out
channel_mappings       mappings of channels are published, and tried on messages that came
channel_quarantine     messages with the same fault are replayed together; a person is told when too much waits
channel_rules          rules that people make of repairs: rehearsed on what came, published, retired
channel_webhooks       channels' own webhooks, posted to where each wants it
moving                 work that no node has begun is moved to another node
sourcing_work_again    work that no node has begun is taken from its node, and its units are sourced anew
own_fulfilment         units that were taken out of work become a fulfilment of their own at its node
merging                work of one node that it has not begun becomes one fulfilment
splitting              units of work that no node has begun become a fulfilment of their own
one_by_one             work on one that fails does not stop the others
own_carriers           suppliers send goods with carriers of their own
parcel_marks           what staff says of a parcel, and one that came back is sent once more
returned_parcels       a parcel that its carrier brings back undelivered gets a return, known before the goods arrive
prioritising           an order gets another priority for scarce stock
resending              a message of an order is sent once more
returns                a return is requested and goes on: each command decided and written under the order's lock
exceptions_desk        exceptions taken, handed on, put off, commented, resolved and reopened
exception_actions      what can be done about an exception in one call and one transaction
watches                watches on milestones are written, if they can work
credentials            keys and secrets are rotated and revoked by those who could have made them
api_keys               API keys are made
signing_secrets        secrets that carriers sign with are made, and whether a message is signed with one
authentication         who comes with an API key
policies               a policy is published: checked against the live network, then the next version
clock                  the time, for whoever counts from now
seed                   an empty database is filled with the sample network
"""
