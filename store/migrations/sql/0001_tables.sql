-- The tables, their indexes, and what their columns mean. `store/tables/` says the same, and a test compares the two.

CREATE TABLE api_keys (
    id TEXT NOT NULL,
    hash BYTEA NOT NULL,
    role TEXT NOT NULL,
    subject TEXT NOT NULL,
    channels TEXT[],
    nodes TEXT[],
    carriers TEXT[],
    scopes TEXT[],
    created_by TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE,
    revoked_by TEXT,
    revoked_at TIMESTAMP WITH TIME ZONE,
    last_used_at TIMESTAMP WITH TIME ZONE,
    rotated_from TEXT,
    CONSTRAINT api_keys_pkey PRIMARY KEY (id),
    CONSTRAINT api_keys_role_known_check CHECK (role IN ('channel', 'node', 'carrier', 'support', 'supervisor', 'planner', 'operator')),
    CONSTRAINT api_keys_hash_is_sha256_check CHECK (length(hash) = 32),
    CONSTRAINT api_keys_subject_is_no_system_check CHECK (position(':' in subject) = 0),
    CONSTRAINT api_keys_channel_is_limited_check CHECK (role <> 'channel' OR channels IS NOT NULL),
    CONSTRAINT api_keys_node_is_limited_check CHECK (role <> 'node' OR nodes IS NOT NULL),
    CONSTRAINT api_keys_carrier_is_limited_check CHECK (role <> 'carrier' OR carriers IS NOT NULL),
    CONSTRAINT api_keys_revoked_by_somebody_check CHECK ((revoked_at IS NULL) = (revoked_by IS NULL)),
    CONSTRAINT api_keys_rotated_from_fkey FOREIGN KEY(rotated_from) REFERENCES api_keys (id)
);
CREATE INDEX api_keys_created_ix ON api_keys (created_at, id);
COMMENT ON COLUMN api_keys.id IS 'the part of the key that is no secret';
COMMENT ON COLUMN api_keys.hash IS 'SHA-256 of the secret part';
COMMENT ON COLUMN api_keys.subject IS 'the name that is written down with what is done';
COMMENT ON COLUMN api_keys.channels IS 'which it is limited to; null: no limit';
COMMENT ON COLUMN api_keys.scopes IS 'those of the role''s scopes that it has; null: all';

CREATE TABLE audit_log (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    request_id TEXT NOT NULL,
    principal TEXT NOT NULL,
    key_id TEXT,
    roles TEXT[] NOT NULL,
    method TEXT NOT NULL,
    route TEXT NOT NULL,
    object TEXT NOT NULL,
    status INTEGER NOT NULL,
    reason TEXT NOT NULL,
    source TEXT NOT NULL,
    CONSTRAINT audit_log_pkey PRIMARY KEY (id)
);
CREATE INDEX audit_log_object_ix ON audit_log (object, id);
CREATE INDEX audit_log_principal_ix ON audit_log (principal, id);
CREATE INDEX audit_log_recorded_ix ON audit_log (recorded_at);
COMMENT ON COLUMN audit_log.key_id IS 'null: a person with a token, or a command of the CLI';
COMMENT ON COLUMN audit_log.route IS 'the route''s template';
COMMENT ON COLUMN audit_log.object IS 'what it was about: the parameters of the path';
COMMENT ON COLUMN audit_log.status IS 'the HTTP status it was answered with';
COMMENT ON COLUMN audit_log.reason IS 'the reason the caller gave';
COMMENT ON COLUMN audit_log.source IS 'the address the request came from';

CREATE TABLE channels (
    id TEXT NOT NULL,
    priority INTEGER DEFAULT 100 NOT NULL,
    document JSONB NOT NULL,
    webhook_secret TEXT DEFAULT '' NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT channels_pkey PRIMARY KEY (id)
);
COMMENT ON COLUMN channels.priority IS 'lower is served first';

CREATE TABLE count_marks (
    source TEXT NOT NULL,
    node_id TEXT NOT NULL,
    sku TEXT NOT NULL,
    sequence BIGINT,
    quantity INTEGER NOT NULL,
    as_of TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT count_marks_pkey PRIMARY KEY (source, node_id, sku)
);

CREATE TABLE feed_cursors (
    name TEXT NOT NULL,
    transaction BIGINT NOT NULL,
    entry BIGINT NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT feed_cursors_pkey PRIMARY KEY (name)
);

CREATE TABLE networks (
    digest TEXT NOT NULL,
    document JSONB NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT networks_pkey PRIMARY KEY (digest)
);
COMMENT ON COLUMN networks.digest IS 'SHA-256 of the document';

CREATE TABLE nodes (
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    country TEXT NOT NULL,
    active BOOLEAN NOT NULL,
    daily_capacity INTEGER NOT NULL,
    document JSONB NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT nodes_pkey PRIMARY KEY (id),
    CONSTRAINT nodes_kind_known_check CHECK (kind IN ('distribution_centre', 'warehouse', 'store', 'supplier')),
    CONSTRAINT nodes_capacity_check CHECK (daily_capacity >= 0)
);

CREATE TABLE orders (
    id TEXT NOT NULL,
    channel TEXT NOT NULL,
    external_id TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    status TEXT NOT NULL,
    currency TEXT NOT NULL,
    goods_total BIGINT NOT NULL,
    document JSONB NOT NULL,
    content_hash TEXT NOT NULL,
    search_text TEXT NOT NULL,
    ship_complete BOOLEAN DEFAULT false NOT NULL,
    priority INTEGER,
    sourced_on_stock BOOLEAN DEFAULT true NOT NULL,
    placed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    captured_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    promise_earliest TIMESTAMP WITH TIME ZONE,
    promise_latest TIMESTAMP WITH TIME ZONE,
    finished_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT orders_pkey PRIMARY KEY (id),
    CONSTRAINT orders_channel_external_id_key UNIQUE (channel, external_id),
    CONSTRAINT orders_status_known_check CHECK (status IN ('accepted', 'backordered', 'in_fulfilment', 'part_shipped', 'shipped', 'delivered', 'cancelled')),
    CONSTRAINT orders_total_check CHECK (goods_total >= 0)
);
CREATE INDEX orders_captured_ix ON orders (captured_at, id);
CREATE INDEX orders_channel_ix ON orders (channel, captured_at, id);
CREATE INDEX orders_customer_ix ON orders (customer_id, captured_at, id);
CREATE INDEX orders_status_ix ON orders (status, captured_at, id);
COMMENT ON COLUMN orders.priority IS 'place among waiting orders, lower first; null: the channel''s';
COMMENT ON COLUMN orders.sourced_on_stock IS 'whether waiting units are given what comes in; the policy''s strategy says so';

