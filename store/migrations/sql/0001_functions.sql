-- The formula: what is free of a balance, given the live soft reservations, and the units nobody may take.
CREATE FUNCTION free_units(on_hand int, reserved int, soft bigint, safety int) RETURNS bigint LANGUAGE sql IMMUTABLE
RETURN on_hand - reserved - soft - safety;


-- The formula: what a channel may have of free units, given its buffer and its share in percent.
CREATE FUNCTION allowed_units(free bigint, buffer int, share int) RETURNS int LANGUAGE sql IMMUTABLE
RETURN greatest(coalesce(free, 0) - coalesce(buffer, 0), 0) * coalesce(share, 100) / 100;


-- Takes soft reservations that lapsed off balances the caller has locked. Answers how many. Their rows are locked by id,
-- as by an owner who extends his reservation.
CREATE FUNCTION reclaim_lapsed(nodes text[], sku_ids text[]) RETURNS int LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
    reclaimed int;
BEGIN
    IF NOT EXISTS (
        SELECT FROM unnest(nodes, sku_ids) AS k (node_id, sku) JOIN reservations r USING (node_id, sku)
        WHERE r.kind = 'soft' AND r.status = 'active' AND r.expires_at <= statement_timestamp()
    ) THEN
        RETURN 0;
    END IF;
    WITH lapsed AS (
        UPDATE reservations r SET status = 'expired'
        FROM (SELECT r.id FROM (SELECT DISTINCT * FROM unnest(nodes, sku_ids)) AS k (node_id, sku)
              JOIN reservations r USING (node_id, sku)
              WHERE r.kind = 'soft' AND r.status = 'active' AND r.expires_at <= statement_timestamp()
              ORDER BY r.id FOR NO KEY UPDATE OF r) AS due
        WHERE r.id = due.id
        RETURNING r.id, r.node_id, r.sku, r.quantity, r.soft_id
    ), noted AS (
        INSERT INTO stock_ledger (node_id, sku, kind, soft_delta, business_key, reason, actor, occurred_at)
        SELECT node_id, sku, 'soft_expire', -quantity, soft_id || '/expire/' || id, 'expired', 'clock',
               statement_timestamp() FROM lapsed
    ), freed AS (
        UPDATE stock s SET reserved_soft = s.reserved_soft - l.units, updated_at = now()
        FROM (SELECT node_id, sku, sum(quantity)::int AS units FROM lapsed GROUP BY node_id, sku) l
        WHERE s.node_id = l.node_id AND s.sku = l.sku
    )
    SELECT count(*) INTO reclaimed FROM lapsed;
    RETURN reclaimed;
END $$;


-- Firm reservation of a whole plan: stock first, in (node, SKU) order, then nodes' days. False: it does not fit, and the
-- caller's transaction has to be rolled back. Each statement reads what was committed while it waited for its locks.
-- `owned` are units the caller gave back in this transaction: they are his, whatever the channel's rules say by now.
CREATE FUNCTION reserve_firm(
    of_order text, for_channel text, at timestamptz,
    nodes text[], sku_ids text[], quantities int[], owned int[],
    unit_fulfilments text[], unit_lines text[], unit_nodes text[], unit_skus text[], unit_quantities int[],
    day_nodes text[], days date[], day_services text[], day_units int[]
) RETURNS boolean LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
    work record;
