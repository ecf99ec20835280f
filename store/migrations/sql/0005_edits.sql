-- Orders are edited: the order as it stands is in `orders`, what it was before in `order_revisions`.

ALTER TABLE orders ADD COLUMN revision INTEGER DEFAULT 0 NOT NULL;
COMMENT ON COLUMN orders.revision IS 'how often it was edited';

CREATE TABLE order_revisions (
    order_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    document JSONB NOT NULL,
    CONSTRAINT order_revisions_pkey PRIMARY KEY (order_id, number),
    CONSTRAINT order_revisions_order_id_fkey FOREIGN KEY(order_id) REFERENCES orders (id)
);
COMMENT ON COLUMN order_revisions.number IS '0: as it was captured';