CREATE TABLE outbox_relay (
    is_only BOOLEAN DEFAULT true NOT NULL,
    number BIGINT NOT NULL,
    since TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT outbox_relay_pkey PRIMARY KEY (is_only),
    CONSTRAINT outbox_relay_is_only_check CHECK (is_only)
);
COMMENT ON COLUMN outbox_relay.number IS 'of the relay that may send; the next one takes the next';

CREATE TABLE places (
    country TEXT NOT NULL,
    code TEXT NOT NULL,
    latitude FLOAT NOT NULL,
    longitude FLOAT NOT NULL,
    CONSTRAINT places_pkey PRIMARY KEY (country, code)
);

CREATE TABLE policies (
    version SERIAL NOT NULL,
    document JSONB NOT NULL,
    published_by TEXT NOT NULL,
    published_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    comment TEXT DEFAULT '' NOT NULL,
    source TEXT,
    restores INTEGER,
    CONSTRAINT policies_pkey PRIMARY KEY (version),
    CONSTRAINT policies_version_check CHECK (version > 0),
    CONSTRAINT policies_restores_check CHECK (restores < version),
    CONSTRAINT policies_restores_fkey FOREIGN KEY(restores) REFERENCES policies (version)
);
COMMENT ON COLUMN policies.source IS 'the text as it was written; null: none was';
COMMENT ON COLUMN policies.restores IS 'the earlier version this one brings back';

CREATE TABLE reference_state (
    id BOOLEAN DEFAULT true NOT NULL,
    version BIGINT NOT NULL,
    CONSTRAINT reference_state_pkey PRIMARY KEY (id),
    CONSTRAINT reference_state_single_check CHECK (id)
);

CREATE TABLE rehearsals (
    id TEXT NOT NULL,
    status TEXT DEFAULT 'queued' NOT NULL,
    policy JSONB,
    policy_name TEXT NOT NULL,
    orders TEXT NOT NULL,
    total INTEGER DEFAULT 0 NOT NULL,
    done INTEGER DEFAULT 0 NOT NULL,
    detail TEXT DEFAULT '' NOT NULL,
    report JSONB,
    asked_by TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE,
    finished_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT rehearsals_pkey PRIMARY KEY (id),
    CONSTRAINT rehearsals_status_known_check CHECK (status IN ('queued', 'running', 'done', 'failed', 'cancelled')),
    CONSTRAINT rehearsals_progress_check CHECK (done >= 0 AND done <= total),
    CONSTRAINT rehearsals_done_has_report_check CHECK ((status = 'done') = (report IS NOT NULL))
);
CREATE INDEX rehearsals_created_ix ON rehearsals (created_at, id);
CREATE INDEX rehearsals_open_ix ON rehearsals (created_at) WHERE status IN ('queued', 'running');
COMMENT ON COLUMN rehearsals.policy IS 'the policy that is rehearsed; null: each decision''s own';
COMMENT ON COLUMN rehearsals.policy_name IS 'what it is called in the report';
COMMENT ON COLUMN rehearsals.orders IS 'which orders, as they were asked for';
COMMENT ON COLUMN rehearsals.total IS 'decisions to be made again';
COMMENT ON COLUMN rehearsals.detail IS 'why it failed or was cancelled';

CREATE TABLE shadows (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    name TEXT NOT NULL,
    policy JSONB NOT NULL,
    started_by TEXT NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    ended_by TEXT,
    ended_at TIMESTAMP WITH TIME ZONE,
    seen_until TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT shadows_pkey PRIMARY KEY (id)
);
CREATE INDEX shadows_name_ix ON shadows (name, id);
CREATE UNIQUE INDEX shadows_running_ix ON shadows (name) WHERE ended_at IS NULL;
COMMENT ON COLUMN shadows.name IS 'the draft''s';
COMMENT ON COLUMN shadows.policy IS 'the draft as it stood when the shadow began';
COMMENT ON COLUMN shadows.seen_until IS 'decisions written down before were looked at, but for those that were under way';

CREATE TABLE shipments (
    id TEXT NOT NULL,
    carrier TEXT NOT NULL,
    method TEXT NOT NULL,
    tracking_number TEXT NOT NULL,
    status TEXT NOT NULL,
    parcels INTEGER NOT NULL,
    weight_grams BIGINT NOT NULL,
    price BIGINT NOT NULL,
    currency TEXT NOT NULL,
    booking JSONB NOT NULL,
    booked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT shipments_pkey PRIMARY KEY (id),
    CONSTRAINT shipments_carrier_tracking_number_key UNIQUE (carrier, tracking_number),
    CONSTRAINT shipments_status_known_check CHECK (status IN ('booked', 'voided', 'in_transit', 'delivered', 'lost', 'returned_to_sender')),
    CONSTRAINT shipments_amounts_check CHECK (parcels > 0 AND price >= 0 AND weight_grams >= 0)
);
CREATE INDEX shipments_booked_ix ON shipments (booked_at, id);
CREATE INDEX shipments_carrier_ix ON shipments (carrier, booked_at, id);
CREATE INDEX shipments_status_ix ON shipments (status, booked_at, id);
COMMENT ON COLUMN shipments.id IS 'the booking key';

