"""``/events``, described."""

from __future__ import annotations

from stacksync.protocols.http.openapi.parameters import API
from stacksync.protocols.http.openapi.parts import Operation, Path, answer
from stacksync.protocols.http.openapi.problems import problems

EXAMPLE = """event: hello
data: {"workspaces":[{"id":"5f3bbd54-655e-4cc1-b5d4-fab7f848d4f3","revision":0}],"shares":[]}

event: commit
data: {"workspace_id":"5f3bbd54-655e-4cc1-b5d4-fab7f848d4f3","revision":1}

"""

PATHS = [
    Path(
        "/api/events",
        "events",
        {
            "get": Operation(
                "listen",
                "What happens in the account's workspaces, as it happens",
                {
                    200: answer(
                        "A stream of server-sent events (HTML standard) that does not end.",
                        {"type": "string"},
                        media="text/event-stream",
                        example=EXAMPLE,
                    ),
                    **problems(),
                },
                parameters=(API,),
                description="First `hello`, with the workspaces and their newest revisions, and"
                " the proposals that wait; then `commit`, in the shape of a `CommitResult`, or a"
                " bare hint with `workspace_id` and `revision`; `workspace`, a `Workspace` that is"
                " new or has another name, place or role for this account, with the `request_id`"
                " that brought it about, or null; `share-proposal`, a `Share` that waits for an"
                " answer; `unshare`, with `workspace_id`, `item_id` and `folder_name` of a folder"
                " that the account takes part in no more, of which nothing more is told."
                " `Last-Event-ID` is not looked at: a client keeps the revision of each workspace,"
                " compares, and asks `/changes` for what it missed. Comment lines say that the"
                " stream is alive. 503 where too many streams are open.",
            )
        },
    )
]
