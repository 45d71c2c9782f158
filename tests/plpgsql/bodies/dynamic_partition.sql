
DECLARE
    part text := format('events_%s', to_char(NEW.created_at, 'YYYY_MM'));
    found_id bigint;
BEGIN
    EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF events FOR VALUES FROM (%L) TO (%L)',
                   part, date_trunc('month', NEW.created_at), date_trunc('month', NEW.created_at) + interval '1 month');
    EXECUTE 'INSERT INTO ' || quote_ident(part) || ' SELECT ($1).* RETURNING id' INTO STRICT found_id USING NEW;
    EXECUTE 'SELECT 1' USING found_id INTO found_id;
    RETURN NULL;
END;
