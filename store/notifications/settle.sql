-- What became of messages that a relay had claimed. What waits behind one that was put off waits as long as it.
-- `more`: others were due when this began, or wait behind these.
WITH outcome AS (
    SELECT id, status, error, again_in
    FROM jsonb_to_recordset(CAST(:outcomes AS jsonb)) AS t (id bigint, status text, error text, again_in float)
), settled AS (
    UPDATE outbox o SET status = t.status, error = t.error, relay = NULL,
        sent_at = CASE WHEN t.status = 'sent' THEN statement_timestamp() ELSE o.sent_at END,
        next_attempt_at = statement_timestamp() + make_interval(secs => coalesce(t.again_in, 0))
    FROM outcome t WHERE o.id = t.id AND o.status = 'sending' AND o.relay = :relay
    RETURNING o.id, o.medium, o.receiver, o.status, o.next_attempt_at
), put_off AS (
    UPDATE outbox o SET next_attempt_at = s.next_attempt_at
    FROM settled s WHERE s.status = 'pending' AND o.receiver = s.receiver AND o.id > s.id AND o.status = 'pending'
)
SELECT id, EXISTS (SELECT FROM outbox WHERE status = 'pending' AND next_attempt_at <= statement_timestamp()) AS more,
       -- A mail that was sent must not be sent again; all else may be, for its receiver knows it again.
       CASE WHEN NOT EXISTS (SELECT FROM settled WHERE medium = 'mail') THEN {no_wait_for_disk} END AS durability
FROM settled
