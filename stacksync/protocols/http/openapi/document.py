"""The whole description: what the API is, its components, and the paths of all nouns."""

from __future__ import annotations

from stacksync.protocols.http.openapi import (
    account,
    chunks,
    description,
    devices,
    events,
    files,
    folders,
    health,
    members,
    oauth,
    proposals,
    tokens,
    trash,
    uploads,
    versions,
    workspaces,
)
from stacksync.protocols.http.openapi.parameters import PARAMETERS
from stacksync.protocols.http.openapi.parts import Part, described
from stacksync.protocols.http.openapi.problems import COMPONENTS as PROBLEMS
from stacksync.protocols.http.openapi.schemas import SCHEMAS

NOUNS = (
    *(account, devices, tokens, workspaces, chunks, events),
    *(files, versions, folders, proposals, members, trash, uploads, oauth, health, description),
)

ABOUT = """
Keep files in StackSync with nothing but HTTP: upload, download, rename, move, delete, list,
versions, restore; or synchronise a tree, as the desktop clients do over AMQP. Both see the same
files, and each sees at once what the other did.

**Where.** Below `/api`, and alike below its alias `/v1`. `HEAD` answers what `GET` would, without
the body, everywhere.

**Signing in.** With every request, in `Authorization`: e-mail and password (Basic, in UTF-8); a
device's token (Bearer), which a client gets from `/tokens` and keeps instead of the password; or
the signature of an application (OAuth 1.0a). A wrong password or token is answered late, and later
each time. Where the server knows its users from Keystone, a token of Keystone's in `X-Auth-Token`
does as well. A read-only token gets 403 for all but `GET` and `HEAD`.

**Version.** `StackSync-API: v2` (or `X-StackSync-API`) says which version of the API is meant;
another value gets 400.

**Strictness.** Unknown names in a query or a body are refused, and so are values of another type.
In a body null is the same as leaving the field out.

**Conditions.** The `ETag` of a file or folder is its version. `If-Match` on a write makes sure
that nobody else's change is overwritten: 412 tells the present state.

**Repeats.** Give each write an `Idempotency-Key` of its own, and repeat it with the same key when
no answer came: it is done once, and answered as the first time.

**Devices.** Other devices of the account and other members hear of each write at once. A client
that listens to `/events` registers a device and names it in `StackSync-Device`, so that it knows
its own changes. Whatever is asked in the name of a device that is not the account's, or was
revoked, gets 404.

**Quota.** Counts for the owner of the workspace; 413 where it does not allow a write.

**Pages.** Listings have `next`; ask with it as `after`, until it is null.

**Errors.** `{"error": <code>, "description": "…"}`, and sometimes more. Besides those of each
operation: 405 with `Allow`, for a method that a path does not have; 404, for a path that is not
described here; 413, for any body of more than `http.max_body` bytes; and a bare 400, for what is
not HTTP.
"""

TAGS = {
    "account": "Who is signed in, and how much room there is.",
    "devices": "What a client registers as.",
    "tokens": "What devices and applications sign in with instead of the password.",
    "workspaces": "What is synchronised: its changes, and commits to it.",
    "chunks": "What files consist of, for clients that cut files themselves.",
    "events": "What happens, as it happens.",
    "files": "Files and their content.",
    "versions": "What a file was.",
    "folders": "Folders and what is in them.",
    "sharing": "Who takes part in which folder, and who is asked to.",
    "trash": "What was deleted, and how it comes back.",
    "uploads": "Uploads that can be resumed: [tus 1.0.0]"
    "(https://tus.io/protocols/resumable-upload) with the extensions creation,"
    " creation-with-upload, creation-defer-length, checksum, expiration and termination.",
    "applications": "OAuth 1.0a (RFC 5849): how an application comes to act for a person.",
    "health": "For load balancers and operators.",
    "description": "For programs that read it.",
}


def document() -> Part:
    """The OpenAPI Object."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "StackSync",
            "version": "2.0.0",
            "summary": "A self-hosted personal cloud.",
            "description": ABOUT.strip(),
            "license": {"name": "Apache License 2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "Where this description is from."}],
        "security": [{"password": []}, {"bearer": []}, {"token": []}, {"application": []}],
        "tags": [{"name": name, "description": told} for name, told in TAGS.items()],
        "paths": {path.template: described(path) for noun in NOUNS for path in noun.PATHS},
        "components": {
            "schemas": SCHEMAS,
            "parameters": PARAMETERS,
            "responses": PROBLEMS,
            "securitySchemes": {
                "password": {
                    "type": "http",
                    "scheme": "basic",
                    "description": "E-mail and password (RFC 7617), in UTF-8.",
                },
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A device's token (RFC 6750), see `/api/tokens`.",
                },
                "application": {
                    "type": "http",
                    "scheme": "OAuth",
                    "description": "Signed by an application that the person has let in"
                    " (RFC 5849), see `/oauth/authorize`. The signature may also stand in the"
                    " query or in a form.",
                },
                "token": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "X-Auth-Token",
                    "description": "A token of Keystone's, where the server takes them.",
                },
            },
        },
    }
