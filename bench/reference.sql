-- What a plain application would have for the same data: a row for each chunk,
-- foreign keys, an index for each.  The reference transaction writes here.

CREATE TABLE plain_account (
    id   integer PRIMARY KEY,
    used bigint NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE plain_item (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id integer NOT NULL REFERENCES plain_account,
    name       text NOT NULL,
    size       bigint NOT NULL,
    checksum   bigint NOT NULL,
    version    integer NOT NULL,
    modified   timestamptz NOT NULL
);
CREATE INDEX ON plain_item (account_id);

CREATE TABLE plain_version (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    item_id  bigint NOT NULL REFERENCES plain_item,
    version  integer NOT NULL,
    size     bigint NOT NULL,
    checksum bigint NOT NULL,
    modified timestamptz NOT NULL
);
CREATE INDEX ON plain_version (item_id);

CREATE TABLE plain_chunk (
    version_id bigint NOT NULL REFERENCES plain_version,
    place      integer NOT NULL,
    name       text NOT NULL,
    PRIMARY KEY (version_id, place)
);

INSERT INTO plain_account SELECT n, 0 FROM generate_series(1, 20) n;

-- Twenty users for commit_items, numbered for pgbench to choose from.

INSERT INTO account (email, name, quota_limit)
    SELECT 'user' || n || '@example.org', 'user', 900000000000000 FROM generate_series(1, 20) n;
INSERT INTO device (account_id, name) SELECT id, 'bench' FROM account;
INSERT INTO workspace (owner_id, container) SELECT id, id::text FROM account;
INSERT INTO membership (account_id, workspace_id, role, mount_name)
    SELECT owner_id, id, 'owner', 'bench' FROM workspace;

CREATE TABLE committer AS
    SELECT row_number() OVER ()::integer AS number,
            a.id AS account_id, d.id AS device_id, w.id AS workspace_id
        FROM account a
        JOIN device d ON d.account_id = a.id
        JOIN workspace w ON w.owner_id = a.id;
CREATE UNIQUE INDEX ON committer (number);

ANALYZE;
