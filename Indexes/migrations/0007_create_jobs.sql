-- Work that outlives the process doing it.

CREATE TYPE carrel.job_kind AS ENUM ('INGEST', 'REEMBED', 'ASSIGN_TOPICS', 'IMPORT');

CREATE TYPE carrel.job_state AS ENUM ('QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED');

-- A worker holds a job by a lease that it renews; when the worker dies the lease runs out and the
-- next one takes the job, from the last step that was finished.
CREATE TABLE carrel.jobs (
    session_id uuid NOT NULL REFERENCES carrel.study_sessions ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    kind carrel.job_kind NOT NULL,
    document_id uuid,
    state carrel.job_state NOT NULL DEFAULT 'QUEUED',
    progress_done bigint NOT NULL DEFAULT 0,
    progress_total bigint NOT NULL DEFAULT 0,
    attempt integer NOT NULL DEFAULT 0,
    lease_owner text,
    lease_expires_at timestamptz,
    payload jsonb NOT NULL DEFAULT '{}',
    error_message text,
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    finished_at timestamptz,
    PRIMARY KEY (session_id, id),
    CONSTRAINT jobs_running_is_leased
        CHECK ((state = 'RUNNING') = (lease_owner IS NOT NULL AND lease_expires_at IS NOT NULL)),
    CONSTRAINT jobs_ended_is_dated
        CHECK ((state IN ('SUCCEEDED', 'FAILED', 'CANCELLED')) = (finished_at IS NOT NULL)),
    CONSTRAINT jobs_progress CHECK (progress_done >= 0 AND progress_total >= 0 AND attempt >= 0),
    FOREIGN KEY (session_id, document_id)
        REFERENCES carrel.documents (session_id, id) ON DELETE CASCADE
);
-- citus: SELECT create_distributed_table('carrel.jobs', 'session_id', colocate_with => 'carrel.study_sessions');

-- A client names a job by its id alone.
CREATE INDEX jobs_id_idx ON carrel.jobs (id);

CREATE INDEX jobs_session_id_document_id_idx ON carrel.jobs (session_id, document_id);

-- The queue: what waits or runs, oldest first. Ended jobs, nearly all of them, are not in it.
CREATE INDEX jobs_open_idx ON carrel.jobs (created_at)
    WHERE state IN ('QUEUED', 'RUNNING');

-- down
DROP TABLE carrel.jobs;

DROP TYPE carrel.job_state;

DROP TYPE carrel.job_kind;
