-- Ship to store: the store that a carrier brings a fulfilment's goods to, where the customer collects them.
-- Null for all else, also for what the customer collects at the node that does the work.

ALTER TABLE fulfilments ADD COLUMN pickup_node TEXT,
    ADD CONSTRAINT fulfilments_pickup_node_fkey FOREIGN KEY(pickup_node) REFERENCES nodes (id);
CREATE INDEX fulfilments_pickup_node_ix ON fulfilments (pickup_node, ship_by, id) WHERE pickup_node IS NOT NULL;
COMMENT ON COLUMN fulfilments.pickup_node IS 'where a carrier brings it for the customer to collect it';
