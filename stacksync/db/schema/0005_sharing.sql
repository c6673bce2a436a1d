-- Sharing, and the work on the object store that it asks for.

ALTER TABLE account ADD COLUMN identity_id text UNIQUE;
ALTER TABLE account ADD COLUMN identity_is_ours boolean NOT NULL DEFAULT false;

COMMENT ON COLUMN account.identity_id IS 'the user''s id in the identity service (Keystone)';
COMMENT ON COLUMN account.identity_is_ours IS 'we made that user, and remove it with the account';

ALTER TABLE workspace ADD COLUMN root_item_id bigint;
ALTER TABLE workspace ADD COLUMN has_mounts boolean NOT NULL DEFAULT false;

COMMENT ON COLUMN workspace.root_item_id IS 'of a shared workspace: the folder it consists of, '
    'its only item without a parent';
COMMENT ON COLUMN workspace.has_mounts IS 'its owner has, or had, folders of other workspaces '
    'mounted in it, whose names its items can''t have';

-- What has left a workspace for another, as its devices are told of it.
CREATE TABLE departed_item (
    workspace_id     uuid NOT NULL REFERENCES workspace ON DELETE CASCADE,
    id               bigint NOT NULL,
    parent_id        bigint,
    parent_version   bigint,
    name             text NOT NULL,
    is_folder        boolean NOT NULL,
    status           text NOT NULL,
    version          bigint NOT NULL,
    revision         bigint NOT NULL,
    created_revision bigint NOT NULL,
    size             bigint NOT NULL,
    checksum         bigint NOT NULL,
    mimetype         text,
    chunks           text[] NOT NULL,
    device_id        uuid NOT NULL,
    modified_at      timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, id)
);

COMMENT ON TABLE departed_item IS 'told as deleted to who was there before; a row goes when its '
    'item comes back. The columns are those of item, its chunks none.';

CREATE INDEX departed_item_changes ON departed_item (workspace_id, revision);

CREATE TABLE share_proposal (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    item_id      bigint NOT NULL,
    workspace_id uuid NOT NULL,
    owner_id     uuid NOT NULL REFERENCES account ON DELETE CASCADE,
    email        text NOT NULL,
    role         text NOT NULL CHECK (role IN ('editor', 'viewer')),
    is_encrypted boolean NOT NULL,
    state        text NOT NULL DEFAULT 'pending'
        CHECK (state IN ('pending', 'accepted', 'declined', 'withdrawn')),
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL,
    answered_at  timestamptz
);

COMMENT ON COLUMN share_proposal.workspace_id IS 'of the folder''s own workspace: until the first '
    'acceptance, the id that it will have';
COMMENT ON COLUMN share_proposal.email IS 'the addressee''s, who need not have an account yet';
COMMENT ON COLUMN share_proposal.state IS 'a pending one whose time is over counts as expired';

CREATE UNIQUE INDEX share_proposal_pending ON share_proposal (item_id, lower(email))
    WHERE state = 'pending';
CREATE INDEX share_proposal_email ON share_proposal (lower(email)) WHERE state = 'pending';
CREATE INDEX share_proposal_owner ON share_proposal (owner_id);

CREATE TABLE chunk_copy (
    container text NOT NULL,
    name      text NOT NULL,
    source    text NOT NULL,
    PRIMARY KEY (container, name, source)
);

COMMENT ON TABLE chunk_copy IS 'chunks that have still to be brought into a container, and the '
    'containers that may have them: readers look there, and garbage collection spares them there';

CREATE INDEX chunk_copy_source ON chunk_copy (source, name);

CREATE TABLE job (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind          text NOT NULL,
    queue         text NOT NULL,
    arguments     jsonb NOT NULL,
    after_id      bigint,
    attempts      integer NOT NULL DEFAULT 0,
    run_at        timestamptz NOT NULL DEFAULT now(),
    claimed_by    text,
    claimed_until timestamptz,
    problem       text,
    progress      bigint NOT NULL DEFAULT 0,
    total         bigint,
    created_at    timestamptz NOT NULL DEFAULT now(),
    finished_at   timestamptz
);

COMMENT ON COLUMN job.queue IS 'jobs of one queue run one after the other, in the order of their ids';
COMMENT ON COLUMN job.after_id IS 'the job that has to be done first, which may be gone by now';
COMMENT ON COLUMN job.claimed_until IS 'a claim that has run out is anybody''s';

CREATE INDEX job_waiting ON job (run_at, id) WHERE finished_at IS NULL;
CREATE INDEX job_queue ON job (queue, id) WHERE finished_at IS NULL;
CREATE INDEX job_finished ON job (finished_at) WHERE finished_at IS NOT NULL;

-- What commit_items works with besides.

ALTER TYPE commit_place ADD ATTRIBUTE root_id bigint;
ALTER TYPE commit_place ADD ATTRIBUTE mounts_of uuid;

COMMENT ON TYPE commit_place IS 'where a new version belongs: in which request, at which place of '
    'it; root_id: the folder that a shared workspace consists of; mounts_of: the account whose '
    'mounts an item must not be called like';
