-- Work that a transaction leaves behind, for any instance to do once it is committed.

-- A new job, whose id is returned.  "after_of": the job that has to be done first, or null;
-- "delay": how long it waits at least, or null.
CREATE FUNCTION job_added(
    kind text, queue text, arguments jsonb, after_of bigint, delay interval
) RETURNS bigint
LANGUAGE sql AS $$
    INSERT INTO job (kind, queue, arguments, after_id, run_at)
        VALUES (
            job_added.kind, job_added.queue, job_added.arguments, after_of,
            now() + coalesce(job_added.delay, interval '0'))
        RETURNING id
$$;
