-- How many bytes of files an account may keep, and how many it keeps.

-- What may not be exceeded is the growth: a limit may be set below the usage, and then documents can
-- still be deleted, one after another, until it is met. So this is a trigger where a CHECK of
-- used_bytes <= limit_bytes would refuse both.
CREATE TABLE carrel.quotas (
    profile_id uuid PRIMARY KEY REFERENCES carrel.profiles ON DELETE CASCADE,
    limit_bytes bigint NOT NULL DEFAULT 104857600
        CONSTRAINT quotas_limit_bytes_not_negative CHECK (limit_bytes >= 0),
    used_bytes bigint NOT NULL DEFAULT 0
        CONSTRAINT quotas_used_bytes_not_negative CHECK (used_bytes >= 0)
);
-- citus: SELECT create_reference_table('carrel.quotas');

CREATE FUNCTION carrel.refuse_beyond_quota() RETURNS trigger
    LANGUAGE plpgsql AS
$$
BEGIN
    RAISE EXCEPTION 'expected at most % bytes, got %', NEW.limit_bytes, NEW.used_bytes
        USING ERRCODE = 'check_violation',
            SCHEMA = TG_TABLE_SCHEMA,
            TABLE = TG_TABLE_NAME,
            COLUMN = 'used_bytes',
            CONSTRAINT = 'quotas_within_limit';
END;
$$;

CREATE TRIGGER quotas_within_limit
    BEFORE UPDATE OF used_bytes ON carrel.quotas
    FOR EACH ROW
    WHEN (NEW.used_bytes > OLD.used_bytes AND NEW.used_bytes > NEW.limit_bytes)
    EXECUTE FUNCTION carrel.refuse_beyond_quota();

-- Accounts that were there before get what they use; who uses more than the default keeps it.
INSERT INTO carrel.quotas (profile_id, used_bytes)
SELECT p.id, coalesce(sum(d.file_size_bytes), 0)
FROM carrel.profiles AS p
LEFT JOIN carrel.study_sessions AS s ON s.profile_id = p.id
LEFT JOIN carrel.documents AS d ON d.session_id = s.id
GROUP BY p.id;

-- down
DROP TABLE carrel.quotas;

DROP FUNCTION carrel.refuse_beyond_quota();
