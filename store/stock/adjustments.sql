WITH RECURSIVE item AS MATERIALIZED (
    SELECT i.no, i.node_id, i.sku, i.damaged, i.quarantine, i.kind, i.reason, i.reason_code, i.business_key,
           i.on_hand AS asked, CASE WHEN i.at <= s.counted_at THEN 0 ELSE i.on_hand END AS on_hand,
           least(i.at, statement_timestamp()) AS at,
           coalesce(s.on_hand, 0) AS was_on_hand, coalesce(s.damaged, 0) AS was_damaged,
           coalesce(s.quarantine, 0) AS was_quarantine, coalesce(s.reserved, 0) AS reserved,
           coalesce(s.reserved_soft, 0) AS reserved_soft, coalesce(s.safety_stock, 0) AS safety_stock,
           CASE WHEN n.id IS NULL THEN 'unknown-node' WHEN k.id IS NULL THEN 'unknown-sku'
                WHEN e.damaged_delta <> i.damaged OR e.quarantine_delta <> i.quarantine
                     OR e.on_hand_delta <> i.on_hand AND (
                         e.on_hand_delta <> 0 OR i.damaged = 0 AND i.quarantine = 0) THEN 'conflict'
                END AS problem,
           e.id IS NOT NULL AS done, e.on_hand_delta + e.damaged_delta + e.quarantine_delta AS done_before,
           i.at <= s.counted_at AND i.damaged = 0 AND i.quarantine = 0 AS seen,
           row_number() OVER (PARTITION BY i.business_key, i.node_id, i.sku ORDER BY i.no) AS copy
    FROM ({rows}) i LEFT JOIN nodes n ON n.id = i.node_id LEFT JOIN skus k ON k.id = i.sku
    LEFT JOIN stock s ON s.node_id = i.node_id AND s.sku = i.sku
    LEFT JOIN stock_ledger e ON e.business_key = i.business_key AND e.node_id = i.node_id AND e.sku = i.sku
), new AS (
    SELECT *, problem IS NULL AND NOT done AND seen IS NOT TRUE AS tried FROM item
), running AS (
    SELECT n.*, row_number() OVER way AS place, was_on_hand + sum(on_hand) OVER way AS to_on_hand,
           was_damaged + sum(damaged) OVER way AS to_damaged,
           was_quarantine + sum(quarantine) OVER way AS to_quarantine
    FROM new n WHERE tried AND copy = 1 WINDOW way AS (PARTITION BY node_id, sku ORDER BY no)
), sorted AS MATERIALIZED (
    SELECT *, bool_and({sums_fit})
              OVER (PARTITION BY node_id, sku) AS easy FROM running
), walked AS (
    SELECT w.*, {change_fits} AS fits
    FROM (SELECT node_id, sku, place, no, reserved, reserved_soft, was_on_hand::bigint AS on_hand_before,
                 was_damaged::bigint AS damaged_before, was_quarantine::bigint AS quarantine_before,
                 was_on_hand::bigint + on_hand AS on_hand_then, was_damaged::bigint + damaged AS damaged_then,
                 was_quarantine::bigint + quarantine AS quarantine_then
          FROM sorted WHERE NOT easy AND place = 1) w
    UNION ALL
    SELECT w.*, {change_fits}
    FROM (SELECT s.node_id, s.sku, s.place, s.no, s.reserved, s.reserved_soft, b.on_hand, b.damaged, b.quarantine,
                 b.on_hand + s.on_hand AS on_hand_then, b.damaged + s.damaged AS damaged_then,
                 b.quarantine + s.quarantine AS quarantine_then
          FROM walked p
          CROSS JOIN LATERAL (
              SELECT CASE WHEN p.fits THEN p.on_hand_then ELSE p.on_hand_before END AS on_hand,
                     CASE WHEN p.fits THEN p.damaged_then ELSE p.damaged_before END AS damaged,
                     CASE WHEN p.fits THEN p.quarantine_then ELSE p.quarantine_before END AS quarantine) b
          JOIN sorted s ON s.node_id = p.node_id AND s.sku = p.sku AND s.place = p.place + 1) w
), first AS MATERIALIZED (
    SELECT s.*, s.easy OR w.fits AS fits,
           CASE WHEN s.easy THEN s.to_on_hand WHEN w.fits THEN w.on_hand_then ELSE w.on_hand_before END
               AS now_on_hand,
           CASE WHEN s.easy THEN s.to_damaged WHEN w.fits THEN w.damaged_then ELSE w.damaged_before END
               AS now_damaged,
           CASE WHEN s.easy THEN s.to_quarantine WHEN w.fits THEN w.quarantine_then ELSE w.quarantine_before END
               AS now_quarantine,
           greatest(w.on_hand_then, w.damaged_then, w.quarantine_then) > {most_units} AS too_many
    FROM sorted s LEFT JOIN walked w ON w.no = s.no
), judged AS (
    SELECT no, node_id, sku, CASE WHEN fits THEN 'applied' ELSE 'refused' END AS outcome,
           CASE WHEN too_many THEN 'invalid-input' WHEN NOT fits THEN 'stock-conflict' END AS problem,
           asked, damaged, quarantine, done_before, now_on_hand, now_damaged, now_quarantine, reserved,
           reserved_soft, safety_stock
    FROM first
    UNION ALL
    SELECT c.no, c.node_id, c.sku, CASE WHEN f.fits AND NOT other THEN 'repeated' ELSE 'refused' END,
           CASE WHEN other THEN 'conflict' WHEN f.too_many THEN 'invalid-input'
                WHEN NOT f.fits THEN 'stock-conflict' END,
           c.asked, c.damaged, c.quarantine, f.on_hand + f.damaged + f.quarantine, f.now_on_hand, f.now_damaged,
           f.now_quarantine, c.reserved, c.reserved_soft, c.safety_stock
    FROM new c JOIN first f ON f.business_key = c.business_key AND f.node_id = c.node_id AND f.sku = c.sku
    CROSS JOIN LATERAL (SELECT (c.asked, c.damaged, c.quarantine) <> (f.asked, f.damaged, f.quarantine) AS other) o
    WHERE c.tried AND c.copy > 1
    UNION ALL
    SELECT no, node_id, sku,
           CASE WHEN problem IS NOT NULL THEN 'refused' WHEN done THEN 'repeated' ELSE 'superseded' END,
           problem, asked, damaged, quarantine, done_before, was_on_hand, was_damaged, was_quarantine, reserved,
           reserved_soft, safety_stock
    FROM new WHERE NOT tried
), changed AS (
    UPDATE stock s SET on_hand = s.on_hand + c.on_hand, damaged = s.damaged + c.damaged,
                       quarantine = s.quarantine + c.quarantine, updated_at = now()
    FROM (SELECT node_id, sku, sum(on_hand)::int AS on_hand, sum(damaged)::int AS damaged,
                 sum(quarantine)::int AS quarantine FROM first WHERE fits GROUP BY node_id, sku) c
    WHERE s.node_id = c.node_id AND s.sku = c.sku
), noted AS (
    INSERT INTO stock_ledger (node_id, sku, kind, on_hand_delta, damaged_delta, quarantine_delta, business_key,
                              reason_code, reason, actor, occurred_at)
    SELECT node_id, sku, kind, on_hand, damaged, quarantine, business_key, reason_code, reason,
           CAST(:actor AS text), at
    FROM first WHERE fits ORDER BY no
), verdict AS (
    SELECT no, node_id, sku, outcome, problem, done_before, now_on_hand::int AS on_hand,
           now_damaged::int AS damaged, now_quarantine::int AS quarantine, reserved, reserved_soft, safety_stock,
           CASE problem WHEN 'unknown-node' THEN 'node_id' WHEN 'unknown-sku' THEN 'sku'
                        WHEN 'conflict' THEN '{key_field}' ELSE CASE WHEN problem IS NOT NULL THEN 'quantity' END
           END AS field,
           CASE problem WHEN 'unknown-node' THEN 'there is no node ' || node_id
                        WHEN 'unknown-sku' THEN 'there is no SKU ' || sku
                        WHEN 'conflict' THEN 'the key was used before, for another change'
                        WHEN 'invalid-input' THEN 'the balance would be too large to keep'
                        WHEN 'stock-conflict' THEN CASE
               WHEN now_on_hand + asked < reserved + reserved_soft AND asked < 0 THEN format(
                   '%s cannot go: %s on hand, %s of them reserved', -asked, now_on_hand, reserved)
                   || CASE WHEN reserved_soft > 0 THEN format(' and %s held', reserved_soft) ELSE '' END
               WHEN now_damaged + damaged < 0 THEN format('%s cannot go: %s damaged', -damaged, now_damaged)
               ELSE format('%s cannot go: %s in quarantine', -quarantine, now_quarantine) END
           END AS detail
    FROM judged
)
{tail}
