-- Corrections of what channels send, and rules that people made of repairs.
CREATE FUNCTION sku_fold(code text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN ltrim(regexp_replace(upper(code), '[^A-Z0-9]', '', 'g'), '0');

CREATE INDEX skus_folded_ix ON skus (sku_fold(id));
CREATE INDEX skus_id_like_ix ON skus USING gin (id gin_trgm_ops);
CREATE INDEX skus_name_like_ix ON skus USING gin ((document ->> 'description') gin_trgm_ops);

CREATE TABLE channel_correction_rules (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT channel_correction_rules_pkey PRIMARY KEY,
    channel text NOT NULL CONSTRAINT channel_correction_rules_channel_fkey REFERENCES channels (id),
    field text NOT NULL,
    before text NOT NULL,
    after jsonb NOT NULL,
    status text DEFAULT 'draft' NOT NULL,
    message_id bigint CONSTRAINT channel_correction_rules_message_id_fkey
        REFERENCES channel_messages (id) ON DELETE SET NULL,
    comment text DEFAULT '' NOT NULL,
    rehearsal jsonb,
    rehearsed_at timestamp with time zone,
    created_by text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    changed_by text NOT NULL,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT channel_correction_rules_status_known_check CHECK (status IN ('draft', 'rehearsed', 'live', 'retired')),
    CONSTRAINT channel_correction_rules_acts_once_rehearsed_check CHECK (status NOT IN ('rehearsed', 'live')
        OR rehearsed_at IS NOT NULL)
);

COMMENT ON COLUMN channel_correction_rules.field IS 'as mappings name it, lines[*].sku for the same field of every line';
COMMENT ON COLUMN channel_correction_rules.after IS 'null as JSON: it is taken out';
COMMENT ON COLUMN channel_correction_rules.message_id IS 'the repaired message that it was made of';
CREATE UNIQUE INDEX channel_correction_rules_live_ix ON channel_correction_rules (channel, before, field)
    WHERE status = 'live';
CREATE INDEX channel_correction_rules_channel_ix ON channel_correction_rules (channel, id);

CREATE TABLE channel_corrections (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT channel_corrections_pkey PRIMARY KEY,
    message_id bigint NOT NULL CONSTRAINT channel_corrections_message_id_fkey
        REFERENCES channel_messages (id) ON DELETE CASCADE,
    channel text NOT NULL CONSTRAINT channel_corrections_channel_fkey REFERENCES channels (id),
    position integer NOT NULL,
    field text NOT NULL,
    before jsonb NOT NULL,
    after jsonb NOT NULL,
    rule text NOT NULL,
    confidence integer NOT NULL,
    why text DEFAULT '' NOT NULL,
    by_itself boolean NOT NULL,
    status text NOT NULL,
    found_at timestamp with time zone NOT NULL,
    decided_by text,
    decided_at timestamp with time zone,
    CONSTRAINT channel_corrections_status_known_check
        CHECK (status IN ('applied', 'proposed', 'accepted', 'rejected')),
    CONSTRAINT channel_corrections_confidence_per_mille_check CHECK (confidence BETWEEN 0 AND 1000),
    CONSTRAINT channel_corrections_decided_by_somebody_check CHECK ((status IN ('accepted', 'rejected'))
        = (decided_by IS NOT NULL) AND (decided_by IS NULL) = (decided_at IS NULL))
);

COMMENT ON COLUMN channel_corrections.position IS 'in what sequence they were made of the message';
COMMENT ON COLUMN channel_corrections.confidence IS 'per mille';
COMMENT ON COLUMN channel_corrections.by_itself IS 'it was made, and not only proposed; also of one that was rejected';
CREATE UNIQUE INDEX channel_corrections_once_ix ON channel_corrections (message_id, field, rule, md5(after::text));
CREATE INDEX channel_corrections_found_ix ON channel_corrections (channel, found_at, rule);
