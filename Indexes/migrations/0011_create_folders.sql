-- Folders: a tree in each session, and the place of a document in it.

-- A folder takes its folders with it when it is deleted, never its documents.
CREATE TABLE carrel.folders (
    session_id uuid NOT NULL REFERENCES carrel.study_sessions ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    parent_id uuid,
    name text NOT NULL
        CONSTRAINT folders_name_length CHECK (octet_length(name) BETWEEN 1 AND 255),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (session_id, id),
    CONSTRAINT folders_name_key UNIQUE NULLS NOT DISTINCT (session_id, parent_id, name),
    CONSTRAINT folders_not_in_itself CHECK (parent_id <> id),
    FOREIGN KEY (session_id, parent_id)
        REFERENCES carrel.folders (session_id, id) ON DELETE CASCADE
);
-- citus: SELECT create_distributed_table('carrel.folders', 'session_id', colocate_with => 'carrel.study_sessions');

-- Walks from the new parent to the root and refuses to meet the folder itself.
--
-- Two moves at once could each be right by what they see and make a cycle together. So moves of one
-- session take turns, by a lock that lasts to the end of the transaction; what the walk reads is
-- what the one before has committed. FOR SHARE is for stricter isolation levels, whose snapshot is older
-- than the lock: there a folder moved meanwhile fails the statement.
--
-- It reads only its own table, under the name it has there, so it may run on a shard.
CREATE FUNCTION carrel.refuse_folder_cycle() RETURNS trigger
    LANGUAGE plpgsql AS
$$
DECLARE
    above uuid := NEW.parent_id;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('carrel.folders'), hashtext(NEW.session_id::text));
    WHILE above IS NOT NULL LOOP
        IF above = NEW.id THEN
            RAISE EXCEPTION 'a folder cannot be moved into itself or below itself'
                USING ERRCODE = 'check_violation',
                    SCHEMA = TG_TABLE_SCHEMA,
                    TABLE = TG_TABLE_NAME,
                    COLUMN = 'parent_id',
                    CONSTRAINT = 'folders_no_cycle';
        END IF;
        EXECUTE format(
            'SELECT parent_id FROM %I.%I WHERE session_id = $1 AND id = $2 FOR SHARE',
            TG_TABLE_SCHEMA, TG_TABLE_NAME)
            INTO above USING NEW.session_id, above;
    END LOOP;
    RETURN NEW;
END;
$$;

-- A folder that is new has nothing below it, so only moving can close a circle.
CREATE TRIGGER folders_no_cycle
    BEFORE UPDATE OF parent_id ON carrel.folders
    FOR EACH ROW
    WHEN (OLD.parent_id IS DISTINCT FROM NEW.parent_id)
    EXECUTE FUNCTION carrel.refuse_folder_cycle();

ALTER TABLE carrel.documents
    ADD COLUMN folder_id uuid,
    ADD CONSTRAINT documents_folder_id_fkey FOREIGN KEY (session_id, folder_id)
        REFERENCES carrel.folders (session_id, id) ON DELETE SET NULL (folder_id);

CREATE INDEX documents_session_id_folder_id_idx ON carrel.documents (session_id, folder_id);

-- down
ALTER TABLE carrel.documents
    DROP COLUMN folder_id;

DROP TABLE carrel.folders;

DROP FUNCTION carrel.refuse_folder_cycle();
