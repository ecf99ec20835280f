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

-- What is allocated to waiting orders
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

-- Counts without a sequence go by their time; theirs was the milliseconds of it
ALTER TABLE count_marks ALTER COLUMN sequence DROP NOT NULL;
ALTER TABLE stock_imports ALTER COLUMN sequence DROP NOT NULL, ALTER COLUMN sequence DROP DEFAULT,
    ADD COLUMN nodes text[];
COMMENT ON COLUMN stock_imports.nodes IS 'those its sender is limited to; null: no limit';
COMMENT ON COLUMN stock_imports.sequence IS 'of counts; null: they go by their time';
UPDATE count_marks m SET sequence = NULL FROM stock_imports i
WHERE i.kind = 'counts' AND i.source = m.source AND i.sequence = m.sequence
  AND abs(i.sequence - extract(epoch FROM i.as_of) * 1000) <= 1;
UPDATE stock_imports SET sequence = NULL WHERE abs(sequence - extract(epoch FROM as_of) * 1000) <= 1;

-- Messages
ALTER TABLE outbox RENAME COLUMN occasion TO message_key;
ALTER INDEX outbox_occasion_ix RENAME TO outbox_message_key_ix;

-- What a second look changed stands in the timeline
ALTER TABLE second_looks DROP COLUMN document, DROP COLUMN saving;

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

-- The audit log is looked through by what it is about, and by time
CREATE INDEX audit_log_object_ix ON audit_log (object, id);
CREATE INDEX audit_log_recorded_ix ON audit_log (recorded_at);
-- The second look is re-optimisation
ALTER TABLE second_looks RENAME TO reoptimisations;
ALTER TABLE reoptimisations RENAME COLUMN taken_in_at TO applied_at;
ALTER TABLE reoptimisations RENAME CONSTRAINT second_looks_pkey TO reoptimisations_pkey;
ALTER TABLE reoptimisations RENAME CONSTRAINT second_looks_order_id_fkey TO reoptimisations_order_id_fkey;
COMMENT ON COLUMN sourcing_decisions.business_key IS 'what asked for it: the order''s nth sourcing, a re-optimisation';
UPDATE timeline SET kind = 'reoptimised', business_key = replace(business_key, 'second_look:', 'reoptimised:')
WHERE kind = 'second_look';
UPDATE sourcing_decisions SET cause = 'reoptimised', business_key = replace(business_key, 'second_look:', 'reoptimised:')
WHERE cause = 'second look';
UPDATE sourcing_decisions SET cause = 'retried' WHERE cause = 'looked again';
UPDATE exceptions SET kind = 'reoptimised_no_process' WHERE kind = 'second_look_gone';
UPDATE exceptions SET kind = 'backorder_no_process' WHERE kind = 'waiting_order_gone';
UPDATE outbox SET kind = 'reoptimised' WHERE kind = 'looked_again';
ALTER TABLE policies DISABLE TRIGGER never_changes;
UPDATE policies SET source = regexp_replace(source, '\msecond_look\M', 'reoptimisation', 'g'),
    document = document - 'second_look' || jsonb_build_object('reoptimisation', document->'second_look')
WHERE document ? 'second_look';
ALTER TABLE policies ENABLE TRIGGER never_changes;
UPDATE policy_drafts SET source = regexp_replace(source, '\msecond_look\M', 'reoptimisation', 'g'),
    document = document - 'second_look' || jsonb_build_object('reoptimisation', document->'second_look')
WHERE document ? 'second_look';
UPDATE rehearsals SET policy = policy - 'second_look' || jsonb_build_object('reoptimisation', policy->'second_look')
WHERE policy ? 'second_look';
UPDATE shadows SET policy = policy - 'second_look' || jsonb_build_object('reoptimisation', policy->'second_look')
WHERE policy ? 'second_look';
UPDATE rehearsals SET report = replace(replace(report::text, '"second_looks"', '"reoptimisations"'),
    '"second_look"', '"reoptimised"')::jsonb
WHERE report IS NOT NULL;

-- What was told is notified or explained, what is gone is not found
ALTER TABLE carrier_events RENAME COLUMN told_at TO notified_at;
UPDATE rehearsals SET report = replace(replace(report::text, '"told_otherwise"', '"explained_otherwise"'),
    '"policy_gone"', '"policy_not_found"')::jsonb
WHERE report IS NOT NULL;

-- `0001_functions.sql` makes them anew.
DROP FUNCTION take_soft, take_one_soft, reserve_firm, reclaim_lapsed, allowed_units;

UPDATE alembic_version SET version_num = '0001';
