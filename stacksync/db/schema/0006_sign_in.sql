-- Tokens, applications, and what is kept of who signed in.

ALTER TABLE account ADD COLUMN password_id uuid NOT NULL DEFAULT gen_random_uuid();
ALTER TABLE account ADD COLUMN sign_ins_changed_at timestamptz NOT NULL DEFAULT now();

COMMENT ON COLUMN account.password_id IS 'a new one with each password: what was signed in by '
    'the one before is over';
COMMENT ON COLUMN account.sign_ins_changed_at IS 'when a token, device or password of it last '
    'ceased to hold';

CREATE INDEX account_sign_ins_changed ON account (sign_ins_changed_at);

ALTER TABLE device ADD COLUMN revoked_at timestamptz;

COMMENT ON COLUMN device.revoked_at IS 'it can do nothing any more, and is shown no more; the row '
    'stays, for versions name it';

-- Applications (OAuth 1.0a, RFC 5849).
CREATE TABLE consumer (
    key        text PRIMARY KEY,
    secret     text NOT NULL,
    name       text NOT NULL,
    callback   text,
    created_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz
);

COMMENT ON COLUMN consumer.secret IS 'signatures are keyed hashes: who checks them needs the key '
    'itself';

CREATE TABLE token (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    account_id   uuid NOT NULL REFERENCES account ON DELETE CASCADE,
    device_id    uuid REFERENCES device ON DELETE CASCADE,
    consumer_key text REFERENCES consumer ON DELETE CASCADE,
    name         text NOT NULL,
    scope        text NOT NULL CHECK (scope IN ('sync', 'read-only')),
    secret_hash  bytea UNIQUE,
    oauth_key    text UNIQUE,
    oauth_secret text,
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz,
    used_at      timestamptz,
    CHECK ((device_id IS NULL) = (secret_hash IS NULL)),
    CHECK ((consumer_key IS NULL) = (oauth_key IS NULL)),
    CHECK ((oauth_key IS NULL) = (oauth_secret IS NULL)),
    CHECK ((device_id IS NULL) <> (consumer_key IS NULL))
);

COMMENT ON TABLE token IS 'the right of a device, or of an application, to act for an account; '
    'the row goes when the right ends';
COMMENT ON COLUMN token.secret_hash IS 'SHA-256 of a device''s bearer token, which has 256 random '
    'bits: no slow hash could make it safer';

CREATE INDEX token_account ON token (account_id);
CREATE INDEX token_device ON token (device_id);
CREATE INDEX token_consumer ON token (consumer_key);
CREATE INDEX token_expires ON token (expires_at) WHERE expires_at IS NOT NULL;

-- Temporary credentials (RFC 5849, section 2.1).
CREATE TABLE request_token (
    key           text PRIMARY KEY,
    secret        text NOT NULL,
    consumer_key  text NOT NULL REFERENCES consumer ON DELETE CASCADE,
    callback      text NOT NULL,
    scope         text NOT NULL CHECK (scope IN ('sync', 'read-only')),
    account_id    uuid REFERENCES account ON DELETE CASCADE,
    verifier_hash bytea,
    wrong_guesses integer NOT NULL DEFAULT 0,
    is_denied     boolean NOT NULL DEFAULT false,
    created_at    timestamptz NOT NULL DEFAULT now(),
    expires_at    timestamptz NOT NULL
);

COMMENT ON TABLE request_token IS 'the row goes when it becomes an access token, or expires';

CREATE INDEX request_token_consumer ON request_token (consumer_key);
CREATE INDEX request_token_account ON request_token (account_id);
CREATE INDEX request_token_expires ON request_token (expires_at);

CREATE TABLE oauth_nonce (
    consumer_key text NOT NULL REFERENCES consumer ON DELETE CASCADE,
    token_key    text NOT NULL,
    signed_at    bigint NOT NULL,
    nonce        text NOT NULL,
    PRIMARY KEY (consumer_key, signed_at, token_key, nonce)
);

COMMENT ON TABLE oauth_nonce IS 'of requests whose signature was right, as long as their timestamp '
    'would be taken once more (RFC 5849, section 3.3)';

CREATE INDEX oauth_nonce_signed ON oauth_nonce (signed_at);

CREATE TABLE audit_event (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at         timestamptz NOT NULL DEFAULT now(),
    kind       text NOT NULL,
    account_id uuid,
    email      text,
    address    text,
    sign_in    text,
    detail     jsonb NOT NULL DEFAULT '{}',
    count      integer NOT NULL DEFAULT 1
);

COMMENT ON TABLE audit_event IS 'append-only, for as long as retention.audit says; it outlives '
    'the accounts that it names';

CREATE INDEX audit_event_at ON audit_event (at);
CREATE INDEX audit_event_account ON audit_event (account_id, at);
