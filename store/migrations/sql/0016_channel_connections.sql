-- How channels are connected to their platforms, how far each feed of theirs is read, and what they were told.
CREATE TABLE channel_connections (
    channel text NOT NULL
        CONSTRAINT channel_connections_pkey PRIMARY KEY
        CONSTRAINT channel_connections_channel_fkey REFERENCES channels (id),
    platform text NOT NULL,
    tells boolean NOT NULL,
    stock boolean NOT NULL,
    document jsonb NOT NULL,
    paused_at timestamp with time zone,
    paused_by text DEFAULT '' NOT NULL,
    pause_reason text DEFAULT '' NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT channel_connections_platform_known_check CHECK (platform IN (
        'webhook', 'shopify', 'woocommerce', 'amazon', 'vendure', 'files', 'x12', 'edifact'))
);

CREATE TABLE channel_feeds (
    channel text NOT NULL
        CONSTRAINT channel_feeds_channel_fkey REFERENCES channel_connections (channel) ON DELETE CASCADE,
    feed text NOT NULL,
    position jsonb DEFAULT '{}' NOT NULL,
    due_at timestamp with time zone,
    run bigint DEFAULT 0 NOT NULL,
    started_at timestamp with time zone,
    finished_at timestamp with time zone,
    read bigint DEFAULT 0 NOT NULL,
    failures integer DEFAULT 0 NOT NULL,
    error text DEFAULT '' NOT NULL,
    failed_at timestamp with time zone,
    CONSTRAINT channel_feeds_pkey PRIMARY KEY (channel, feed),
    CONSTRAINT channel_feeds_feed_known_check CHECK (feed IN ('orders', 'reconcile', 'backfill', 'stock'))
);

COMMENT ON COLUMN channel_feeds.position IS 'where it goes on, in the terms of its connector';
COMMENT ON COLUMN channel_feeds.due_at IS 'when it is read next; null: not by itself';
COMMENT ON COLUMN channel_feeds.run IS 'how often it was begun';
COMMENT ON COLUMN channel_feeds.read IS 'orders, or SKUs, that were read in the run, or in the last one';
CREATE INDEX channel_feeds_due_ix ON channel_feeds (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE channel_told (
    order_id text NOT NULL CONSTRAINT channel_told_order_id_fkey REFERENCES orders (id),
    key text NOT NULL,
    kind text NOT NULL,
    platform_id text DEFAULT '' NOT NULL,
    found boolean NOT NULL,
    told_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT channel_told_pkey PRIMARY KEY (order_id, key),
    CONSTRAINT channel_told_kind_known_check CHECK (kind IN ('accept', 'fulfil', 'deliver', 'cancel', 'refund'))
);

COMMENT ON COLUMN channel_told.platform_id IS 'what the platform calls it';
COMMENT ON COLUMN channel_told.found IS 'it was there already when it was to be told';

ALTER TABLE channel_messages
    ADD COLUMN reference text, ADD COLUMN fetched bytea, ADD COLUMN fetched_at timestamp with time zone;
COMMENT ON COLUMN channel_messages.reference IS 'the platform''s own id of the order, where it has one beside the number';
COMMENT ON COLUMN channel_messages.fetched IS 'the order''s state as its platform had it when the message had its turn; null: what came is read';

ALTER TABLE channel_orders
    ADD COLUMN reference text, ADD COLUMN sent_before jsonb DEFAULT '{}' NOT NULL,
    ADD COLUMN repairs jsonb DEFAULT '{}' NOT NULL;
COMMENT ON COLUMN channel_orders.reference IS 'the platform''s own id of the order';
COMMENT ON COLUMN channel_orders.sent_before IS 'units by line that were sent before the order was captured here';
COMMENT ON COLUMN channel_orders.repairs IS 'what a person put in place of fields, by field: what stood there, and what it is';
CREATE INDEX channel_orders_reference_ix ON channel_orders (channel, reference) WHERE reference IS NOT NULL;
CREATE INDEX channel_orders_order_ix ON channel_orders (order_id) WHERE order_id IS NOT NULL;

ALTER TABLE channel_levels ADD COLUMN told_at timestamp with time zone;
COMMENT ON COLUMN channel_levels.told_at IS 'when the channel took it; null: not yet';

ALTER TABLE outbox DROP CONSTRAINT outbox_medium_known_check;
ALTER TABLE outbox ADD CONSTRAINT outbox_medium_known_check
    CHECK (medium IN ('mail', 'webhook', 'availability', 'workflow', 'channel'));
