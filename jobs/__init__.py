"""Background jobs: what must happen by itself. They run in one worker at a time, whichever holds the leader lock.

job                 what a job is
apart               work of a job that is done for each of several things: one that fails does not stop the others
leader              the leader lock, and the jobs of the process that holds it
expiring            writes down what the clock alone changed: reservations that lapsed, preorders whose day has come
allocating          gives what came in to the orders that wait for it
reoptimising        plans unbegun work anew once stock, capacity or rates moved
retiring_nodes      takes unbegun work away from nodes that cannot do it any more
watching_processes  puts orders and returns without a process before a person
starting_relay      starts the relay of the outbox unless it runs
publishing          writes what channels are told of changes of availability, by webhook
importing           applies bulk imports
rehearsing          runs the rehearsals that were asked for
shadowing           lets shadows decide beside the live policy
"""
