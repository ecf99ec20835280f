-- Customers are asked when what was promised comes later; what they were told of each line.

ALTER TABLE order_lines ADD COLUMN promised TIMESTAMP WITH TIME ZONE;
UPDATE order_lines l SET promised = o.promise_latest
FROM orders o WHERE o.id = l.order_id AND o.status NOT IN ('delivered', 'cancelled') AND l.backordered = 0;
CREATE INDEX order_lines_overdue_ix ON order_lines (order_id) WHERE backordered > 0 AND promised IS NOT NULL;

CREATE TABLE customer_questions (
    id TEXT NOT NULL,
    order_id TEXT NOT NULL,
    link_id TEXT NOT NULL,
    status TEXT NOT NULL,
    units JSONB NOT NULL,
    promised TIMESTAMP WITH TIME ZONE NOT NULL,
    expected TIMESTAMP WITH TIME ZONE,
    choices TEXT[] NOT NULL,
    swap JSONB NOT NULL,
    silence TEXT NOT NULL,
    asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    answer_by TIMESTAMP WITH TIME ZONE NOT NULL,
    mails INTEGER NOT NULL,
    told_at TIMESTAMP WITH TIME ZONE NOT NULL,
    told_expected TIMESTAMP WITH TIME ZONE,
    answer TEXT,
    ended_by TEXT,
    ended_at TIMESTAMP WITH TIME ZONE,
    reason TEXT DEFAULT '' NOT NULL,
    withdrawal TEXT,
    CONSTRAINT customer_questions_pkey PRIMARY KEY (id),
    CONSTRAINT customer_questions_status_known_check CHECK (status IN ('open', 'answered', 'expired', 'withdrawn')),
    CONSTRAINT customer_questions_silence_known_check CHECK (silence IN ('wait', 'partial', 'swap', 'cancel')),
    CONSTRAINT customer_questions_answer_known_check CHECK (answer IN ('wait', 'partial', 'swap', 'cancel')),
    CONSTRAINT customer_questions_withdrawal_known_check CHECK (withdrawal IN ('kept', 'gone')),
    CONSTRAINT customer_questions_ended_once_check CHECK ((status = 'open') = (ended_at IS NULL)),
    CONSTRAINT customer_questions_ended_by_somebody_check CHECK ((ended_at IS NULL) = (ended_by IS NULL)),
    CONSTRAINT customer_questions_answer_of_its_end_check CHECK ((status IN ('answered', 'expired')) = (answer IS NOT NULL)),
    CONSTRAINT customer_questions_withdrawn_for_a_reason_check CHECK ((status = 'withdrawn') = (withdrawal IS NOT NULL)),
    CONSTRAINT customer_questions_link_id_key UNIQUE (link_id),
    CONSTRAINT customer_questions_order_id_fkey FOREIGN KEY(order_id) REFERENCES orders (id)
);
CREATE INDEX customer_questions_asked_ix ON customer_questions (asked_at, id);
CREATE INDEX customer_questions_due_ix ON customer_questions (answer_by) WHERE status = 'open';
CREATE UNIQUE INDEX customer_questions_one_open_ix ON customer_questions (order_id) WHERE status = 'open';
CREATE INDEX customer_questions_order_ix ON customer_questions (order_id);
COMMENT ON COLUMN customer_questions.link_id IS 'what the customer''s link is of; the link needs a signature too';
COMMENT ON COLUMN customer_questions.units IS 'late units by line';
COMMENT ON COLUMN customer_questions.swap IS 'the substitutes that may be chosen';
COMMENT ON COLUMN customer_questions.silence IS 'what is done if nobody answers';
COMMENT ON COLUMN customer_questions.mails IS 'how often it was mailed';
COMMENT ON COLUMN customer_questions.answer IS 'what was chosen, or what silence came to';
COMMENT ON COLUMN customer_questions.ended_by IS 'who answered, or ended it';
COMMENT ON COLUMN customer_questions.withdrawal IS 'why it was withdrawn';