CREATE TABLE signing_secrets (
    id TEXT NOT NULL,
    carrier TEXT NOT NULL,
    secret TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE,
    revoked_by TEXT,
    revoked_at TIMESTAMP WITH TIME ZONE,
    last_used_at TIMESTAMP WITH TIME ZONE,
    rotated_from TEXT,
    CONSTRAINT signing_secrets_pkey PRIMARY KEY (id),
    CONSTRAINT signing_secrets_secret_can_sign_check CHECK (secret LIKE 'whsec\_%' AND length(secret) >= 38),
    CONSTRAINT signing_secrets_revoked_by_somebody_check CHECK ((revoked_at IS NULL) = (revoked_by IS NULL)),
    CONSTRAINT signing_secrets_rotated_from_fkey FOREIGN KEY(rotated_from) REFERENCES signing_secrets (id)
);
CREATE INDEX signing_secrets_carrier_ix ON signing_secrets (carrier);
CREATE INDEX signing_secrets_created_ix ON signing_secrets (created_at, id);
COMMENT ON COLUMN signing_secrets.secret IS 'whsec_ and base64, as it is: whoever checks a signature needs the secret itself';

CREATE TABLE skus (
    id TEXT NOT NULL,
    document JSONB NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT skus_pkey PRIMARY KEY (id)
);
CREATE INDEX skus_release_ix ON skus ((document ->> 'release_on')) WHERE (document ->> 'release_on') IS NOT NULL;

CREATE TABLE stock_imports (
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    all_or_nothing BOOLEAN NOT NULL,
    source TEXT NOT NULL,
    actor TEXT NOT NULL,
    sequence BIGINT,
    nodes TEXT[],
    rows INTEGER DEFAULT 0 NOT NULL,
    next_row INTEGER DEFAULT 1 NOT NULL,
    outcomes JSONB DEFAULT '{}' NOT NULL,
    detail TEXT DEFAULT '' NOT NULL,
    upload TEXT NOT NULL,
    asked JSONB,
    digest TEXT,
    as_of TIMESTAMP WITH TIME ZONE NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    touched_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE,
    finished_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT stock_imports_pkey PRIMARY KEY (id),
    CONSTRAINT stock_imports_kind_known_check CHECK (kind IN ('counts', 'deltas')),
    CONSTRAINT stock_imports_status_known_check CHECK (status IN ('receiving', 'queued', 'applying', 'done', 'refused', 'failed', 'cancelled'))
);
CREATE INDEX stock_imports_created_ix ON stock_imports (created_at, id);
CREATE INDEX stock_imports_open_ix ON stock_imports (created_at) WHERE status IN ('receiving', 'queued', 'applying');
COMMENT ON COLUMN stock_imports.sequence IS 'of counts; null: they go by their time';
COMMENT ON COLUMN stock_imports.nodes IS 'those its sender is limited to; null: no limit';
COMMENT ON COLUMN stock_imports.rows IS 'rows received';
COMMENT ON COLUMN stock_imports.next_row IS 'where applying goes on';
COMMENT ON COLUMN stock_imports.outcomes IS 'rows by what became of them';
COMMENT ON COLUMN stock_imports.upload IS 'which upload may add rows: the last one that began';
COMMENT ON COLUMN stock_imports.asked IS 'format, time and sequence, as the caller said or did not say them';
COMMENT ON COLUMN stock_imports.digest IS 'SHA-256 of the file; null: received before 0008, or not yet in full';

CREATE TABLE tariffs (
    carrier TEXT NOT NULL,
    document JSONB NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT tariffs_pkey PRIMARY KEY (carrier)
);

CREATE TABLE carrier_events (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    carrier TEXT NOT NULL,
    event_id TEXT NOT NULL,
    tracking_number TEXT NOT NULL,
    kind TEXT NOT NULL,
    place TEXT DEFAULT '' NOT NULL,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    notified_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT carrier_events_pkey PRIMARY KEY (id),
    CONSTRAINT carrier_events_carrier_tracking_number_fkey FOREIGN KEY(carrier, tracking_number) REFERENCES shipments (carrier, tracking_number),
    CONSTRAINT carrier_events_carrier_event_id_key UNIQUE (carrier, event_id),
    CONSTRAINT carrier_events_kind_known_check CHECK (kind IN ('picked_up', 'in_transit', 'out_for_delivery', 'delivery_failed', 'delivered', 'lost', 'returned_to_sender'))
);
CREATE INDEX carrier_events_tracking_ix ON carrier_events (carrier, tracking_number, occurred_at);
COMMENT ON COLUMN carrier_events.notified_at IS 'when the orders concerned were told, or nobody had to be; null: a repeat of the event tells them';

CREATE TABLE channel_levels (
    channel TEXT NOT NULL,
    sku TEXT NOT NULL,
    level TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    CONSTRAINT channel_levels_pkey PRIMARY KEY (channel, sku),
    CONSTRAINT channel_levels_channel_fkey FOREIGN KEY(channel) REFERENCES channels (id),
    CONSTRAINT channel_levels_sku_fkey FOREIGN KEY(sku) REFERENCES skus (id)
);

CREATE TABLE channel_rules (
    channel TEXT NOT NULL,
    sku TEXT DEFAULT '' NOT NULL,
    node_id TEXT DEFAULT '' NOT NULL,
    buffer INTEGER NOT NULL,
    share INTEGER NOT NULL,
    excluded BOOLEAN DEFAULT false NOT NULL,
    CONSTRAINT channel_rules_pkey PRIMARY KEY (channel, sku, node_id),
    CONSTRAINT channel_rules_buffer_not_negative_check CHECK (buffer >= 0),
    CONSTRAINT channel_rules_share_is_percent_check CHECK (share BETWEEN 0 AND 100),
    CONSTRAINT channel_rules_channel_fkey FOREIGN KEY(channel) REFERENCES channels (id)
);
COMMENT ON COLUMN channel_rules.buffer IS 'units of each balance kept from the channel';
COMMENT ON COLUMN channel_rules.share IS 'percent of what is left that the channel may have';

CREATE TABLE exceptions (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    order_id TEXT,
    kind TEXT NOT NULL,
    business_key TEXT NOT NULL,
    detail TEXT NOT NULL,
    data JSONB DEFAULT '{}' NOT NULL,
    status TEXT DEFAULT 'open' NOT NULL,
    owner TEXT,
    opened_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT exceptions_pkey PRIMARY KEY (id),
    CONSTRAINT exceptions_status_known_check CHECK (status IN ('open', 'closed')),
    CONSTRAINT exceptions_order_id_fkey FOREIGN KEY(order_id) REFERENCES orders (id),
    CONSTRAINT exceptions_business_key_key UNIQUE (business_key)
);
CREATE INDEX exceptions_open_ix ON exceptions (kind, opened_at) WHERE status = 'open';
CREATE INDEX exceptions_order_ix ON exceptions (order_id, id);
CREATE INDEX exceptions_status_ix ON exceptions (status, id);
COMMENT ON COLUMN exceptions.order_id IS 'null: no order''s trouble, but a node''s or a feed''s';
COMMENT ON COLUMN exceptions.data IS 'what the detail says, for programs';

