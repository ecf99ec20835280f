"""PostgreSQL itself: connections, schema, locks, and the JSON parameters of statements.

engine             connections to PostgreSQL. Transactions are opened at the edge (an activity, a
                   request) and passed inwards
leader_lock        the leader lock: an advisory lock, one a database, that lives as long as the
                   connection that holds it
migrate            brings a database to the newest schema. Safe to run from several processes at
                   once
pages              lists that are read page by page
parameters         small helpers between Python values and rows
readiness          how the database stands to this program: whether it can be served from
reference_version  the version that reference data is remembered by
uninterrupted      database work that is not cut off in the middle when its caller is cancelled
"""
