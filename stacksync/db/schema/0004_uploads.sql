-- Uploads that come in several requests, until they are a file and a while longer.
--
-- What a row names, it does not hold: the folder, the file and the workspace
-- may change or go before the upload is complete, and the commit finds that out.

CREATE TABLE upload (
    id             uuid PRIMARY KEY,
    account_id     uuid NOT NULL REFERENCES account ON DELETE CASCADE,
    workspace_id   uuid NOT NULL REFERENCES workspace ON DELETE CASCADE,
    device_id      uuid,
    parent_id      bigint,
    name           text NOT NULL,
    file_id        bigint,
    base_version   bigint,
    mimetype       text,
    modified_at    timestamptz,
    metadata       text NOT NULL,
    length         bigint CHECK (length >= 0),
    "offset"       bigint NOT NULL DEFAULT 0 CHECK ("offset" >= 0 AND "offset" <= length),
    chunks         text[] NOT NULL DEFAULT '{}',
    tail           bytea NOT NULL DEFAULT '',
    checksum       bigint NOT NULL,
    found_mimetype text,
    refusals       integer NOT NULL DEFAULT 0,
    item_id        bigint,
    item_version   bigint,
    created_at     timestamptz NOT NULL,
    expires_at     timestamptz NOT NULL
);

COMMENT ON COLUMN upload.device_id IS 'the device that began it, in whose name it is committed; null: none was named';
COMMENT ON COLUMN upload.file_id IS 'the file that gets new content; null: a new file, in parent_id (null: the root)';
COMMENT ON COLUMN upload.name IS 'of the new file; of one that is there, what it was called when the upload began';
COMMENT ON COLUMN upload.base_version IS 'the version that file_id must have; null: whichever';
COMMENT ON COLUMN upload.metadata IS 'the header Upload-Metadata, as it came';
COMMENT ON COLUMN upload.length IS 'null: the client has not said it yet';
COMMENT ON COLUMN upload."offset" IS 'bytes that arrived; they are in chunks and then in tail, which is not cut yet';
COMMENT ON COLUMN upload.checksum IS 'Adler-32 of the bytes that arrived';
COMMENT ON COLUMN upload.refusals IS 'how often the commit was refused: each try needs a request id of its own';
COMMENT ON COLUMN upload.item_id IS 'the file that it became; chunks and tail are empty then';

-- Compressing what is compressed already would only take time.
ALTER TABLE upload ALTER COLUMN tail SET STORAGE EXTERNAL;

CREATE INDEX upload_account ON upload (account_id);
CREATE INDEX upload_workspace ON upload (workspace_id);
CREATE INDEX upload_expiry ON upload (expires_at);