CREATE TABLE fulfilments (
    id TEXT NOT NULL,
    order_id TEXT NOT NULL,
    node_id TEXT NOT NULL,
    status TEXT NOT NULL,
    method TEXT NOT NULL,
    carrier TEXT,
    ship_day DATE NOT NULL,
    cost BIGINT NOT NULL,
    reason TEXT DEFAULT '' NOT NULL,
    ship_by TIMESTAMP WITH TIME ZONE NOT NULL,
    promise_earliest TIMESTAMP WITH TIME ZONE NOT NULL,
    promise_latest TIMESTAMP WITH TIME ZONE NOT NULL,
    released_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT fulfilments_pkey PRIMARY KEY (id),
    CONSTRAINT fulfilments_status_known_check CHECK (status IN ('released', 'accepted', 'picked', 'packed', 'booked', 'ready_for_collection', 'handed_over', 'delivered', 'collected', 'rejected', 'cancelled', 'lost', 'returned_to_sender', 'recalled')),
    CONSTRAINT fulfilments_method_known_check CHECK (method IN ('economy', 'standard', 'express', 'pickup')),
    CONSTRAINT fulfilments_order_id_fkey FOREIGN KEY(order_id) REFERENCES orders (id),
    CONSTRAINT fulfilments_node_id_fkey FOREIGN KEY(node_id) REFERENCES nodes (id)
);
CREATE INDEX fulfilments_closed_ix ON fulfilments (ship_by, id) WHERE status NOT IN ('accepted', 'booked', 'packed', 'picked', 'ready_for_collection', 'released');
CREATE INDEX fulfilments_node_closed_ix ON fulfilments (node_id, ship_by, id) WHERE status NOT IN ('accepted', 'booked', 'packed', 'picked', 'ready_for_collection', 'released');
CREATE INDEX fulfilments_node_ix ON fulfilments (node_id, status, id);
CREATE INDEX fulfilments_node_open_ix ON fulfilments (node_id, ship_by, id) WHERE status IN ('accepted', 'booked', 'packed', 'picked', 'ready_for_collection', 'released');
CREATE INDEX fulfilments_open_ix ON fulfilments (ship_by, id) WHERE status IN ('accepted', 'booked', 'packed', 'picked', 'ready_for_collection', 'released');
CREATE INDEX fulfilments_order_ix ON fulfilments (order_id);
CREATE INDEX fulfilments_status_ix ON fulfilments (status, id);

CREATE TABLE inbound (
    reference TEXT NOT NULL,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    origin_node TEXT,
    node_id TEXT NOT NULL,
    due_on DATE NOT NULL,
    confidence INTEGER NOT NULL,
    actor TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT inbound_pkey PRIMARY KEY (reference),
    CONSTRAINT inbound_kind_known_check CHECK (kind IN ('purchase_order', 'transfer', 'return')),
    CONSTRAINT inbound_status_known_check CHECK (status IN ('announced', 'in_transit', 'received', 'cancelled')),
    CONSTRAINT inbound_confidence_is_percent_check CHECK (confidence BETWEEN 0 AND 100),
    CONSTRAINT inbound_transfer_has_origin_check CHECK ((kind = 'transfer') = (origin_node IS NOT NULL)),
    CONSTRAINT inbound_somewhere_else_check CHECK (origin_node <> node_id),
    CONSTRAINT inbound_origin_node_fkey FOREIGN KEY(origin_node) REFERENCES nodes (id),
    CONSTRAINT inbound_node_id_fkey FOREIGN KEY(node_id) REFERENCES nodes (id)
);
CREATE INDEX inbound_due_ix ON inbound (due_on, reference);
CREATE INDEX inbound_open_ix ON inbound (node_id, due_on) WHERE status IN ('announced', 'in_transit');
COMMENT ON COLUMN inbound.origin_node IS 'of a transfer: where the units leave';
COMMENT ON COLUMN inbound.confidence IS 'percent of the units that is counted on';

CREATE TABLE labels (
    shipment_id TEXT NOT NULL,
    media_type TEXT NOT NULL,
    content BYTEA NOT NULL,
    CONSTRAINT labels_pkey PRIMARY KEY (shipment_id),
    CONSTRAINT labels_shipment_id_fkey FOREIGN KEY(shipment_id) REFERENCES shipments (id)
);

CREATE TABLE node_days (
    node_id TEXT NOT NULL,
    day DATE NOT NULL,
    service TEXT DEFAULT '' NOT NULL,
    used INTEGER NOT NULL,
    CONSTRAINT node_days_pkey PRIMARY KEY (node_id, day, service),
    CONSTRAINT node_days_used_not_negative_check CHECK (used >= 0),
    CONSTRAINT node_days_node_id_fkey FOREIGN KEY(node_id) REFERENCES nodes (id)
);
CREATE INDEX node_days_day_ix ON node_days (day);
COMMENT ON COLUMN node_days.service IS 'empty: the node''s day as a whole';

CREATE TABLE order_lines (
    order_id TEXT NOT NULL,
    line_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    sku TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    unit_price BIGINT NOT NULL,
    cancelled INTEGER DEFAULT 0 NOT NULL,
    backordered INTEGER DEFAULT 0 NOT NULL,
    CONSTRAINT order_lines_pkey PRIMARY KEY (order_id, line_id),
    CONSTRAINT order_lines_quantity_check CHECK (quantity > 0),
    CONSTRAINT order_lines_price_check CHECK (unit_price >= 0),
    CONSTRAINT order_lines_units_check CHECK (cancelled >= 0 AND backordered >= 0 AND cancelled + backordered <= quantity),
    CONSTRAINT order_lines_order_id_fkey FOREIGN KEY(order_id) REFERENCES orders (id),
    CONSTRAINT order_lines_sku_fkey FOREIGN KEY(sku) REFERENCES skus (id)
);
CREATE INDEX order_lines_backordered_ix ON order_lines (sku, order_id) WHERE backordered > 0;
CREATE INDEX order_lines_sku_ix ON order_lines (sku, order_id);

