-- Bulk runs: one action on many orders.
CREATE TABLE bulk_runs (
    id TEXT NOT NULL,
    status TEXT DEFAULT 'queued' NOT NULL,
    action JSONB NOT NULL,
    selection JSONB NOT NULL,
    reason TEXT NOT NULL,
    orders INTEGER NOT NULL,
    requested_by TEXT NOT NULL,
    roles TEXT[] NOT NULL,
    channels TEXT[],
    nodes TEXT[],
    request TEXT,
    request_hash TEXT NOT NULL,
    stopped_by TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE,
    finished_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT bulk_runs_pkey PRIMARY KEY (id),
    CONSTRAINT bulk_runs_status_known_check CHECK (status IN ('queued', 'running', 'stopped', 'done')),
    CONSTRAINT bulk_runs_done_has_end_check CHECK ((status = 'done') = (finished_at IS NOT NULL))
);
CREATE INDEX bulk_runs_created_ix ON bulk_runs (created_at, id);
CREATE INDEX bulk_runs_open_ix ON bulk_runs (created_at) WHERE status IN ('queued', 'running');
CREATE UNIQUE INDEX bulk_runs_request_ix ON bulk_runs (requested_by, request) WHERE request IS NOT NULL;
COMMENT ON COLUMN bulk_runs.selection IS 'as it was asked for';
COMMENT ON COLUMN bulk_runs.orders IS 'orders that were selected';
COMMENT ON COLUMN bulk_runs.roles IS 'of who asked, as what he may release depends on them';
COMMENT ON COLUMN bulk_runs.channels IS 'the channels that who asked is limited to; null: to none';
COMMENT ON COLUMN bulk_runs.nodes IS 'the nodes that who asked is limited to; null: to none';
COMMENT ON COLUMN bulk_runs.request IS 'the Idempotency-Key';

CREATE TABLE bulk_items (
    bulk_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    order_id TEXT NOT NULL,
    outcome TEXT,
    detail TEXT DEFAULT '' NOT NULL,
    problem TEXT,
    data JSONB DEFAULT '{}' NOT NULL,
    done_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT bulk_items_pkey PRIMARY KEY (bulk_id, position),
    CONSTRAINT bulk_items_bulk_id_fkey FOREIGN KEY(bulk_id) REFERENCES bulk_runs (id),
    CONSTRAINT bulk_items_outcome_known_check CHECK (outcome IN ('done', 'unchanged', 'refused', 'failed')),
    CONSTRAINT bulk_items_outcome_has_time_check CHECK ((outcome IS NULL) = (done_at IS NULL))
);
CREATE UNIQUE INDEX bulk_items_order_ix ON bulk_items (bulk_id, order_id);
CREATE INDEX bulk_items_open_ix ON bulk_items (bulk_id, position) WHERE outcome IS NULL;
COMMENT ON COLUMN bulk_items.order_id IS 'as it was named; of one that is not there nothing is done';
COMMENT ON COLUMN bulk_items.outcome IS 'null: nothing was done yet';
COMMENT ON COLUMN bulk_items.detail IS 'what was done, or why it was not';
COMMENT ON COLUMN bulk_items.problem IS 'of one that was refused: the type of the problem';
