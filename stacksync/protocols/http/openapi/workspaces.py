"""``/workspaces``, their changes and commits, described."""

from __future__ import annotations

from stacksync.protocols.http.openapi.parameters import API, WORKSPACE_IN_PATH, shared
from stacksync.protocols.http.openapi.parts import (
    Operation,
    Path,
    answer,
    json_body,
    link,
    parameter,
    record,
    schema,
)
from stacksync.protocols.http.openapi.problems import json_problems, problems
from stacksync.protocols.http.openapi.values import NUMBER, list_of

LIST = Operation(
    "listWorkspaces",
    "What the account takes part in, oldest first",
    {
        200: answer(
            "All of them; the first that is one's own and not shared is the default workspace,"
            " which `/folder/0` is the root of.",
            record({"workspaces": list_of(schema("Workspace"))}),
        ),
        **problems(),
    },
    parameters=(API,),
)
SHOW = Operation(
    "showWorkspace",
    "One workspace",
    {200: answer("The workspace.", schema("Workspace")), **problems(404)},
    parameters=(API,),
)
UPDATE = Operation(
    "updateWorkspace",
    "Rename or re-mount a workspace, for this member",
    {200: answer("The workspace.", schema("Workspace")), **json_problems(404)},
    parameters=(API, shared("IdempotencyKey")),
    description="Other members do not notice; the account's own devices are told.",
    body=json_body(schema("Mount"), {"name": "Home", "parent_item_id": 0}),
)
CHANGES = Operation(
    "listChanges",
    "What became of a workspace since a revision",
    {
        200: answer(
            "Parents before their children. `revision` is what to ask with next time.",
            schema("Changes"),
        ),
        **problems(404, 410),
    },
    parameters=(
        API,
        parameter(
            "query",
            "since",
            {**NUMBER, "default": 0},
            "A revision; 0 is the whole live state, without what is deleted.",
            example=0,
        ),
    ),
    description="With a revision above 0, deletions are told of the items that existed then. 410"
    " says that the revision is older than what is kept, or newer than the workspace (which was"
    " restored from a backup): start again from 0. The answer is not paged; it may have megabytes.",
)
COMMIT = Operation(
    "commit",
    "Commit changes of several items at once",
    {
        200: answer(
            "An outcome for each item in the order asked, then those of items that the commit"
            " touched by itself (the content of a deleted folder), which have no `temp_id`. The"
            " code is 200 even where every item was refused.",
            schema("CommitResult"),
            links={
                "changes": link(
                    "listChanges",
                    "What comes after it.",
                    workspace="$response.body#/workspace_id",
                    since="$response.body#/revision",
                )
            },
        ),
        **json_problems(403, 404, 409),
    },
    parameters=(API, shared("IdempotencyKey")),
    description="For clients that keep a tree of their own: metadata only, the chunks are put"
    " beforehand. The first that is processed wins: an item whose `version` is not the server's"
    " latest + 1, or whose name is taken, comes back uncommitted with the server's state, and the"
    " rest of the batch is committed all the same. `Idempotency-Key` and `request_id` must agree"
    " where both are there.",
    body=json_body(
        schema("Commit"),
        {
            "device_id": "a9b5503c-f329-4537-a9b8-7b3f7b629885",
            "items": [
                {
                    "temp_id": 1,
                    "version": 1,
                    "status": "NEW",
                    "filename": "music",
                    "is_folder": True,
                    "modified_at": "2026-11-21T05:27:00.123Z",
                },
                {
                    "temp_id": 2,
                    "version": 1,
                    "status": "NEW",
                    "filename": "fugue.ogg",
                    "parent_id": 1,
                    "size": 5,
                    "checksum": 93061639,
                    "mimetype": "audio/ogg",
                    "chunks": ["chk-AAF4C61DDCC5E8A2DABEDE0F3B482CD9AEA9434D-2"],
                    "modified_at": 1795238820123,
                },
            ],
        },
    ),
)

ONE = "/api/workspaces/{workspace}"
IN_PATH = (WORKSPACE_IN_PATH,)

PATHS = [
    Path("/api/workspaces", "workspaces", {"get": LIST}),
    Path(ONE, "workspaces", {"get": SHOW, "put": UPDATE}, IN_PATH),
    Path(f"{ONE}/changes", "workspaces", {"get": CHANGES}, IN_PATH),
    Path(f"{ONE}/commits", "workspaces", {"post": COMMIT}, IN_PATH),
]
