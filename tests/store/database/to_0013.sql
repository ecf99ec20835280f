-- Takes the schema of 0001 back to that of migration 0013, without its functions: what `deploy/upgrade/0013.sql` begins
-- with. A change of the schema stands in both, or the tests of the upgrade fail.

UPDATE soft_reservations
SET document = jsonb_strip_nulls(jsonb_build_object('ready', ready, 'declined', declined)) WHERE backorder_of IS NOT NULL;
DROP INDEX soft_reservations_backorder_ix;
ALTER TABLE soft_reservations DROP COLUMN backorder_of, DROP COLUMN ready, DROP COLUMN declined;
CREATE INDEX soft_reservations_waiting_ix ON soft_reservations (id) WHERE status = 'active' AND id LIKE 'waiting/%';

ALTER TABLE outbox RENAME COLUMN message_key TO occasion;
ALTER INDEX outbox_message_key_ix RENAME TO outbox_occasion_ix;

ALTER TABLE second_looks ADD COLUMN document jsonb DEFAULT '{}' NOT NULL, ADD COLUMN saving bigint DEFAULT 0 NOT NULL;
ALTER TABLE second_looks ALTER COLUMN document DROP DEFAULT, ALTER COLUMN saving DROP DEFAULT;
COMMENT ON COLUMN second_looks.document IS 'recalled and released';
COMMENT ON COLUMN second_looks.saving IS 'minor units; below zero: it made room';

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

UPDATE alembic_version SET version_num = '0013';
