CREATE TABLE first_claims (
    order_id TEXT NOT NULL,
    node_id TEXT NOT NULL,
    sku TEXT NOT NULL,
    units INTEGER NOT NULL,
    counted_on DATE NOT NULL,
    claimed_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT first_claims_pkey PRIMARY KEY (order_id),
    CONSTRAINT first_claims_units_check CHECK (units > 0),
    CONSTRAINT first_claims_order_id_fkey FOREIGN KEY(order_id) REFERENCES orders (id)
);

COMMENT ON COLUMN first_claims.counted_on IS 'until then the units come from the node alone';
