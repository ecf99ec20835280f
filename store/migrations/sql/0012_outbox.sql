-- Who waits for work is woken when the transaction that brings it is committed: the relay, and jobs of the keeper.
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
