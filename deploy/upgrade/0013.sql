-- Brings a database of migration 0013 (commit 1292288) to 0001, the one migration of the first release. Stop API and
-- workers, take a backup, and run it together with the functions as they are now, as one transaction:
--
--     psql -1 -v ON_ERROR_STOP=1 -f deploy/upgrade/0013.sql -f store/migrations/sql/0001_functions.sql "$DOM_DATABASE_URL"

DO $$
BEGIN
    IF (SELECT version_num FROM alembic_version) <> '0013' THEN
        RAISE EXCEPTION 'this database is not at migration 0013';
    END IF;
END $$;

-- What is set aside for waiting orders
ALTER TABLE soft_reservations
    ADD COLUMN backorder_of text REFERENCES orders (id),
    ADD COLUMN ready boolean DEFAULT false NOT NULL,
    ADD COLUMN declined jsonb;
UPDATE soft_reservations
SET backorder_of = substr(id, 9), ready = coalesce((document->>'ready')::boolean, false),
    declined = document->'declined', document = '{}'
WHERE id LIKE 'waiting/%';
DROP INDEX soft_reservations_waiting_ix;
CREATE UNIQUE INDEX soft_reservations_backorder_ix ON soft_reservations (backorder_of) WHERE backorder_of IS NOT NULL;
COMMENT ON COLUMN soft_reservations.backorder_of IS 'the order that waits for them; null: a cart''s';
COMMENT ON COLUMN soft_reservations.ready IS 'of a backorder: it is to take them';
COMMENT ON COLUMN soft_reservations.declined IS 'of a backorder: balances it could not use, and when';

-- Messages
ALTER TABLE outbox RENAME COLUMN occasion TO message_key;
ALTER INDEX outbox_occasion_ix RENAME TO outbox_message_key_ix;

-- Imports and rehearsals are workflows
DROP TRIGGER import_queued ON stock_imports;
DROP TRIGGER rehearsal_queued ON rehearsals;
CREATE TRIGGER shadow_started AFTER INSERT ON shadows FOR EACH STATEMENT EXECUTE FUNCTION wake('shadows');
ALTER TABLE rehearsals DROP COLUMN starts, DROP CONSTRAINT rehearsals_status_known_check,
    ADD CONSTRAINT rehearsals_status_known_check
        CHECK (status IN ('queued', 'running', 'done', 'failed', 'cancelled'));
COMMENT ON COLUMN rehearsals.detail IS 'why it failed or was cancelled';
ALTER TABLE stock_imports DROP CONSTRAINT stock_imports_status_known_check,
    ADD CONSTRAINT stock_imports_status_known_check
        CHECK (status IN ('receiving', 'queued', 'applying', 'done', 'refused', 'failed', 'cancelled'));
ALTER TABLE stock_import_rows DROP CONSTRAINT stock_import_rows_outcome_known_check,
    ADD CONSTRAINT stock_import_rows_outcome_known_check CHECK (outcome IN (
        'applied', 'short', 'repeated', 'late', 'superseded', 'replaced', 'refused', 'cancelled'));

-- An Idempotency-Key of a return is its caller's own: it counts for one order
DROP INDEX returns_request_key_ix;
CREATE UNIQUE INDEX returns_request_key_ix ON returns (order_id, request_key);

-- What the caller said of an import tells it from another one under its key
ALTER TABLE stock_imports ADD COLUMN asked jsonb;
COMMENT ON COLUMN stock_imports.asked IS 'format, time and sequence, as the caller said or did not say them';

-- A shipment of many heavy units weighs more than an integer holds
ALTER TABLE shipments ALTER COLUMN weight_grams TYPE bigint;

-- Secrets with which carriers sign
CREATE TABLE signing_secrets (
    id text PRIMARY KEY,
    carrier text NOT NULL,
    secret text NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    expires_at timestamptz,
    revoked_by text,
    revoked_at timestamptz,
    last_used_at timestamptz,
    rotated_from text REFERENCES signing_secrets (id),
    CONSTRAINT signing_secrets_secret_can_sign_check CHECK (secret LIKE 'whsec\_%' AND length(secret) >= 38),
    CONSTRAINT signing_secrets_revoked_by_somebody_check CHECK ((revoked_at IS NULL) = (revoked_by IS NULL))
);
COMMENT ON COLUMN signing_secrets.secret
    IS 'whsec_ and base64, as it is: whoever checks a signature needs the secret itself';
CREATE INDEX signing_secrets_carrier_ix ON signing_secrets (carrier);
CREATE INDEX signing_secrets_created_ix ON signing_secrets (created_at, id);

-- `0001_functions.sql` makes them anew.
DROP FUNCTION take_soft, take_one_soft, reserve_firm, reclaim_lapsed, allowed_units;

UPDATE alembic_version SET version_num = '0001';
