-- Keys of the blob store that no document holds, so that stray bytes are found without comparing a
-- bucket with a table: noted before the bytes are stored, taken away by the transaction that makes
-- the document, noted again by the one that deletes it.

CREATE TABLE carrel.unclaimed_blobs (
    key text PRIMARY KEY,
    sweep_after timestamptz NOT NULL DEFAULT now()
);
-- citus: SELECT create_reference_table('carrel.unclaimed_blobs');

-- The sweeper's order.
CREATE INDEX unclaimed_blobs_sweep_after_idx ON carrel.unclaimed_blobs (sweep_after);

-- down
DROP TABLE carrel.unclaimed_blobs;