CREATE TABLE outbox (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    business_key TEXT NOT NULL,
    order_id TEXT,
    message_key TEXT,
    kind TEXT NOT NULL,
    medium TEXT NOT NULL,
    recipient TEXT NOT NULL,
    payload JSONB NOT NULL,
    status TEXT DEFAULT 'pending' NOT NULL,
    error TEXT DEFAULT '' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    sent_at TIMESTAMP WITH TIME ZONE,
    receiver TEXT NOT NULL,
    attempts INTEGER DEFAULT 0 NOT NULL,
    next_attempt_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    relay BIGINT,
    CONSTRAINT outbox_pkey PRIMARY KEY (id),
    CONSTRAINT outbox_status_known_check CHECK (status IN ('pending', 'sending', 'sent', 'uncertain', 'failed')),
    CONSTRAINT outbox_medium_known_check CHECK (medium IN ('mail', 'webhook', 'availability', 'workflow')),
    CONSTRAINT outbox_business_key_key UNIQUE (business_key),
    CONSTRAINT outbox_order_id_fkey FOREIGN KEY(order_id) REFERENCES orders (id)
);
CREATE INDEX outbox_due_ix ON outbox (medium, next_attempt_at, id) WHERE status = 'pending';
CREATE INDEX outbox_message_key_ix ON outbox (order_id, message_key);
CREATE INDEX outbox_passing_ix ON outbox (created_at) WHERE message_key IS NULL;
CREATE INDEX outbox_receiver_ix ON outbox (receiver, id) WHERE status IN ('pending', 'sending');
CREATE INDEX outbox_status_ix ON outbox (status, id);
COMMENT ON COLUMN outbox.order_id IS 'null: not about one order';
COMMENT ON COLUMN outbox.receiver IS 'what goes to one receiver goes in the sequence of the ids';
COMMENT ON COLUMN outbox.relay IS 'the number of the relay that is sending it';

CREATE TABLE policy_drafts (
    name TEXT NOT NULL,
    revision INTEGER NOT NULL,
    based_on INTEGER NOT NULL,
    document JSONB NOT NULL,
    source TEXT NOT NULL,
    comment TEXT DEFAULT '' NOT NULL,
    created_by TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_by TEXT NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT policy_drafts_pkey PRIMARY KEY (name),
    CONSTRAINT policy_drafts_revision_check CHECK (revision > 0),
    CONSTRAINT policy_drafts_based_on_fkey FOREIGN KEY(based_on) REFERENCES policies (version)
);
COMMENT ON COLUMN policy_drafts.revision IS 'counts how often it was written';
COMMENT ON COLUMN policy_drafts.based_on IS 'the version it was begun from';
COMMENT ON COLUMN policy_drafts.source IS 'the text as it was written';

CREATE TABLE returns (
    id TEXT NOT NULL,
    order_id TEXT NOT NULL,
    node_id TEXT NOT NULL,
    status TEXT NOT NULL,
    number INTEGER NOT NULL,
    reason TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    request_key TEXT,
    requested_at TIMESTAMP WITH TIME ZONE NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE,
    finished_at TIMESTAMP WITH TIME ZONE,
    expires_at TIMESTAMP WITH TIME ZONE,
    released_by TEXT,
    CONSTRAINT returns_pkey PRIMARY KEY (id),
    CONSTRAINT returns_status_known_check CHECK (status IN ('requested', 'received', 'part_refunded', 'refunded', 'cancelled', 'expired')),
    CONSTRAINT returns_released_by_known_check CHECK (released_by IN ('cancelled', 'expired', 'closed')),
    CONSTRAINT returns_order_id_fkey FOREIGN KEY(order_id) REFERENCES orders (id),
    CONSTRAINT returns_node_id_fkey FOREIGN KEY(node_id) REFERENCES nodes (id)
);
CREATE INDEX returns_order_ix ON returns (order_id);
CREATE UNIQUE INDEX returns_request_key_ix ON returns (order_id, request_key);
CREATE INDEX returns_status_ix ON returns (status, id);
COMMENT ON COLUMN returns.number IS 'counts the commands that changed it';
COMMENT ON COLUMN returns.request_key IS 'the caller''s Idempotency-Key';
COMMENT ON COLUMN returns.released_by IS 'the step that let go what had not come';

CREATE TABLE reoptimisations (
    order_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    written_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    applied_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT reoptimisations_pkey PRIMARY KEY (order_id, number),
    CONSTRAINT reoptimisations_order_id_fkey FOREIGN KEY(order_id) REFERENCES orders (id)
);
COMMENT ON COLUMN reoptimisations.number IS 'counted from 1 for each order';

CREATE TABLE soft_reservations (
    id TEXT NOT NULL,
    channel TEXT NOT NULL,
    owner TEXT NOT NULL,
    reason TEXT NOT NULL,
    status TEXT DEFAULT 'active' NOT NULL,
    document JSONB NOT NULL,
    order_id TEXT,
    backorder_of TEXT,
    ready BOOLEAN DEFAULT false NOT NULL,
    declined JSONB,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT soft_reservations_pkey PRIMARY KEY (id),
    CONSTRAINT soft_reservations_status_known_check CHECK (status IN ('active', 'released', 'converted', 'expired')),
    CONSTRAINT soft_reservations_backorder_of_fkey FOREIGN KEY(backorder_of) REFERENCES orders (id)
);
CREATE UNIQUE INDEX soft_reservations_backorder_ix ON soft_reservations (backorder_of) WHERE backorder_of IS NOT NULL;
CREATE INDEX soft_reservations_expiry_ix ON soft_reservations (expires_at) WHERE status = 'active';
CREATE UNIQUE INDEX soft_reservations_owner_ix ON soft_reservations (channel, owner) WHERE status = 'active';
COMMENT ON COLUMN soft_reservations.owner IS 'whose units they are: a cart, a checkout, a waiting order';
COMMENT ON COLUMN soft_reservations.document IS 'what was asked and what was promised';
COMMENT ON COLUMN soft_reservations.order_id IS 'the order it became';
COMMENT ON COLUMN soft_reservations.backorder_of IS 'the order that waits for them; null: a cart''s';
COMMENT ON COLUMN soft_reservations.ready IS 'of a backorder: it is to take them';
COMMENT ON COLUMN soft_reservations.declined IS 'of a backorder: balances it could not use, and when';

