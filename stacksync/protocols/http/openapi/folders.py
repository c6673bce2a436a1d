"""``/folder``, described."""

from __future__ import annotations

from stacksync.protocols.http.openapi.headers import NEXT_LINK, VERSION_TAG
from stacksync.protocols.http.openapi.items import change, created, delete, page_parameters, show
from stacksync.protocols.http.openapi.parameters import API, WRITING
from stacksync.protocols.http.openapi.parts import (
    Operation,
    Path,
    answer,
    json_body,
    parameter,
    schema,
)
from stacksync.protocols.http.openapi.problems import json_problems, problems
from stacksync.protocols.http.openapi.values import FLAG, PARENT

CREATE = Operation(
    "createFolder",
    "Make a folder",
    {201: created("Folder"), **json_problems(403, 404, 409, 412)},
    parameters=(API, *WRITING),
    description="409 where the name is taken; `metadata` is what has it.",
    body=json_body(schema("NewFolder"), {"name": "Fotos", "parent": 0}),
)
CONTENTS = Operation(
    "listFolder",
    "What is in a folder, page by page",
    {
        200: answer(
            "The folder and a page of what is in it.",
            schema("FolderContents"),
            headers={"Link": NEXT_LINK},
        ),
        **problems(404),
    },
    parameters=(
        *page_parameters("name"),
        parameter(
            "query",
            "include_deleted",
            {**FLAG, "default": False},
            "Whether those are listed too that were deleted from it.",
            example=True,
        ),
    ),
    description="Ask for the next page with its `next` as `after`, or follow `Link`; null is the"
    " end. What is put in or taken out meanwhile does not shift the pages.",
)
EITHER = {"oneOf": [schema("Folder"), schema("RootFolder")]}
SHOW = show("Folder", EITHER, {**VERSION_TAG, "required": False})
ROOT_OR_FOLDER = parameter(
    "path", "item", PARENT, "The id of a folder; 0 is the root of the default workspace.", example=0
)

PATHS = [
    Path("/api/folder", "folders", {"post": CREATE}),
    Path(
        "/api/folder/{item}",
        "folders",
        {
            "get": SHOW,
            "put": change("Folder"),
            "delete": delete(
                "Folder", "With all that is in it, in one commit; it can all be restored."
            ),
        },
        (ROOT_OR_FOLDER,),
    ),
    Path(
        "/api/folder/{item}/contents",
        "folders",
        {"get": CONTENTS},
        (ROOT_OR_FOLDER,),
    ),
]
