-- What is written once stays as it was written.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the ledger is append-only: write another entry' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON stock_ledger
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION refuse_change_of_policy() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a published policy never changes: publish another version' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER never_changes BEFORE UPDATE OR DELETE OR TRUNCATE ON policies
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_policy();

-- Who waits for work is woken when the transaction that brings it is committed: the relay, and background jobs.
CREATE FUNCTION wake() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify(TG_ARGV[0], '');
    RETURN NULL;
END
$$;
CREATE TRIGGER outbox_written AFTER INSERT ON outbox FOR EACH STATEMENT EXECUTE FUNCTION wake('outbox');
CREATE TRIGGER import_queued AFTER INSERT OR UPDATE OF status ON stock_imports
    FOR EACH ROW WHEN (NEW.status = 'queued') EXECUTE FUNCTION wake('imports');
CREATE TRIGGER rehearsal_queued AFTER INSERT OR UPDATE OF status ON rehearsals
    FOR EACH ROW WHEN (NEW.status = 'queued') EXECUTE FUNCTION wake('rehearsals');
