-- What removed_documents remembers gets an end: rows older than a week are deleted with the next
-- removal of their session, and the session says from where on the rest is complete.

-- removed_documents names every removal after this revision. A cache whose snapshot is older reads
-- the session in whole.
ALTER TABLE carrel.study_sessions
    ADD COLUMN removals_after bigint NOT NULL DEFAULT 0
        CONSTRAINT study_sessions_removals_after_known CHECK (removals_after BETWEEN 0 AND revision);

-- down
-- What was pruned cannot be told any more to a cache that is older than it: the restart that an
-- older program needs anyway must find no snapshot files (data/var/snapshots).
ALTER TABLE carrel.study_sessions
    DROP COLUMN removals_after;
