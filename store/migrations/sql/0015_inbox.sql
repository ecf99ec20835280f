-- Channels' messages as they come in, what became of each, and the mappings they are read by.
CREATE TABLE channel_mappings (
    channel text NOT NULL CONSTRAINT channel_mappings_channel_fkey REFERENCES channels (id),
    version integer NOT NULL,
    document jsonb NOT NULL,
    source text NOT NULL,
    comment text DEFAULT '' NOT NULL,
    published_by text NOT NULL,
    published_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT channel_mappings_pkey PRIMARY KEY (channel, version)
);

CREATE FUNCTION refuse_change_of_mapping() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a published mapping never changes: publish another version' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER never_changes BEFORE UPDATE OR DELETE OR TRUNCATE ON channel_mappings
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_mapping();

CREATE TABLE channel_messages (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT channel_messages_pkey PRIMARY KEY,
    channel text NOT NULL CONSTRAINT channel_messages_channel_fkey REFERENCES channels (id),
    source text NOT NULL,
    delivery_id text NOT NULL,
    event_id text,
    topic text DEFAULT '' NOT NULL,
    order_number text,
    content_hash text NOT NULL,
    headers jsonb NOT NULL,
    body bytea NOT NULL,
    received_at timestamp with time zone DEFAULT now() NOT NULL,
    outcome text DEFAULT 'received' NOT NULL,
    detail text DEFAULT '' NOT NULL,
    order_id text,
    faults jsonb DEFAULT '[]' NOT NULL,
    repairs jsonb DEFAULT '{}' NOT NULL,
    replays integer DEFAULT 0 NOT NULL,
    mapping_version integer,
    settled_at timestamp with time zone,
    CONSTRAINT channel_messages_source_known_check CHECK (source IN ('webhook', 'poll', 'reconcile', 'file', 'edi')),
    CONSTRAINT channel_messages_outcome_known_check CHECK (outcome IN (
        'received', 'captured', 'changed', 'unchanged', 'stale', 'duplicate', 'ignored', 'quarantined', 'refused')),
    CONSTRAINT channel_messages_settled_has_time_check CHECK ((outcome = 'received') = (settled_at IS NULL))
);

COMMENT ON COLUMN channel_messages.order_number IS 'the channel''s own number; null: it names none, or cannot be read';
COMMENT ON COLUMN channel_messages.body IS 'as it came';
COMMENT ON COLUMN channel_messages.repairs IS 'what a person put in place of fields, by field';
CREATE UNIQUE INDEX channel_messages_delivery_ix ON channel_messages (channel, delivery_id);
CREATE UNIQUE INDEX channel_messages_content_ix ON channel_messages (channel, order_number, content_hash)
    WHERE order_number IS NOT NULL;
CREATE INDEX channel_messages_open_ix ON channel_messages (channel, order_number, id) WHERE outcome = 'received';
CREATE INDEX channel_messages_outcome_ix ON channel_messages (outcome, id);
CREATE INDEX channel_messages_channel_ix ON channel_messages (channel, id);
CREATE INDEX channel_messages_number_ix ON channel_messages (order_number, id);
CREATE INDEX channel_messages_received_ix ON channel_messages (channel, received_at, id);

-- What came is not changed any more; what became of it is.
CREATE FUNCTION refuse_change_of_message() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a message stays as it came: repair what is made of it' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER raw_never_changes BEFORE UPDATE OF
    channel, source, delivery_id, event_id, topic, content_hash, headers, body, received_at
    ON channel_messages FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_message();

CREATE TABLE channel_message_repeats (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT channel_message_repeats_pkey PRIMARY KEY,
    message_id bigint NOT NULL
        CONSTRAINT channel_message_repeats_message_id_fkey REFERENCES channel_messages (id) ON DELETE CASCADE,
    delivery_id text NOT NULL,
    received_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE INDEX channel_message_repeats_message_ix ON channel_message_repeats (message_id);

CREATE TABLE channel_orders (
    channel text NOT NULL CONSTRAINT channel_orders_channel_fkey REFERENCES channels (id),
    number text NOT NULL,
    version text DEFAULT '' NOT NULL,
    state text NOT NULL,
    order_id text CONSTRAINT channel_orders_order_id_fkey REFERENCES orders (id),
    document jsonb,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT channel_orders_pkey PRIMARY KEY (channel, number),
    CONSTRAINT channel_orders_state_known_check CHECK (state IN ('open', 'pending', 'draft', 'cancelled'))
);

COMMENT ON COLUMN channel_orders.order_id IS 'null: the channel told of it, and nothing was captured';
COMMENT ON COLUMN channel_orders.document IS 'the last state that the channel told';