CREATE TABLE sourcing_decisions (
    order_id TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    business_key TEXT NOT NULL,
    policy_version INTEGER NOT NULL,
    cause TEXT NOT NULL,
    first_fulfilment INTEGER NOT NULL,
    document JSONB NOT NULL,
    snapshot JSONB,
    network TEXT,
    decided_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT sourcing_decisions_pkey PRIMARY KEY (order_id, attempt),
    CONSTRAINT sourcing_decisions_order_id_business_key_key UNIQUE (order_id, business_key),
    CONSTRAINT sourcing_decisions_order_id_fkey FOREIGN KEY(order_id) REFERENCES orders (id),
    CONSTRAINT sourcing_decisions_policy_version_fkey FOREIGN KEY(policy_version) REFERENCES policies (version),
    CONSTRAINT sourcing_decisions_network_fkey FOREIGN KEY(network) REFERENCES networks (digest)
);
CREATE INDEX sourcing_decisions_decided_ix ON sourcing_decisions (decided_at, order_id, attempt);
CREATE INDEX sourcing_decisions_recorded_ix ON sourcing_decisions (recorded_at, order_id, attempt);
COMMENT ON COLUMN sourcing_decisions.business_key IS 'what asked for it: the order''s nth sourcing, a re-optimisation';
COMMENT ON COLUMN sourcing_decisions.document IS 'demand and decision';
COMMENT ON COLUMN sourcing_decisions.snapshot IS 'stock, used capacity, SKUs and stock values the planner saw; null: before 0003';
COMMENT ON COLUMN sourcing_decisions.network IS 'the nodes and tariffs it saw';

CREATE TABLE stock (
    node_id TEXT NOT NULL,
    sku TEXT NOT NULL,
    on_hand INTEGER NOT NULL,
    damaged INTEGER DEFAULT 0 NOT NULL,
    quarantine INTEGER DEFAULT 0 NOT NULL,
    reserved INTEGER DEFAULT 0 NOT NULL,
    reserved_soft INTEGER DEFAULT 0 NOT NULL,
    safety_stock INTEGER DEFAULT 0 NOT NULL,
    promise_safety INTEGER DEFAULT 0 NOT NULL,
    counted_at TIMESTAMP WITH TIME ZONE,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT stock_pkey PRIMARY KEY (node_id, sku),
    CONSTRAINT stock_reserved_not_negative_check CHECK (reserved >= 0),
    CONSTRAINT stock_reserved_soft_not_negative_check CHECK (reserved_soft >= 0),
    CONSTRAINT stock_reserved_within_on_hand_check CHECK (reserved + reserved_soft <= on_hand),
    CONSTRAINT stock_conditions_not_negative_check CHECK (damaged >= 0 AND quarantine >= 0),
    CONSTRAINT stock_safety_not_negative_check CHECK (safety_stock >= 0 AND promise_safety >= 0),
    CONSTRAINT stock_node_id_fkey FOREIGN KEY(node_id) REFERENCES nodes (id),
    CONSTRAINT stock_sku_fkey FOREIGN KEY(sku) REFERENCES skus (id)
)
 WITH (fillfactor = 70);
CREATE INDEX stock_sku_node_ix ON stock (sku, node_id);
COMMENT ON COLUMN stock.on_hand IS 'sellable units in the node, reserved ones among them';
COMMENT ON COLUMN stock.damaged IS 'units in the node that cannot be sold';
COMMENT ON COLUMN stock.quarantine IS 'units in the node that wait for a decision';
COMMENT ON COLUMN stock.reserved IS 'firm: taken for order lines, not yet handed over';
COMMENT ON COLUMN stock.reserved_soft IS 'soft: held for carts and waiting orders; lapsed ones too, until they are reclaimed';
COMMENT ON COLUMN stock.safety_stock IS 'units OFL never takes';
COMMENT ON COLUMN stock.promise_safety IS 'units never promised to a channel; what OFL may still take of them covers a wrong count';

CREATE TABLE stock_import_rows (
    import_id TEXT NOT NULL,
    row INTEGER NOT NULL,
    node_id TEXT,
    sku TEXT,
    quantity INTEGER,
    key TEXT,
    reason_code TEXT,
    raw TEXT,
    outcome TEXT,
    problem TEXT,
    field TEXT,
    detail TEXT,
    as_of TIMESTAMP WITH TIME ZONE,
    CONSTRAINT stock_import_rows_pkey PRIMARY KEY (import_id, row),
    CONSTRAINT stock_import_rows_outcome_known_check CHECK (outcome IN ('applied', 'short', 'repeated', 'late', 'superseded', 'replaced', 'refused', 'cancelled')),
    CONSTRAINT stock_import_rows_import_id_fkey FOREIGN KEY(import_id) REFERENCES stock_imports (id)
)
 WITH (autovacuum_vacuum_scale_factor = 0.02);
COMMENT ON COLUMN stock_import_rows.raw IS 'the row as it came, if it could not be read';
COMMENT ON COLUMN stock_import_rows.problem IS 'the stable type of what is wrong with it';

