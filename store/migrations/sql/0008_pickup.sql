-- Goods that wait at their node for the customer: the code, how long they are kept, and what is to be put back.
-- What was ready before has no row: it is collected without a code, and kept until somebody cancels it.

CREATE TABLE collections (
    fulfilment_id TEXT NOT NULL,
    order_id TEXT NOT NULL,
    node_id TEXT NOT NULL,
    code TEXT NOT NULL,
    code_required BOOLEAN NOT NULL,
    collect_by TIMESTAMP WITH TIME ZONE NOT NULL,
    reminders TIMESTAMP WITH TIME ZONE[] NOT NULL,
    wrong_codes INTEGER DEFAULT 0 NOT NULL,
    reminded INTEGER DEFAULT 0 NOT NULL,
    kept INTEGER DEFAULT 0 NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    to_put_back BOOLEAN DEFAULT false NOT NULL,
    put_back_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT collections_pkey PRIMARY KEY (fulfilment_id),
    CONSTRAINT collections_put_back_once_check CHECK (NOT to_put_back OR (ended_at IS NOT NULL AND put_back_at IS NULL)),
    CONSTRAINT collections_fulfilment_id_fkey FOREIGN KEY(fulfilment_id) REFERENCES fulfilments (id),
    CONSTRAINT collections_order_id_fkey FOREIGN KEY(order_id) REFERENCES orders (id)
);
CREATE INDEX collections_order_ix ON collections (order_id);
CREATE UNIQUE INDEX collections_code_ix ON collections (node_id, code) WHERE ended_at IS NULL;
CREATE INDEX collections_due_ix ON collections (collect_by) WHERE ended_at IS NULL;
CREATE INDEX collections_reminder_ix ON collections ((reminders[1])) WHERE ended_at IS NULL;
CREATE INDEX collections_put_back_ix ON collections (node_id, fulfilment_id) WHERE to_put_back;
COMMENT ON COLUMN collections.code IS 'with which the goods are given out';
COMMENT ON COLUMN collections.reminders IS 'still to be sent, earliest first';
COMMENT ON COLUMN collections.kept IS 'how often the time was extended';
COMMENT ON COLUMN collections.to_put_back IS 'not collected, not put back';
