-- Claim what is due, of each medium as many as there are slots, of each receiver the first that has not gone out; and
-- read what each message may tell of its order, and of the fulfilment or node that it is about.
-- What the relay claimed without ever hearing of it (`known` is what it heard of) has not left, and is claimed again.
-- No row: another relay has begun. One row without a message: nothing is due, and nothing was written or locked.
WITH mine AS (
    SELECT number FROM outbox_relay WHERE number = :relay
), free AS (
    SELECT medium, slots FROM unnest(CAST(:media AS text[]), CAST(:slots AS int[])) AS f (medium, slots)
), due AS (
    SELECT first.id FROM mine CROSS JOIN free f CROSS JOIN LATERAL (
        SELECT o.id FROM outbox o
        WHERE o.status = 'pending' AND o.medium = f.medium AND o.next_attempt_at <= statement_timestamp()
          AND o.id <> ALL(CAST(:known AS bigint[]))
          AND NOT EXISTS (SELECT FROM outbox e WHERE e.receiver = o.receiver AND e.id < o.id
                          AND e.status IN ('pending', 'sending'))
        ORDER BY o.next_attempt_at, o.id LIMIT f.slots
    ) first
    UNION ALL
    SELECT o.id FROM mine CROSS JOIN outbox o
    WHERE o.status = 'sending' AND o.relay = :relay AND o.id <> ALL(CAST(:known AS bigint[]))
), held AS MATERIALIZED (
    SELECT number FROM outbox_relay WHERE number = :relay AND EXISTS (SELECT FROM due) FOR SHARE
), claimed AS (
    UPDATE outbox o SET status = 'sending', relay = :relay, attempts = o.attempts + 1
    FROM held CROSS JOIN due WHERE o.id = due.id AND (o.status = 'pending' OR o.relay = :relay)
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
SELECT later.seconds AS next_in, m.*, o.external_id, o.channel, o.document->'customer'->>'name' AS customer_name,
       o.promise_earliest, o.promise_latest,
       (SELECT jsonb_agg(jsonb_build_array(l.line_id, l.sku, s.document->>'description', l.quantity)
                         ORDER BY l.position)
        FROM order_lines l JOIN skus s ON s.id = l.sku WHERE l.order_id = o.id) AS lines,
       f.promise_earliest AS f_earliest, f.promise_latest AS f_latest,
       CASE WHEN n.is_shown THEN n.document->>'name' END AS node_name,
       CASE WHEN n.is_shown THEN n.document->'address' END AS node_address,
       (SELECT jsonb_object_agg(line_id, quantity) FROM fulfilment_lines
        WHERE fulfilment_id = f.id AND quantity > 0) AS f_lines,
       sh.carrier, sh.tracking_number,
       -- What is read here is in no row of the outbox: a code is for the customer.
       co.code AS collection_code, co.collect_by, n.document->>'time_zone' AS node_zone,
       -- A mail leaves once; of all else the claim may be lost, for its receiver knows it again.
       CASE WHEN NOT EXISTS (SELECT FROM claimed WHERE medium = 'mail') THEN {no_wait_for_disk} END AS durability
FROM mine CROSS JOIN later
LEFT JOIN claimed m ON true
LEFT JOIN orders o ON o.id = m.order_id AND m.message_key IS NOT NULL
LEFT JOIN fulfilments f ON f.id = m.payload->>'fulfilment_id' AND f.order_id = o.id
LEFT JOIN collections co ON co.fulfilment_id = f.id AND co.ended_at IS NULL
LEFT JOIN LATERAL (
    SELECT p.document, m.payload->>'node_id' IS NOT NULL OR f.id IS NULL OR f.method = 'pickup'
           OR f.pickup_node IS NOT NULL AS is_shown
    FROM nodes p WHERE o.id IS NOT NULL
      AND p.id = coalesce(m.payload->>'node_id', f.pickup_node, f.node_id, o.document->>'pickup_node')) n ON true
LEFT JOIN LATERAL (
    SELECT s.carrier, s.tracking_number FROM shipment_fulfilments sf JOIN shipments s ON s.id = sf.shipment_id
    WHERE sf.fulfilment_id = f.id AND s.status <> 'voided' ORDER BY s.booked_at DESC LIMIT 1) sh ON true
ORDER BY m.id
