-- A mail to the customer and, where :webhook, a webhook. A receiver that is not to be tried yet is not tried for this.
INSERT INTO outbox (business_key, order_id, occasion, kind, medium, recipient, receiver, payload, next_attempt_at)
SELECT :order_id || '/' || :occasion || '/' || m.medium, :order_id, :occasion, :kind, m.medium, m.recipient, m.receiver,
       CAST(:context AS jsonb),
       greatest(now(), (SELECT max(next_attempt_at) FROM outbox o WHERE o.receiver = m.receiver AND o.status = 'pending'))
FROM (
    SELECT 'mail' AS medium, document->'customer'->>'email' AS recipient,
           'mail/' || (document->'customer'->>'email') AS receiver
    FROM orders WHERE id = :order_id
    UNION ALL
    SELECT 'webhook', channel, 'webhook/' || id FROM orders WHERE id = :order_id AND :webhook
) AS m
ON CONFLICT (business_key) DO NOTHING
