-- What orders are searched by. The extension is one that the owner of a database may create.
CREATE EXTENSION IF NOT EXISTS pg_trgm;

CREATE TABLE order_search (
    order_id TEXT NOT NULL,
    text TEXT NOT NULL,
    postal_code TEXT NOT NULL,
    CONSTRAINT order_search_pkey PRIMARY KEY (order_id),
    CONSTRAINT order_search_order_id_fkey FOREIGN KEY(order_id) REFERENCES orders (id)
);
COMMENT ON COLUMN order_search.text IS 'what people type, in the form of dom.orders.searching.plain';
COMMENT ON COLUMN order_search.postal_code IS 'without spaces, in capitals';

CREATE TABLE saved_views (
    id TEXT NOT NULL,
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    filter JSONB NOT NULL,
    shared BOOLEAN NOT NULL,
    channels TEXT[],
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT saved_views_pkey PRIMARY KEY (id),
    CONSTRAINT saved_views_name_length_check CHECK (length(name) BETWEEN 1 AND 100)
);
CREATE UNIQUE INDEX saved_views_owner_ix ON saved_views (owner, name, channels) NULLS NOT DISTINCT;
CREATE INDEX saved_views_shared_ix ON saved_views (name, id) WHERE shared;
COMMENT ON COLUMN saved_views.owner IS 'the name of the caller who made it';
COMMENT ON COLUMN saved_views.channels
    IS 'of a channel''s own caller: its channels; null: of the merchant''s people';