CREATE TABLE stock_values (
    sku TEXT NOT NULL,
    node_id TEXT NOT NULL,
    opportunity BIGINT DEFAULT 0 NOT NULL,
    currency TEXT DEFAULT '' NOT NULL,
    units INTEGER DEFAULT 0 NOT NULL,
    outflow FLOAT DEFAULT 0 NOT NULL,
    daily_demand FLOAT DEFAULT 0 NOT NULL,
    priced_at TIMESTAMP WITH TIME ZONE,
    fades_at TIMESTAMP WITH TIME ZONE,
    markdown BIGINT DEFAULT 0 NOT NULL,
    marked_by TEXT DEFAULT '' NOT NULL,
    marked_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT stock_values_pkey PRIMARY KEY (sku, node_id),
    CONSTRAINT stock_values_amounts_check CHECK (opportunity >= 0 AND markdown >= 0),
    CONSTRAINT stock_values_rates_check CHECK (outflow >= 0 AND daily_demand >= 0),
    CONSTRAINT stock_values_lifetime_check CHECK ((priced_at IS NULL) = (fades_at IS NULL) AND priced_at < fades_at),
    CONSTRAINT stock_values_sku_fkey FOREIGN KEY(sku) REFERENCES skus (id),
    CONSTRAINT stock_values_node_id_fkey FOREIGN KEY(node_id) REFERENCES nodes (id)
);
CREATE INDEX stock_values_fades_ix ON stock_values (fades_at) WHERE priced_at IS NOT NULL;
COMMENT ON COLUMN stock_values.opportunity IS 'the shadow price of a unit';
COMMENT ON COLUMN stock_values.currency IS 'the policy''s, when it was priced';
COMMENT ON COLUMN stock_values.units IS 'free when it was priced';
COMMENT ON COLUMN stock_values.outflow IS 'units a day expected to leave it';
COMMENT ON COLUMN stock_values.daily_demand IS 'units a day it is asked for';
COMMENT ON COLUMN stock_values.markdown IS 'what a unit loses by staying';

CREATE TABLE timeline (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    order_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    business_key TEXT NOT NULL,
    actor TEXT NOT NULL,
    reason TEXT DEFAULT '' NOT NULL,
    data JSONB NOT NULL,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT timeline_pkey PRIMARY KEY (id),
    CONSTRAINT timeline_order_id_business_key_key UNIQUE (order_id, business_key),
    CONSTRAINT timeline_order_id_fkey FOREIGN KEY(order_id) REFERENCES orders (id)
);

CREATE TABLE fulfilment_lines (
    fulfilment_id TEXT NOT NULL,
    line_id TEXT NOT NULL,
    order_id TEXT NOT NULL,
    sku TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    CONSTRAINT fulfilment_lines_pkey PRIMARY KEY (fulfilment_id, line_id),
    CONSTRAINT fulfilment_lines_order_id_line_id_fkey FOREIGN KEY(order_id, line_id) REFERENCES order_lines (order_id, line_id),
    CONSTRAINT fulfilment_lines_quantity_check CHECK (quantity >= 0),
    CONSTRAINT fulfilment_lines_fulfilment_id_fkey FOREIGN KEY(fulfilment_id) REFERENCES fulfilments (id)
);

CREATE TABLE inbound_lines (
    reference TEXT NOT NULL,
    sku TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    received INTEGER DEFAULT 0 NOT NULL,
    CONSTRAINT inbound_lines_pkey PRIMARY KEY (reference, sku),
    CONSTRAINT inbound_lines_units_check CHECK (quantity > 0 AND received >= 0),
    CONSTRAINT inbound_lines_reference_fkey FOREIGN KEY(reference) REFERENCES inbound (reference),
    CONSTRAINT inbound_lines_sku_fkey FOREIGN KEY(sku) REFERENCES skus (id)
);
CREATE INDEX inbound_lines_sku_ix ON inbound_lines (sku);

CREATE TABLE inbound_receipts (
    reference TEXT NOT NULL,
    key TEXT NOT NULL,
    node_id TEXT NOT NULL,
    lines JSONB NOT NULL,
    closed BOOLEAN NOT NULL,
    actor TEXT NOT NULL,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT inbound_receipts_pkey PRIMARY KEY (reference, key),
    CONSTRAINT inbound_receipts_reference_fkey FOREIGN KEY(reference) REFERENCES inbound (reference),
    CONSTRAINT inbound_receipts_node_id_fkey FOREIGN KEY(node_id) REFERENCES nodes (id)
);

CREATE TABLE refunds (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    business_key TEXT NOT NULL,
    order_id TEXT NOT NULL,
    return_id TEXT,
    amount BIGINT NOT NULL,
    currency TEXT NOT NULL,
    reason TEXT NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT refunds_pkey PRIMARY KEY (id),
    CONSTRAINT refunds_amount_check CHECK (amount >= 0),
    CONSTRAINT refunds_business_key_key UNIQUE (business_key),
    CONSTRAINT refunds_order_id_fkey FOREIGN KEY(order_id) REFERENCES orders (id),
    CONSTRAINT refunds_return_id_fkey FOREIGN KEY(return_id) REFERENCES returns (id)
);
CREATE INDEX refunds_order_ix ON refunds (order_id);

