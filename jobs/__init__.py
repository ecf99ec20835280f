"""Background jobs: what must happen by itself. They run in one worker at a time, whichever holds the leader lock.

job                 what a job is
by_policy           what jobs share that end what time is over for
apart               work of a job that is done for each of several things: one that fails does not stop the others
leader              the leader lock, and the jobs of the process that holds it
expiring            writes down what the clock alone changed: reservations that lapsed, preorders whose day has come
allocating          gives what came in to the orders that wait for it
reoptimising        plans unbegun work anew once stock, capacity or rates moved
reallocating        gives stock of orders that can wait to dearer ones whose promise is in danger
retiring_nodes      takes unbegun work away from nodes that cannot do it any more
accept_timeouts     takes work from nodes that did not accept it in time
cancellation_timeouts ends cancellations that a node was asked for and did not answer in time
collection_timeouts reminds customers of goods that are ready, and cancels what was not collected in time
asking_customers    asks customers when what was promised comes later, and ends what they did not answer in time
watching_processes  puts orders and returns without a process before a person
watching_milestones opens exceptions for milestones that were not reached in time
watching_quarantine tells a person when too much of what a channel sends waits in quarantine
starting_relay      starts the relay of the outbox unless it runs
starting_work       starts imports and rehearsals that have no workflow, gives up uploads that died
publishing          writes what channels are told of changes of availability
reading_channels    starts the workflows that read channels whose time has come
waking_intake       has messages of channels taken in that nobody heard of
forgetting_messages deletes messages of channels that were settled long ago
shadowing           lets shadows decide beside the live policy

What lasts for minutes is a workflow (`workflows/`), and what has a time of its own a Temporal Schedule.

Woken by NOTIFY: shadowing. The others look now and then:

allocating, publishing, reoptimising   follow the ledger, which nearly every transaction writes: transactions that
                                       notify are committed one after the other, and orders would wait for that
retiring_nodes                         a load of nodes or SKUs would wake it for each; once a second is enough
reallocating                           what is in danger depends on the time, and is looked at all at once
reading_channels                       what is due depends on the time
expiring, watching_milestones,         what lapses is no change of the database
watching_quarantine,
accept_timeouts, cancellation_timeouts,
collection_timeouts,
forgetting_messages, waking_intake
asking_customers                       compares what was told with what is expected, once that is known: at each change
                                       of an order it would often be about a moment
watching_processes, starting_relay,    compare with Temporal, which notifies nobody
starting_work
"""
