
BEGIN
    BEGIN
        INSERT INTO audit.events (kind, user_id, payload)
        VALUES (TG_OP, COALESCE(NEW.id, OLD.id), to_jsonb(NEW) - 'encrypted_password');
    EXCEPTION WHEN OTHERS THEN
        RAISE WARNING 'audit failed: % (%)', SQLERRM, SQLSTATE;
    END;
    RETURN COALESCE(NEW, OLD);
END;
