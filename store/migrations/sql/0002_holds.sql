-- Holds of orders, and the policy that says which there are and when they are put on.

CREATE TABLE hold_policies (
    version INTEGER NOT NULL,
    document JSONB NOT NULL,
    comment TEXT DEFAULT '' NOT NULL,
    written_by TEXT NOT NULL,
    written_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT hold_policies_pkey PRIMARY KEY (version)
);

CREATE TABLE order_holds (
    id TEXT NOT NULL,
    order_id TEXT NOT NULL,
    type TEXT NOT NULL,
    blocks TEXT[] NOT NULL,
    purpose TEXT DEFAULT '' NOT NULL,
    owner TEXT DEFAULT '' NOT NULL,
    placed_by TEXT NOT NULL,
    placed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE,
    release_at TIMESTAMP WITH TIME ZONE,
    overdue BOOLEAN DEFAULT false NOT NULL,
    released_by TEXT,
    released_at TIMESTAMP WITH TIME ZONE,
    resolution TEXT,
    CONSTRAINT order_holds_pkey PRIMARY KEY (id),
    CONSTRAINT order_holds_released_by_somebody_check CHECK ((released_at IS NULL) = (released_by IS NULL)),
    CONSTRAINT order_holds_blocks_check CHECK (blocks <@ ARRAY['sourcing', 'release', 'hand_over', 'refund']::text[] AND blocks <> '{}'),
    CONSTRAINT order_holds_order_id_fkey FOREIGN KEY(order_id) REFERENCES orders (id)
);
CREATE UNIQUE INDEX order_holds_standing_ix ON order_holds (order_id, type) WHERE released_at IS NULL;
CREATE INDEX order_holds_order_ix ON order_holds (order_id);
CREATE INDEX order_holds_type_ix ON order_holds (type, placed_at) WHERE released_at IS NULL;
COMMENT ON COLUMN order_holds.blocks IS 'the steps that wait for its release';
COMMENT ON COLUMN order_holds.purpose IS 'why it was put on';
COMMENT ON COLUMN order_holds.owner IS 'the person or role that looks at it';
COMMENT ON COLUMN order_holds.overdue IS 'a person heard that it is due';
COMMENT ON COLUMN order_holds.resolution IS 'why it was released';
