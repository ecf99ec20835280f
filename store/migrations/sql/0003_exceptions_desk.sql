-- The exceptions desk: who looks after an exception, until when, and what was done about it.
ALTER TABLE exceptions
    ADD COLUMN version INTEGER DEFAULT 1 NOT NULL,
    ADD COLUMN severity TEXT DEFAULT 'major' NOT NULL,
    ADD COLUMN owner_role TEXT DEFAULT 'operator' NOT NULL,
    ADD COLUMN due_at TIMESTAMP WITH TIME ZONE DEFAULT (now() + '08:00:00'::interval) NOT NULL,
    ADD COLUMN snoozed_until TIMESTAMP WITH TIME ZONE,
    ADD COLUMN resolution TEXT,
    ADD COLUMN resolved_by TEXT;
COMMENT ON COLUMN exceptions.version IS 'counts every change of the row';
COMMENT ON COLUMN exceptions.resolution IS 'what a person did about it; null: it is open, or closed itself';

-- What is known of the kinds that were opened before. Who closed one was its owner until now.
UPDATE exceptions x
SET severity = k.severity, owner_role = k.owner_role, due_at = x.opened_at + make_interval(mins => k.minutes)
FROM (VALUES
        ('backorder', 'minor', 'support', 4320),
        ('cannot_be_sourced', 'major', 'planner', 480),
        ('work_at_a_node', 'major', 'operator', 240),
        ('parcel_lost', 'major', 'support', 1440),
        ('parcel_returned_to_sender', 'major', 'support', 4320),
        ('report_out_of_turn', 'major', 'support', 480),
        ('return_arrived_late', 'major', 'support', 480),
        ('return_not_inspected', 'major', 'operator', 1440),
        ('message_refused', 'minor', 'support', 1440),
        ('message_given_up', 'minor', 'operator', 1440),
        ('label_transliterated', 'minor', 'support', 120),
        ('message_uncertain', 'minor', 'support', 1440),
        ('count_below_reserved', 'major', 'planner', 480),
        ('transfer_short', 'major', 'planner', 480),
        ('transfer_over', 'major', 'planner', 480),
        ('backorder_no_process', 'critical', 'operator', 60),
        ('stock_reconcile', 'critical', 'operator', 60),
        ('webhook_stuck', 'major', 'operator', 480),
        ('sourcing', 'major', 'planner', 480),
        ('reoptimised_no_process', 'critical', 'operator', 60),
        ('no_process', 'critical', 'operator', 60),
        ('process_differs', 'critical', 'operator', 60),
        ('not_in_store', 'critical', 'operator', 60)
    ) AS k (kind, severity, owner_role, minutes)
WHERE k.kind = x.kind;
UPDATE exceptions SET resolution = 'closed', resolved_by = owner WHERE status = 'closed' AND owner IS NOT NULL;

ALTER TABLE exceptions
    ADD CONSTRAINT exceptions_severity_known_check CHECK (severity IN ('critical', 'major', 'minor')),
    ADD CONSTRAINT exceptions_owner_role_known_check CHECK (owner_role IN ('support', 'planner', 'operator')),
    ADD CONSTRAINT exceptions_resolved_by_somebody_check CHECK ((resolution IS NULL) = (resolved_by IS NULL)),
    ADD CONSTRAINT exceptions_resolved_is_closed_check CHECK (resolution IS NULL OR status = 'closed');
CREATE INDEX exceptions_open_kind_ix ON exceptions (kind, id) WHERE status = 'open';
CREATE INDEX exceptions_open_severity_ix ON exceptions (severity, id) WHERE status = 'open';
CREATE INDEX exceptions_open_role_ix ON exceptions (owner_role, id) WHERE status = 'open';
CREATE INDEX exceptions_open_owner_ix ON exceptions (owner, id) WHERE status = 'open';
CREATE INDEX exceptions_open_due_ix ON exceptions (due_at, id) WHERE status = 'open';

-- Whoever changes an exception, also by itself, makes what others saw of it old.
CREATE FUNCTION count_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.version := OLD.version + 1;
    RETURN NEW;
END
$$;
CREATE TRIGGER counts_version BEFORE UPDATE ON exceptions
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION count_version();

CREATE TABLE exception_comments (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    exception_id BIGINT NOT NULL,
    author TEXT NOT NULL,
    text TEXT NOT NULL,
    request_key TEXT,
    written_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT exception_comments_pkey PRIMARY KEY (id),
    CONSTRAINT exception_comments_exception_id_author_request_key_key UNIQUE (exception_id, author, request_key),
    CONSTRAINT exception_comments_not_empty_check CHECK (text <> ''),
    CONSTRAINT exception_comments_exception_id_fkey FOREIGN KEY(exception_id) REFERENCES exceptions (id)
);
CREATE INDEX exception_comments_exception_ix ON exception_comments (exception_id, id);
COMMENT ON COLUMN exception_comments.request_key IS 'the author''s Idempotency-Key; null: none was given';

-- Watches on milestones: what they count from is found by kind and time.
CREATE INDEX timeline_kind_ix ON timeline (kind, recorded_at);
CREATE TABLE watches (
    name TEXT NOT NULL,
    document JSONB NOT NULL,
    updated_by TEXT NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    checked_to TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT watches_pkey PRIMARY KEY (name)
);