BEGIN
    PERFORM FROM stock s JOIN unnest(nodes, sku_ids) AS w (node_id, sku) USING (node_id, sku)
    ORDER BY s.node_id, s.sku FOR NO KEY UPDATE OF s;
    PERFORM reclaim_lapsed(nodes, sku_ids);
    IF EXISTS (
        SELECT FROM unnest(nodes, sku_ids, quantities, owned) AS w (node_id, sku, quantity, owned)
        LEFT JOIN stock s USING (node_id, sku)
        LEFT JOIN LATERAL (
            SELECT buffer, CASE WHEN excluded THEN 0 ELSE share END AS share FROM channel_rules c
            WHERE c.channel = for_channel AND c.sku IN (w.sku, '') AND c.node_id IN (w.node_id, '')
            ORDER BY c.sku = '', c.node_id = '' LIMIT 1) rule ON true
        WHERE w.quantity > greatest(w.owned, allowed_units(
            free_units(s.on_hand, s.reserved, s.reserved_soft, s.safety_stock), rule.buffer, rule.share))
    ) THEN
        RETURN false;
    END IF;
    UPDATE stock s SET reserved = s.reserved + w.quantity, updated_at = now()
    FROM unnest(nodes, sku_ids, quantities) AS w (node_id, sku, quantity)
    WHERE s.node_id = w.node_id AND s.sku = w.sku;
    INSERT INTO reservations (kind, status, node_id, sku, quantity, order_id, line_id, fulfilment_id)
    SELECT 'firm', 'active', u.node_id, u.sku, u.quantity, of_order, u.line_id, u.fulfilment_id
    FROM unnest(unit_fulfilments, unit_lines, unit_nodes, unit_skus, unit_quantities)
        AS u (fulfilment_id, line_id, node_id, sku, quantity);
    INSERT INTO stock_ledger (node_id, sku, kind, reserved_delta, business_key, order_id, actor, occurred_at)
    SELECT u.node_id, u.sku, 'reserve', sum(u.quantity), u.fulfilment_id || '/reserve', of_order, 'ofl', at
    FROM unnest(unit_fulfilments, unit_nodes, unit_skus, unit_quantities) AS u (fulfilment_id, node_id, sku, quantity)
    GROUP BY u.fulfilment_id, u.node_id, u.sku;
    FOR work IN
        SELECT d.node_id, d.day, '' AS service, sum(d.units)::int AS units, n.daily_capacity AS most
        FROM unnest(day_nodes, days, day_units) AS d (node_id, day, units) JOIN nodes n ON n.id = d.node_id
        GROUP BY d.node_id, d.day, n.daily_capacity
        UNION ALL
        SELECT d.node_id, d.day, d.service, d.units, (n.document->'service_capacity'->>d.service)::int
        FROM unnest(day_nodes, days, day_services, day_units) AS d (node_id, day, service, units)
        JOIN nodes n ON n.id = d.node_id AND n.document->'service_capacity' ? d.service
        ORDER BY node_id, day, service
    LOOP
        INSERT INTO node_days AS d (node_id, day, service, used)
        SELECT work.node_id, work.day, work.service, work.units WHERE work.units <= work.most
        ON CONFLICT (node_id, day, service) DO UPDATE SET used = d.used + EXCLUDED.used
        WHERE d.used + EXCLUDED.used <= work.most;
        IF NOT FOUND THEN
            RETURN false;
        END IF;
    END LOOP;
    RETURN true;
END $$;


-- The usual request, of one SKU at one node, in as few statements as can be: a hot row is locked from the UPDATE on. False
-- if it is not that easy, and nothing was done: the id or the owner is known, or the units are not there at first sight.
CREATE FUNCTION take_one_soft(
    soft_id text, of_channel text, of_owner text, why text, length int, content text, is_brokering boolean,
    from_node text, of_sku text, units int
) RETURNS boolean LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    rule record;
    ends timestamptz := statement_timestamp() + make_interval(secs => length);
BEGIN
    SELECT buffer, share INTO rule FROM (SELECT 1) AS once LEFT JOIN LATERAL (
        SELECT buffer, CASE WHEN excluded THEN 0 ELSE share END AS share FROM channel_rules c
        WHERE c.channel = of_channel AND c.sku IN (of_sku, '') AND c.node_id IN (from_node, '')
        ORDER BY c.sku = '', c.node_id = '' LIMIT 1) r ON true
    WHERE NOT EXISTS (SELECT FROM soft_reservations h WHERE h.id = soft_id)
      AND NOT EXISTS (
          SELECT FROM soft_reservations h
          WHERE h.channel = of_channel AND h.owner = of_owner AND h.status = 'active');
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE stock s SET reserved_soft = s.reserved_soft + units, updated_at = now()
    WHERE s.node_id = from_node AND s.sku = of_sku AND units <= allowed_units(
        free_units(s.on_hand, s.reserved, s.reserved_soft, CASE
            WHEN is_brokering THEN s.safety_stock ELSE greatest(s.safety_stock, s.promise_safety) END),
        rule.buffer, rule.share);
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    WITH kept AS (
        INSERT INTO soft_reservations (id, channel, owner, reason, document, expires_at)
        VALUES (soft_id, of_channel, of_owner, why, content::jsonb, ends)
    ), held AS (
        INSERT INTO reservations (kind, status, node_id, sku, quantity, soft_id, expires_at)
        VALUES ('soft', 'active', from_node, of_sku, units, soft_id, ends)
    )
    INSERT INTO stock_ledger (node_id, sku, kind, soft_delta, business_key, reason, actor, occurred_at)
    VALUES (from_node, of_sku, 'soft_reserve', units, soft_id || '/soft', why, of_channel || '/' || of_owner,
            statement_timestamp());
    RETURN true;
END $$;


-- Soft reservations of many requests, each whole or not at all; what one gets the next ones of the group do not.
-- Verdicts: taken; repeated (the id was taken before); owner_busy (the owner has another one); refused (does not fit,
-- even alone); crowded (did not fit behind the requests before it, or stands behind another one of its owner: to be
-- tried again). `unit_owned` as in reserve_firm, for one request alone.
CREATE FUNCTION take_soft(
    ids text[], channels text[], owners text[], reasons text[], seconds int[], documents text[], brokerings boolean[],
    unit_requests int[], unit_nodes text[], unit_skus text[], unit_quantities int[], unit_owned int[]
) RETURNS text[] LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
    verdicts text[];
