-- Who may read what is not his: groups of accounts, and documents shared to an account or a group.

-- owner_id is who looks after it: the account that made it, NULL when that is gone.
CREATE TABLE carrel.groups (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name text NOT NULL
        CONSTRAINT groups_name_key UNIQUE
        CONSTRAINT groups_name_length CHECK (octet_length(name) BETWEEN 1 AND 255),
    owner_id uuid REFERENCES carrel.profiles ON DELETE SET NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
-- citus: SELECT create_reference_table('carrel.groups');

CREATE INDEX groups_owner_id_idx ON carrel.groups (owner_id);

CREATE TABLE carrel.group_members (
    group_id uuid NOT NULL REFERENCES carrel.groups ON DELETE CASCADE,
    profile_id uuid NOT NULL REFERENCES carrel.profiles ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (group_id, profile_id)
);
-- citus: SELECT create_reference_table('carrel.group_members');

-- The groups of an account.
CREATE INDEX group_members_profile_id_idx ON carrel.group_members (profile_id);

CREATE TYPE carrel.share_permission AS ENUM ('READ');

-- A share holds from the moment it is committed until it is deleted or expires_at has come. Nothing
-- remembers it: every request of a recipient reads this table.
CREATE TABLE carrel.shares (
    session_id uuid NOT NULL,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    document_id uuid NOT NULL,
    recipient_id uuid REFERENCES carrel.profiles ON DELETE CASCADE,
    group_id uuid REFERENCES carrel.groups ON DELETE CASCADE,
    permission carrel.share_permission NOT NULL DEFAULT 'READ',
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    PRIMARY KEY (session_id, id),
    CONSTRAINT shares_to_one CHECK (num_nonnulls(recipient_id, group_id) = 1),
    CONSTRAINT shares_recipient_id_key UNIQUE (session_id, document_id, recipient_id),
    CONSTRAINT shares_group_id_key UNIQUE (session_id, document_id, group_id),
    FOREIGN KEY (session_id, document_id)
        REFERENCES carrel.documents (session_id, id) ON DELETE CASCADE
);
-- citus: SELECT create_distributed_table('carrel.shares', 'session_id', colocate_with => 'carrel.study_sessions');

CREATE INDEX shares_recipient_id_idx ON carrel.shares (recipient_id);

CREATE INDEX shares_group_id_idx ON carrel.shares (group_id);

-- The second fence (0014): an account sees the shares of its sessions and what groups it is in.
ALTER TABLE carrel.shares ENABLE ROW LEVEL SECURITY;

CREATE POLICY owner ON carrel.shares TO carrel_app
    USING (EXISTS (
        SELECT FROM carrel.study_sessions AS s
        WHERE s.id = shares.session_id AND s.profile_id = (SELECT carrel.asking_profile())
    ));

CREATE POLICY service ON carrel.shares TO carrel_service USING (true);

ALTER TABLE carrel.group_members ENABLE ROW LEVEL SECURITY;

CREATE POLICY owner ON carrel.group_members TO carrel_app
    USING (profile_id = (SELECT carrel.asking_profile()));

CREATE POLICY service ON carrel.group_members TO carrel_service USING (true);

-- What is shared to the account that asks. By the right of the tables' owner: policies below ask it, and
-- what it reads has policies of its own.
CREATE FUNCTION carrel.shared_documents() RETURNS TABLE (session_id uuid, document_id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = '' AS
$$
    SELECT s.session_id, s.document_id
    FROM carrel.shares AS s
    WHERE (s.expires_at IS NULL OR s.expires_at > clock_timestamp())
        AND (
            s.recipient_id = carrel.asking_profile()
            OR s.group_id IN (
                SELECT m.group_id
                FROM carrel.group_members AS m
                WHERE m.profile_id = carrel.asking_profile()
            )
        )
$$;

-- For reading, and only the documents' own rows. chunk_graph stays closed: searches of recipients do
-- not walk it. Whose rows they are anyway never asks: the first policy has answered then.
CREATE POLICY shared ON carrel.study_sessions FOR SELECT TO carrel_app
    USING (id IN (SELECT x.session_id FROM carrel.shared_documents() AS x));

CREATE POLICY shared ON carrel.documents FOR SELECT TO carrel_app
    USING (
        (session_id, id) IN (
            SELECT x.session_id, x.document_id FROM carrel.shared_documents() AS x
        )
    );

CREATE POLICY shared ON carrel.pages FOR SELECT TO carrel_app
    USING (
        (session_id, document_id) IN (
            SELECT x.session_id, x.document_id FROM carrel.shared_documents() AS x
        )
    );

CREATE POLICY shared ON carrel.sections FOR SELECT TO carrel_app
    USING (EXISTS (
        SELECT FROM carrel.pages AS p
        WHERE p.session_id = sections.session_id
            AND p.id = sections.page_id
            AND (p.session_id, p.document_id) IN (
                SELECT x.session_id, x.document_id FROM carrel.shared_documents() AS x
            )
    ));

CREATE POLICY shared ON carrel.document_chunks FOR SELECT TO carrel_app
    USING (
        (session_id, document_id) IN (
            SELECT x.session_id, x.document_id FROM carrel.shared_documents() AS x
        )
    );

-- down
DROP POLICY shared ON carrel.document_chunks;

DROP POLICY shared ON carrel.sections;

DROP POLICY shared ON carrel.pages;

DROP POLICY shared ON carrel.documents;

DROP POLICY shared ON carrel.study_sessions;

DROP FUNCTION carrel.shared_documents();

DROP TABLE carrel.shares;

DROP TYPE carrel.share_permission;

DROP TABLE carrel.group_members;

DROP TABLE carrel.groups;
