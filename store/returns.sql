-- A change of a return: its units by line, what became of those that were inspected, its refund, and where it stands.
WITH moved AS (
    UPDATE return_lines l SET received = l.received + coalesce(CAST(CAST(:received AS jsonb)->>l.line_id AS int), 0),
        released = l.released + coalesce(CAST(CAST(:released AS jsonb)->>l.line_id AS int), 0)
    WHERE l.return_id = :id
), found AS (
    INSERT INTO return_dispositions AS d (return_id, line_id, disposition, quantity)
    SELECT :id, f.line_id, f.disposition, f.quantity
    FROM jsonb_to_recordset(CAST(:found AS jsonb)) AS f (line_id text, disposition text, quantity int)
    ON CONFLICT (return_id, line_id, disposition) DO UPDATE SET quantity = d.quantity + EXCLUDED.quantity
), refunded AS (
    INSERT INTO refunds (business_key, order_id, return_id, amount, currency, reason)
    SELECT :id || '/refund/' || :number, :order_id, :id, :refund, o.currency, 'return'
    FROM orders o WHERE o.id = :order_id AND :refunds
)
UPDATE returns SET status = :status, number = :number, expires_at = :expires_at,
    released_by = coalesce(:released_by, released_by),
    received_at = CASE WHEN :arrived THEN CAST(:at AS timestamptz) ELSE received_at END,
    finished_at = CASE WHEN :ended THEN CAST(:at AS timestamptz) END
WHERE id = :id