BEGIN
    IF cardinality(ids) = 1 AND cardinality(unit_requests) = 1 AND unit_owned[1] = 0 AND take_one_soft(
        ids[1], channels[1], owners[1], reasons[1], seconds[1], documents[1], brokerings[1],
        unit_nodes[1], unit_skus[1], unit_quantities[1]) THEN
        RETURN ARRAY['taken'];
    END IF;
    PERFORM FROM stock s JOIN (SELECT DISTINCT * FROM unnest(unit_nodes, unit_skus)) AS w (node_id, sku)
        USING (node_id, sku)
    ORDER BY s.node_id, s.sku FOR NO KEY UPDATE OF s;
    PERFORM reclaim_lapsed(unit_nodes, unit_skus);
    SELECT array_agg(CASE
        WHEN EXISTS (SELECT FROM soft_reservations h WHERE h.id = q.id) THEN 'repeated'
        WHEN EXISTS (
            SELECT FROM soft_reservations h
            WHERE h.channel = q.channel AND h.owner = q.owner AND h.status = 'active') THEN 'owner_busy'
        WHEN q.place > 1 THEN 'crowded'
        END ORDER BY q.no)
    INTO verdicts
    FROM (
        SELECT no, id, channel, owner, row_number() OVER (PARTITION BY channel, owner ORDER BY no) AS place
        FROM unnest(ids, channels, owners) WITH ORDINALITY AS a (id, channel, owner, no)) q;
    SELECT array_agg(coalesce(verdicts[q.no],
                              CASE WHEN j.fits THEN 'taken' WHEN j.fits_alone THEN 'crowded' ELSE 'refused' END)
                     ORDER BY q.no)
    INTO verdicts
    FROM generate_subscripts(ids, 1) AS q (no)
    LEFT JOIN (
        SELECT no, bool_and(quantity <= greatest(owned, allowed_units(free - ahead, buffer, share))) AS fits,
               bool_and(quantity <= greatest(owned, allowed_units(free, buffer, share))) AS fits_alone
        FROM (
            SELECT u.no, u.quantity, u.owned, rule.buffer, rule.share,
                   coalesce(free_units(s.on_hand, s.reserved, s.reserved_soft, CASE
                       WHEN brokerings[u.no] THEN s.safety_stock
                       ELSE greatest(s.safety_stock, s.promise_safety) END), 0) AS free,
                   (sum(u.quantity) OVER (PARTITION BY u.node_id, u.sku ORDER BY u.no) - u.quantity)::int AS ahead
            FROM (
                SELECT no, node_id, sku, sum(quantity)::int AS quantity, max(owned) AS owned
                FROM unnest(unit_requests, unit_nodes, unit_skus, unit_quantities, unit_owned)
                    AS a (no, node_id, sku, quantity, owned)
                WHERE verdicts[no] IS NULL GROUP BY no, node_id, sku) u
            LEFT JOIN stock s USING (node_id, sku)
            LEFT JOIN LATERAL (
                SELECT buffer, CASE WHEN excluded THEN 0 ELSE share END AS share FROM channel_rules c
                WHERE c.channel = channels[u.no] AND c.sku IN (u.sku, '') AND c.node_id IN (u.node_id, '')
                ORDER BY c.sku = '', c.node_id = '' LIMIT 1) rule ON true) w
        GROUP BY no) j USING (no);
    IF NOT 'taken' = ANY (verdicts) THEN
        RETURN verdicts;
    END IF;
    UPDATE stock s SET reserved_soft = s.reserved_soft + t.units, updated_at = now()
    FROM (
        SELECT node_id, sku, sum(quantity)::int AS units
        FROM unnest(unit_requests, unit_nodes, unit_skus, unit_quantities) AS a (no, node_id, sku, quantity)
        WHERE verdicts[no] = 'taken' GROUP BY node_id, sku) t
    WHERE s.node_id = t.node_id AND s.sku = t.sku;
    INSERT INTO soft_reservations (id, channel, owner, reason, document, expires_at)
    SELECT id, channel, owner, reason, document::jsonb, statement_timestamp() + make_interval(secs => length)
    FROM unnest(ids, channels, owners, reasons, seconds, documents, verdicts)
        AS a (id, channel, owner, reason, length, document, verdict)
    WHERE verdict = 'taken';
    INSERT INTO reservations (kind, status, node_id, sku, quantity, soft_id, expires_at)
    SELECT 'soft', 'active', node_id, sku, sum(quantity), ids[no],
           statement_timestamp() + make_interval(secs => seconds[no])
    FROM unnest(unit_requests, unit_nodes, unit_skus, unit_quantities) AS a (no, node_id, sku, quantity)
    WHERE verdicts[no] = 'taken' GROUP BY no, node_id, sku;
    INSERT INTO stock_ledger (node_id, sku, kind, soft_delta, business_key, reason, actor, occurred_at)
    SELECT node_id, sku, 'soft_reserve', sum(quantity), ids[no] || '/soft', reasons[no],
           channels[no] || '/' || owners[no], statement_timestamp()
    FROM unnest(unit_requests, unit_nodes, unit_skus, unit_quantities) AS a (no, node_id, sku, quantity)
    WHERE verdicts[no] = 'taken' GROUP BY no, node_id, sku;
    RETURN verdicts;
END $$;
