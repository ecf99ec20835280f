"""What every endpoint shares: bodies, problems, cursors, the services a request works with.

addresses      which methods an address knows: all its endpoints together, where the framework looks at
               the first of them alone
answers        answers that are built by us and need no second check: times as ISO 8601 in UTC, as
               everywhere
asked_once     what is asked for under an Idempotency-Key: by which request of its own a command is known
bodies         what may come in: bodies up to a limit
change_stream  one reader of the log of changes for everybody who listens in this process
clock          when something happened, as a caller says it
cursor         cursors: where a list goes on. Opaque to callers, so that what they hold can change
               without breaking them
failures       every failure a request can meet, as a problem. The one place that knows what Temporal
               and PostgreSQL raise
items          lists whose items stand each for itself: one that cannot be read is refused by itself,
               and the others are taken
models         shapes that several resources share
problems       problem details (RFC 9457): the one shape of every error the API answers
requests       what every endpoint asks of a request before it is read: parameters it knows, each once,
               JSON keys once, no NUL
shared_work    work that many requests wait for at once, and that is done once for all of them
services       what a request works with: the store, and the durable processes
"""
