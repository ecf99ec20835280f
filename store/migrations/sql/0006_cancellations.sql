-- Cancellations that nodes are asked for, because they have picked the goods; carriers say why a parcel comes back.

ALTER TABLE carrier_events DROP CONSTRAINT carrier_events_kind_known_check;
ALTER TABLE carrier_events ADD CONSTRAINT carrier_events_kind_known_check CHECK (kind IN ('picked_up', 'in_transit', 'out_for_delivery', 'delivery_failed', 'delivered', 'lost', 'returned_to_sender', 'refused', 'intercepted', 'intercept_failed')) NOT VALID;
ALTER TABLE carrier_events VALIDATE CONSTRAINT carrier_events_kind_known_check;

CREATE TABLE cancellation_requests (
    id TEXT NOT NULL,
    order_id TEXT NOT NULL,
    fulfilment_id TEXT NOT NULL,
    node_id TEXT NOT NULL,
    asked_of TEXT NOT NULL,
    units JSONB NOT NULL,
    status TEXT NOT NULL,
    reason TEXT DEFAULT '' NOT NULL,
    asked_by TEXT NOT NULL,
    asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    answer_by TIMESTAMP WITH TIME ZONE NOT NULL,
    answered_by TEXT,
    answered_at TIMESTAMP WITH TIME ZONE,
    reply TEXT,
    ended_by TEXT,
    CONSTRAINT cancellation_requests_pkey PRIMARY KEY (id),
    CONSTRAINT cancellation_requests_asked_of_known_check CHECK (asked_of IN ('node', 'carrier')),
    CONSTRAINT cancellation_requests_status_known_check CHECK (status IN ('asked', 'granted', 'refused', 'expired', 'withdrawn')),
    CONSTRAINT cancellation_requests_ended_by_known_check CHECK (ended_by IN ('no_answer', 'handed_over', 'collected', 'node_gave_up', 'cancelled_otherwise', 'intercept_failed', 'delivered', 'came_back', 'lost')),
    CONSTRAINT cancellation_requests_answered_once_check CHECK ((status = 'asked') = (answered_at IS NULL)),
    CONSTRAINT cancellation_requests_answered_by_somebody_check CHECK ((answered_at IS NULL) = (answered_by IS NULL)),
    CONSTRAINT cancellation_requests_order_id_fkey FOREIGN KEY(order_id) REFERENCES orders (id),
    CONSTRAINT cancellation_requests_fulfilment_id_fkey FOREIGN KEY(fulfilment_id) REFERENCES fulfilments (id)
);
CREATE INDEX cancellation_requests_order_ix ON cancellation_requests (order_id);
CREATE INDEX cancellation_requests_fulfilment_ix ON cancellation_requests (fulfilment_id);
CREATE INDEX cancellation_requests_asked_ix ON cancellation_requests (asked_at, id);
CREATE INDEX cancellation_requests_node_ix ON cancellation_requests (node_id, asked_at, id);
CREATE INDEX cancellation_requests_due_ix ON cancellation_requests (answer_by) WHERE status = 'asked';
COMMENT ON COLUMN cancellation_requests.units IS 'what is to be cancelled, by line';
COMMENT ON COLUMN cancellation_requests.reason IS 'why it is to be cancelled';
COMMENT ON COLUMN cancellation_requests.reply IS 'what the node says of its answer';
COMMENT ON COLUMN cancellation_requests.ended_by IS 'why it ended without the node''s answer';