CREATE TABLE reservations (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    node_id TEXT NOT NULL,
    sku TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    order_id TEXT,
    line_id TEXT,
    fulfilment_id TEXT,
    soft_id TEXT,
    expires_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT reservations_pkey PRIMARY KEY (id),
    CONSTRAINT reservations_node_id_sku_fkey FOREIGN KEY(node_id, sku) REFERENCES stock (node_id, sku),
    CONSTRAINT reservations_kind_known_check CHECK (kind IN ('soft', 'firm')),
    CONSTRAINT reservations_status_known_check CHECK (status IN ('active', 'released', 'consumed', 'converted', 'expired')),
    CONSTRAINT reservations_quantity_not_negative_check CHECK (quantity >= 0),
    CONSTRAINT reservations_active_holds_units_check CHECK (status <> 'active' OR quantity > 0),
    CONSTRAINT reservations_firm_has_order_check CHECK (kind <> 'firm' OR (order_id IS NOT NULL AND fulfilment_id IS NOT NULL)),
    CONSTRAINT reservations_soft_expires_check CHECK (kind <> 'soft' OR (expires_at IS NOT NULL AND soft_id IS NOT NULL)),
    CONSTRAINT reservations_order_id_fkey FOREIGN KEY(order_id) REFERENCES orders (id),
    CONSTRAINT reservations_fulfilment_id_fkey FOREIGN KEY(fulfilment_id) REFERENCES fulfilments (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT reservations_soft_id_fkey FOREIGN KEY(soft_id) REFERENCES soft_reservations (id)
);
CREATE INDEX reservations_active_ix ON reservations (node_id, sku) WHERE kind = 'firm' AND status = 'active';
CREATE UNIQUE INDEX reservations_fulfilment_ix ON reservations (fulfilment_id, line_id) WHERE fulfilment_id IS NOT NULL;
CREATE INDEX reservations_of_soft_ix ON reservations (soft_id) WHERE soft_id IS NOT NULL;
CREATE INDEX reservations_soft_ix ON reservations (node_id, sku, expires_at) WHERE kind = 'soft' AND status = 'active';

CREATE TABLE return_lines (
    return_id TEXT NOT NULL,
    line_id TEXT NOT NULL,
    order_id TEXT NOT NULL,
    sku TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    received INTEGER DEFAULT 0 NOT NULL,
    released INTEGER DEFAULT 0 NOT NULL,
    CONSTRAINT return_lines_pkey PRIMARY KEY (return_id, line_id),
    CONSTRAINT return_lines_order_id_line_id_fkey FOREIGN KEY(order_id, line_id) REFERENCES order_lines (order_id, line_id),
    CONSTRAINT return_lines_units_check CHECK (quantity > 0 AND received >= 0 AND released >= 0 AND received + released <= quantity),
    CONSTRAINT return_lines_return_id_fkey FOREIGN KEY(return_id) REFERENCES returns (id)
);
CREATE INDEX return_lines_order_ix ON return_lines (order_id, line_id);

CREATE TABLE shadow_decisions (
    shadow BIGINT NOT NULL,
    order_id TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    differs BOOLEAN NOT NULL,
    document JSONB NOT NULL,
    decided_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT shadow_decisions_pkey PRIMARY KEY (shadow, order_id, attempt),
    CONSTRAINT shadow_decisions_order_id_attempt_fkey FOREIGN KEY(order_id, attempt) REFERENCES sourcing_decisions (order_id, attempt),
    CONSTRAINT shadow_decisions_shadow_fkey FOREIGN KEY(shadow) REFERENCES shadows (id) ON DELETE CASCADE
);
CREATE INDEX shadow_decisions_differs_ix ON shadow_decisions (shadow, recorded_at) WHERE differs;
COMMENT ON COLUMN shadow_decisions.document IS 'nodes, strategy, cost and units unfilled, of both';

CREATE TABLE shipment_fulfilments (
    shipment_id TEXT NOT NULL,
    fulfilment_id TEXT NOT NULL,
    CONSTRAINT shipment_fulfilments_pkey PRIMARY KEY (shipment_id, fulfilment_id),
    CONSTRAINT shipment_fulfilments_shipment_id_fkey FOREIGN KEY(shipment_id) REFERENCES shipments (id),
    CONSTRAINT shipment_fulfilments_fulfilment_id_fkey FOREIGN KEY(fulfilment_id) REFERENCES fulfilments (id)
);
CREATE INDEX shipment_fulfilments_fulfilment_ix ON shipment_fulfilments (fulfilment_id);

CREATE TABLE stock_ledger (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    node_id TEXT NOT NULL,
    sku TEXT NOT NULL,
    kind TEXT NOT NULL,
    on_hand_delta INTEGER DEFAULT 0 NOT NULL,
    damaged_delta INTEGER DEFAULT 0 NOT NULL,
    quarantine_delta INTEGER DEFAULT 0 NOT NULL,
    reserved_delta INTEGER DEFAULT 0 NOT NULL,
    soft_delta INTEGER DEFAULT 0 NOT NULL,
    safety_delta INTEGER DEFAULT 0 NOT NULL,
    promise_safety_delta INTEGER DEFAULT 0 NOT NULL,
    business_key TEXT NOT NULL,
    order_id TEXT,
    reason_code TEXT,
    reason TEXT DEFAULT '' NOT NULL,
    actor TEXT NOT NULL,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    transaction BIGINT DEFAULT (pg_current_xact_id()::text)::bigint NOT NULL,
    CONSTRAINT stock_ledger_pkey PRIMARY KEY (id),
    CONSTRAINT stock_ledger_node_id_sku_fkey FOREIGN KEY(node_id, sku) REFERENCES stock (node_id, sku),
    CONSTRAINT stock_ledger_business_key_node_id_sku_key UNIQUE (business_key, node_id, sku),
    CONSTRAINT stock_ledger_kind_known_check CHECK (kind IN ('opening', 'receipt', 'adjustment', 'count', 'condition', 'safety', 'reserve', 'release', 'soft_reserve', 'soft_release', 'soft_convert', 'soft_expire', 'ship', 'restock', 'transfer_out', 'transfer_in', 'reconcile', 'rule')),
    CONSTRAINT stock_ledger_moves_something_check CHECK (kind IN ('reconcile', 'safety', 'rule') OR on_hand_delta <> 0 OR damaged_delta <> 0 OR quarantine_delta <> 0 OR reserved_delta <> 0 OR soft_delta <> 0 OR safety_delta <> 0 OR promise_safety_delta <> 0)
);
CREATE INDEX stock_ledger_moved_ix ON stock_ledger (node_id, sku, occurred_at) INCLUDE (on_hand_delta) WHERE on_hand_delta <> 0;
CREATE INDEX stock_ledger_node_sku_ix ON stock_ledger (node_id, sku, id);
CREATE INDEX stock_ledger_transaction_ix ON stock_ledger (transaction, id);
COMMENT ON COLUMN stock_ledger.transaction IS 'what tells a reader of changes that nothing older is still to be committed';

CREATE TABLE return_dispositions (
    return_id TEXT NOT NULL,
    line_id TEXT NOT NULL,
    disposition TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    CONSTRAINT return_dispositions_pkey PRIMARY KEY (return_id, line_id, disposition),
    CONSTRAINT return_dispositions_return_id_line_id_fkey FOREIGN KEY(return_id, line_id) REFERENCES return_lines (return_id, line_id),
    CONSTRAINT return_dispositions_disposition_known_check CHECK (disposition IN ('restock', 'refurbish', 'quarantine', 'scrap')),
    CONSTRAINT return_dispositions_quantity_check CHECK (quantity > 0)
);
