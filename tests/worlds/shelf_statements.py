"""What the database says of the shelves, and what is done to them past the store."""

from __future__ import annotations

from sqlalchemy import text

from store.stock import terms

# Even a ledger that only grows starts anew with each try.
EMPTY = """
SET LOCAL session_replication_role = replica;
DELETE FROM stock_ledger; DELETE FROM reservations; DELETE FROM soft_reservations; DELETE FROM fulfilment_lines;
DELETE FROM fulfilments; DELETE FROM order_lines; DELETE FROM orders; DELETE FROM node_days; DELETE FROM channel_rules;
DELETE FROM stock; DELETE FROM count_marks; DELETE FROM exceptions
"""
BOOKS = text("""
SELECT s.node_id, s.sku, s.on_hand, s.damaged, s.quarantine, s.reserved, s.reserved_soft, s.safety_stock,
       s.promise_safety,
       (SELECT jsonb_build_array(
            coalesce(sum(on_hand_delta), 0), coalesce(sum(damaged_delta), 0), coalesce(sum(quarantine_delta), 0),
            coalesce(sum(reserved_delta), 0), coalesce(sum(soft_delta), 0), coalesce(sum(safety_delta), 0),
            coalesce(sum(promise_safety_delta), 0))
        FROM stock_ledger l WHERE l.node_id = s.node_id AND l.sku = s.sku) AS ledger,
       (SELECT jsonb_build_array(coalesce(sum(quantity) FILTER (WHERE kind = 'firm'), 0),
                                 coalesce(sum(quantity) FILTER (WHERE kind = 'soft'), 0))
        FROM reservations r WHERE r.node_id = s.node_id AND r.sku = s.sku AND status = 'active') AS held
FROM stock s
""")
AVAILABLE = text(f"""
SELECT s.node_id, s.sku, {terms.allowed(f"({terms.FREE_FOR_OFL})")} AS ofl,
       {terms.allowed(f"({terms.FREE_TO_PROMISE})")} AS promise
FROM stock s {terms.rules()}
""")  # noqa: S608 - put together of our own constants
YOUNGEST_FIRST = text("""
SELECT soft_id FROM reservations WHERE node_id = :node_id AND sku = :sku AND kind = 'soft' AND status = 'active'
ORDER BY created_at DESC, id DESC
""")
RULE = text("""
INSERT INTO channel_rules (channel, sku, node_id, buffer, share, excluded)
VALUES (:channel, :sku, :node_id, :buffer, :share, :excluded)
ON CONFLICT (channel, sku, node_id)
DO UPDATE SET buffer = EXCLUDED.buffer, share = EXCLUDED.share, excluded = EXCLUDED.excluded
""")
LAPSE = text("""
WITH header AS (
    UPDATE soft_reservations SET expires_at = statement_timestamp() - interval '1 second' WHERE id = :id
)
UPDATE reservations SET expires_at = statement_timestamp() - interval '1 second' WHERE soft_id = :id
""")
