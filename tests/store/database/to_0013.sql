-- Takes the schema of 0001 back to that of migration 0013, without its functions: what `deploy/upgrade/0013.sql` begins
-- with. A change of the schema stands in both, or the tests of the upgrade fail.

UPDATE soft_reservations
SET document = jsonb_strip_nulls(jsonb_build_object('ready', ready, 'declined', declined)) WHERE backorder_of IS NOT NULL;
DROP INDEX soft_reservations_backorder_ix;
ALTER TABLE soft_reservations DROP COLUMN backorder_of, DROP COLUMN ready, DROP COLUMN declined;
CREATE INDEX soft_reservations_waiting_ix ON soft_reservations (id) WHERE status = 'active' AND id LIKE 'waiting/%';

ALTER TABLE outbox RENAME COLUMN message_key TO occasion;
ALTER INDEX outbox_message_key_ix RENAME TO outbox_occasion_ix;

ALTER TABLE reoptimisations ADD COLUMN document jsonb DEFAULT '{}' NOT NULL, ADD COLUMN saving bigint DEFAULT 0 NOT NULL;
ALTER TABLE reoptimisations ALTER COLUMN document DROP DEFAULT, ALTER COLUMN saving DROP DEFAULT;
COMMENT ON COLUMN reoptimisations.document IS 'recalled and released';
COMMENT ON COLUMN reoptimisations.saving IS 'minor units; below zero: it made room';

CREATE TRIGGER import_queued AFTER INSERT OR UPDATE OF status ON stock_imports
    FOR EACH ROW WHEN (NEW.status = 'queued') EXECUTE FUNCTION wake('imports');
CREATE TRIGGER rehearsal_queued AFTER INSERT OR UPDATE OF status ON rehearsals
    FOR EACH ROW WHEN (NEW.status = 'queued') EXECUTE FUNCTION wake('rehearsals');
DROP TRIGGER shadow_started ON shadows;
ALTER TABLE rehearsals ADD COLUMN starts integer DEFAULT 0 NOT NULL, DROP CONSTRAINT rehearsals_status_known_check,
    ADD CONSTRAINT rehearsals_status_known_check CHECK (status IN ('queued', 'running', 'done', 'failed'));
COMMENT ON COLUMN rehearsals.starts IS 'how often it was begun';
COMMENT ON COLUMN rehearsals.detail IS 'why it failed';
ALTER TABLE stock_imports DROP CONSTRAINT stock_imports_status_known_check,
    ADD CONSTRAINT stock_imports_status_known_check
        CHECK (status IN ('receiving', 'queued', 'applying', 'done', 'refused', 'failed'));
ALTER TABLE stock_import_rows DROP CONSTRAINT stock_import_rows_outcome_known_check,
    ADD CONSTRAINT stock_import_rows_outcome_known_check CHECK (outcome IN (
        'applied', 'short', 'repeated', 'late', 'superseded', 'replaced', 'refused'));

DROP TABLE signing_secrets;
DROP FUNCTION free_units;

ALTER TABLE reoptimisations RENAME COLUMN applied_at TO taken_in_at;
ALTER TABLE reoptimisations RENAME CONSTRAINT reoptimisations_pkey TO second_looks_pkey;
ALTER TABLE reoptimisations RENAME CONSTRAINT reoptimisations_order_id_fkey TO second_looks_order_id_fkey;
ALTER TABLE reoptimisations RENAME TO second_looks;
COMMENT ON COLUMN sourcing_decisions.business_key IS 'what asked for it: the order''s nth sourcing, a second look';
ALTER TABLE carrier_events RENAME COLUMN notified_at TO told_at;
ALTER TABLE shipments ALTER COLUMN weight_grams TYPE integer;
DROP INDEX returns_request_key_ix;
CREATE UNIQUE INDEX returns_request_key_ix ON returns (request_key);
ALTER TABLE stock_imports DROP COLUMN asked;
DROP INDEX audit_log_object_ix, audit_log_recorded_ix;
UPDATE count_marks SET sequence = 0 WHERE sequence IS NULL;
ALTER TABLE count_marks ALTER COLUMN sequence SET NOT NULL;
UPDATE stock_imports SET sequence = 0 WHERE sequence IS NULL;
ALTER TABLE stock_imports ALTER COLUMN sequence SET DEFAULT 0, ALTER COLUMN sequence SET NOT NULL, DROP COLUMN nodes;
COMMENT ON COLUMN stock_imports.sequence IS NULL;

UPDATE alembic_version SET version_num = '0013';
