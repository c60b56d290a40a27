-- Texts that were imported count for the quota as files do: by their bytes in UTF-8.

-- What was imported before is counted now. Who keeps more than the limit by that keeps it, so the growth
-- is not refused here.
ALTER TABLE carrel.quotas DISABLE TRIGGER quotas_within_limit;

UPDATE carrel.documents AS d
SET file_size_bytes = t.bytes
FROM (
    SELECT session_id, document_id, sum(octet_length(chunk_text)) AS bytes
    FROM carrel.document_chunks
    WHERE type = 'CHILD'
    GROUP BY session_id, document_id
) AS t
WHERE d.file_type = 'import' AND t.session_id = d.session_id AND t.document_id = d.id;

UPDATE carrel.quotas AS q
SET used_bytes = q.used_bytes + i.bytes
FROM (
    SELECT s.profile_id, sum(d.file_size_bytes)::bigint AS bytes
    FROM carrel.documents AS d
    JOIN carrel.study_sessions AS s ON s.id = d.session_id
    WHERE d.file_type = 'import'
    GROUP BY s.profile_id
) AS i
WHERE q.profile_id = i.profile_id;

ALTER TABLE carrel.quotas ENABLE TRIGGER quotas_within_limit;

-- down
UPDATE carrel.quotas AS q
SET used_bytes = greatest(q.used_bytes - i.bytes, 0)
FROM (
    SELECT s.profile_id, sum(d.file_size_bytes)::bigint AS bytes
    FROM carrel.documents AS d
    JOIN carrel.study_sessions AS s ON s.id = d.session_id
    WHERE d.file_type = 'import'
    GROUP BY s.profile_id
) AS i
WHERE q.profile_id = i.profile_id;

UPDATE carrel.documents SET file_size_bytes = 0 WHERE file_type = 'import';
