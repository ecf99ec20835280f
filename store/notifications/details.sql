SELECT m.id AS message_id, o.id, o.external_id, o.channel, o.document->'customer'->>'name' AS customer_name,
       o.promise_earliest, o.promise_latest, o.status,
       (SELECT jsonb_agg(jsonb_build_array(l.line_id, l.sku, s.document->>'description', l.quantity)
                         ORDER BY l.position)
        FROM order_lines l JOIN skus s ON s.id = l.sku WHERE l.order_id = o.id) AS lines,
       f.promise_earliest AS f_earliest, f.promise_latest AS f_latest,
       CASE WHEN n.is_told THEN n.document->>'name' END AS node_name,
       CASE WHEN n.is_told THEN n.document->'address' END AS node_address,
       (SELECT jsonb_object_agg(line_id, quantity) FROM fulfilment_lines
        WHERE fulfilment_id = f.id AND quantity > 0) AS f_lines,
       sh.carrier, sh.tracking_number
FROM outbox m
JOIN orders o ON o.id = m.order_id
LEFT JOIN fulfilments f ON f.id = m.payload->>'fulfilment_id'
LEFT JOIN LATERAL (
    SELECT p.document, m.payload->>'node_id' IS NOT NULL OR f.id IS NULL OR f.method = 'pickup' AS is_told
    FROM nodes p WHERE p.id = coalesce(m.payload->>'node_id', f.node_id, o.document->>'pickup_node')) n ON true
LEFT JOIN LATERAL (
    SELECT s.carrier, s.tracking_number FROM shipment_fulfilments sf JOIN shipments s ON s.id = sf.shipment_id
    WHERE sf.fulfilment_id = f.id AND s.status <> 'voided' ORDER BY s.booked_at DESC LIMIT 1) sh ON true
WHERE m.id = ANY(:ids)
