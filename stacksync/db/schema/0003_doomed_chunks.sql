-- Chunk objects that garbage collection has found to be old, until it has
-- looked at each once more and removed or spared it.

CREATE TABLE doomed_chunk (
    workspace_id uuid NOT NULL REFERENCES workspace ON DELETE CASCADE,
    name         text NOT NULL,
    doomed_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (workspace_id, name)
);

COMMENT ON TABLE doomed_chunk IS 'who needs one of these chunks deletes its row first, '
    'and so waits for a collection that holds it locked';
