WITH item AS MATERIALIZED (
    SELECT i.no, i.node_id, i.sku, i.quantity, i.as_of, i.sequence, i.reason_code,
           least(i.as_of, statement_timestamp()) AS at, s.on_hand AS was, s.reserved, s.reserved_soft,
           s.safety_stock, s.damaged, s.quarantine, m.sequence AS last_sequence,
           i.quantity + coalesce((
               SELECT sum(l.on_hand_delta) FROM stock_ledger l
               WHERE l.node_id = i.node_id AND l.sku = i.sku AND l.on_hand_delta <> 0
                 AND l.occurred_at > least(i.as_of, statement_timestamp())
                 AND l.kind NOT IN ('count', 'reconcile')), 0) AS target,
           CASE WHEN n.id IS NULL OR k.id IS NULL THEN 'refused'
                WHEN (i.sequence IS NULL) <> (m.sequence IS NULL) AND m.source IS NOT NULL THEN 'refused'
                WHEN i.sequence <= m.sequence AND i.quantity = m.quantity AND i.as_of = m.as_of THEN 'repeated'
                WHEN i.sequence IS NULL AND i.quantity = m.quantity AND i.as_of = m.as_of THEN 'repeated'
                WHEN i.sequence < m.sequence OR i.as_of < s.counted_at THEN 'late'
                WHEN i.sequence IS NULL AND i.as_of < m.as_of THEN 'late'
                WHEN i.sequence = m.sequence OR i.sequence IS NULL AND i.as_of = m.as_of THEN 'refused' END AS outcome,
           CASE WHEN n.id IS NULL THEN 'unknown-node' WHEN k.id IS NULL THEN 'unknown-sku'
                WHEN m.source IS NOT NULL THEN 'conflict' END AS problem,
           CASE WHEN i.sequence IS NULL AND m.sequence IS NOT NULL THEN
                    'this source numbers its counts, the last one ' || m.sequence || '; give a sequence'
                WHEN m.sequence IS NULL AND i.sequence IS NOT NULL THEN
                    'the counts of this source have no sequence, and go by as_of; give none, or name another source'
                ELSE format('count %s of this source said another thing', coalesce(i.sequence::text, i.as_of::text))
           END AS other
    FROM ({rows}) i LEFT JOIN nodes n ON n.id = i.node_id LEFT JOIN skus k ON k.id = i.sku
    LEFT JOIN stock s ON s.node_id = i.node_id AND s.sku = i.sku
    LEFT JOIN count_marks m ON m.source = CAST(:source AS text) AND m.node_id = i.node_id AND m.sku = i.sku
), taken AS MATERIALIZED (
    SELECT *, greatest(target, reserved)::int AS level, greatest(reserved - target, 0) AS shortfall,
           :source || '/' || coalesce(sequence::text, 'at ' || extract(epoch FROM as_of)) AS message
    FROM item WHERE outcome IS NULL AND target <= {most_units}
), doomed AS (
    SELECT r.id, t.message, t.level, t.reserved + t.reserved_soft - t.level AS wanted,
           sum(r.quantity) OVER (PARTITION BY r.node_id, r.sku ORDER BY r.created_at DESC, r.id DESC) - r.quantity
               AS before
    FROM taken t JOIN reservations r ON r.node_id = t.node_id AND r.sku = t.sku
    WHERE t.reserved + t.reserved_soft > t.level AND r.kind = 'soft' AND r.status = 'active'
), locked AS (
    SELECT r.id FROM reservations r JOIN doomed d USING (id) WHERE d.before < d.wanted AND r.status = 'active'
    ORDER BY r.id FOR NO KEY UPDATE OF r
), lost AS (
    UPDATE reservations r SET status = 'released' FROM doomed d JOIN locked USING (id) WHERE r.id = d.id
    RETURNING r.id, r.node_id, r.sku, r.quantity, r.soft_id, d.message
), loss_noted AS (
    INSERT INTO stock_ledger (node_id, sku, kind, soft_delta, business_key, reason, actor, occurred_at)
    SELECT node_id, sku, 'soft_release', -quantity, soft_id || '/counted/' || id, 'not there: count ' || message,
           CAST(:actor AS text), statement_timestamp()
    FROM lost
), bereft AS (
    SELECT h.id FROM soft_reservations h
    WHERE h.id IN (SELECT soft_id FROM lost) AND h.status = 'active' AND NOT EXISTS (
        SELECT FROM reservations r WHERE r.soft_id = h.id AND r.status = 'active'
        AND r.id NOT IN (SELECT id FROM lost))
    ORDER BY h.id FOR NO KEY UPDATE
), ended AS (
    UPDATE soft_reservations h SET status = 'released' FROM bereft b WHERE h.id = b.id
), given AS MATERIALIZED (
    SELECT node_id, sku, sum(quantity)::int AS units FROM lost GROUP BY node_id, sku
), set_to AS (
    UPDATE stock s SET on_hand = t.level, reserved_soft = s.reserved_soft - coalesce(g.units, 0),
                       updated_at = now(),
                       counted_at = CASE WHEN t.shortfall = 0 THEN t.at ELSE s.counted_at END
    FROM taken t LEFT JOIN given g ON g.node_id = t.node_id AND g.sku = t.sku
    WHERE s.node_id = t.node_id AND s.sku = t.sku
), noted AS (
    INSERT INTO stock_ledger (node_id, sku, kind, on_hand_delta, business_key, reason_code, reason, actor,
                              occurred_at)
    SELECT node_id, sku, 'count', level - was, 'count/' || message, reason_code, 'counted ' || quantity,
           CAST(:actor AS text), at
    FROM taken WHERE level <> was ORDER BY no
), marked AS (
    INSERT INTO count_marks (source, node_id, sku, sequence, quantity, as_of)
    SELECT :source, node_id, sku, sequence, quantity, as_of FROM taken
    ON CONFLICT (source, node_id, sku) DO UPDATE
    SET sequence = EXCLUDED.sequence, quantity = EXCLUDED.quantity, as_of = EXCLUDED.as_of
), queued AS (
    {open_exceptions}
), verdict AS (
    SELECT t.no, t.node_id, t.sku, CASE WHEN t.shortfall > 0 THEN 'short' ELSE 'applied' END AS outcome,
           NULL AS problem, NULL AS field, CASE WHEN t.shortfall > 0 THEN
               format('%s are reserved for orders, %s of them are missing', t.reserved, t.shortfall) END AS detail,
           t.level AS on_hand, t.reserved, t.reserved_soft - coalesce(g.units, 0) AS reserved_soft, t.damaged,
           t.quarantine, t.safety_stock, t.shortfall, t.last_sequence
    FROM taken t LEFT JOIN given g ON g.node_id = t.node_id AND g.sku = t.sku
    UNION ALL
    SELECT no, node_id, sku, coalesce(outcome, 'refused'),
           CASE WHEN outcome IS NULL THEN 'invalid-input' WHEN outcome = 'refused' THEN problem END,
           CASE WHEN outcome IS NULL THEN 'quantity' WHEN outcome = 'refused' THEN
               CASE problem WHEN 'unknown-node' THEN 'node_id' WHEN 'unknown-sku' THEN 'sku' ELSE 'sequence' END
           END,
           CASE WHEN outcome IS NULL THEN 'the balance would be too large to keep'
                WHEN outcome = 'late' THEN 'a later count stands already'
                WHEN outcome = 'refused' THEN
               CASE problem WHEN 'unknown-node' THEN 'there is no node ' || node_id
                            WHEN 'unknown-sku' THEN 'there is no SKU ' || sku
                            ELSE other END
           END,
           was, reserved, reserved_soft, damaged, quarantine, safety_stock, 0, last_sequence
    FROM item WHERE outcome IS NOT NULL OR target > {most_units}
)
{tail}
