DROP TABLE watches, exception_comments;
DROP INDEX timeline_kind_ix;
DROP TRIGGER counts_version ON exceptions;
DROP FUNCTION count_version();
-- The checks and indexes of these columns go with them.
ALTER TABLE exceptions
    DROP COLUMN version,
    DROP COLUMN severity,
    DROP COLUMN owner_role,
    DROP COLUMN due_at,
    DROP COLUMN snoozed_until,
    DROP COLUMN resolution,
    DROP COLUMN resolved_by;
DROP INDEX exceptions_open_kind_ix;
DROP INDEX IF EXISTS exceptions_open_owner_ix;
