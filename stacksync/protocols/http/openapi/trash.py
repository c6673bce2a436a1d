"""``/trash`` and ``…/restore``, described."""

from __future__ import annotations

from stacksync.protocols.http.openapi.headers import NEXT_LINK
from stacksync.protocols.http.openapi.items import page_parameters, restore
from stacksync.protocols.http.openapi.parameters import item_in_path
from stacksync.protocols.http.openapi.parts import Operation, Path, answer, parameter, schema
from stacksync.protocols.http.openapi.problems import problems
from stacksync.protocols.http.openapi.values import UUID
from stacksync.protocols.http.resources.trash import NEWEST_FIRST

WORKSPACE = parameter(
    "query",
    "workspace",
    UUID,
    "That of a folder which the account shares with others. Left out: the default one.",
)

LIST = Operation(
    "listTrash",
    "What was deleted in a workspace, page by page",
    {
        200: answer(
            "Newest first, unless sorted otherwise.",
            schema("ItemPage"),
            headers={"Link": NEXT_LINK},
        ),
        **problems(404),
    },
    parameters=(*page_parameters(NEWEST_FIRST), WORKSPACE),
    description="What was deleted itself, not what went along with its folder. How long it is kept"
    " is the operator's decision (`retention.keep_days`).",
)

PATHS = [
    Path("/api/trash", "trash", {"get": LIST}),
    Path(
        "/api/file/{item}/restore",
        "trash",
        {"post": restore("File", "As a new version, with the content that it had.")},
        (item_in_path("deleted file"),),
    ),
    Path(
        "/api/folder/{item}/restore",
        "trash",
        {"post": restore("Folder", "With what its deletion took along, in one commit.")},
        (item_in_path("deleted folder"),),
    ),
]
