-- Claim what is due, of each medium as many as there are slots, of each receiver the first that has not gone out.
-- What the relay claimed without ever hearing of it (`known` is what it heard of) has not left, and is claimed again.
-- No row: another relay has begun. One row without a message: nothing is due.
WITH mine AS MATERIALIZED (
    SELECT number FROM outbox_relay WHERE number = :relay FOR SHARE
), free AS (
    SELECT medium, slots FROM unnest(CAST(:media AS text[]), CAST(:slots AS int[])) AS f (medium, slots)
), due AS (
    SELECT first.id FROM mine CROSS JOIN free f CROSS JOIN LATERAL (
        SELECT o.id FROM outbox o
        WHERE o.status = 'pending' AND o.medium = f.medium AND o.next_attempt_at <= statement_timestamp()
          AND NOT EXISTS (SELECT FROM outbox e WHERE e.receiver = o.receiver AND e.id < o.id
                          AND e.status IN ('pending', 'sending'))
        ORDER BY o.next_attempt_at, o.id LIMIT f.slots
    ) first
    UNION ALL
    SELECT o.id FROM mine CROSS JOIN outbox o
    WHERE o.status = 'sending' AND o.relay = :relay AND o.id <> ALL(CAST(:known AS bigint[]))
), claimed AS (
    UPDATE outbox o SET status = 'sending', relay = :relay, attempts = o.attempts + 1
    FROM due WHERE o.id = due.id AND (o.status = 'pending' OR o.relay = :relay)
    RETURNING o.id, o.business_key, o.order_id, o.message_key, o.kind, o.medium, o.recipient, o.receiver, o.payload, o.attempts,
              extract(epoch FROM statement_timestamp() - o.created_at)::float AS age
), later AS (
    SELECT extract(epoch FROM min(n.next_attempt_at) - statement_timestamp())::float AS seconds
    FROM free f CROSS JOIN LATERAL (
        SELECT next_attempt_at FROM outbox o
        WHERE o.status = 'pending' AND o.medium = f.medium AND o.next_attempt_at > statement_timestamp()
        ORDER BY next_attempt_at LIMIT 1
    ) n
)
SELECT later.seconds AS next_in, claimed.* FROM mine CROSS JOIN later LEFT JOIN claimed ON true ORDER BY claimed.id
