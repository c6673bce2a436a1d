"""``/file/:id/versions`` and ``/file/:id/version/:n``, described."""

from __future__ import annotations

from stacksync.protocols.http.openapi.files import download, download_head
from stacksync.protocols.http.openapi.items import CHANGE, KNOWN, READING, TAGGED, item
from stacksync.protocols.http.openapi.parameters import API, item_in_path
from stacksync.protocols.http.openapi.parts import (
    Operation,
    Path,
    answer,
    json_body,
    link,
    parameter,
    schema,
)
from stacksync.protocols.http.openapi.problems import json_problems, problems
from stacksync.protocols.http.openapi.values import VERSION

LIST = Operation(
    "listVersions",
    "All versions of a file that are kept, newest first",
    {
        200: answer(
            "The file, deleted or not, and its versions.",
            schema("FileVersions"),
            headers=TAGGED,
            links={
                "restore": link(
                    "restoreVersion",
                    "Make the oldest one the newest again.",
                    item="$response.body#/id",
                    version="$response.body#/versions/0/version",
                )
            },
        ),
        **problems(404),
    },
    parameters=(API,),
)
SHOW = Operation(
    "showVersion",
    "The metadata of one version",
    {200: item("File", "The file at that version."), 304: KNOWN, **problems(404, 412)},
    parameters=READING,
)
RESTORE = Operation(
    "restoreVersion",
    "Make a version the newest again",
    {
        200: item("File", "The file, with the content of that version as a new one."),
        **json_problems(403, 404, 409, 412),
    },
    parameters=CHANGE,
    description="Name and place stay as they are now. `If-Match` is about the newest version, not"
    " the one to restore. 409 where the file is in the trash: restore the file.",
    body=json_body(schema("Repeatable"), {"request_id": "phone-1"}, optional=True),
)

IN_PATH = (
    item_in_path("file"),
    parameter("path", "version", VERSION, "The number of a version.", example=1),
)

PATHS = [
    Path("/api/file/{item}/versions", "versions", {"get": LIST}, (item_in_path("file"),)),
    Path(
        "/api/file/{item}/version/{version}",
        "versions",
        {"get": SHOW, "post": RESTORE},
        IN_PATH,
    ),
    Path(
        "/api/file/{item}/version/{version}/data",
        "versions",
        {
            "get": download("downloadVersion", "The content of one version"),
            "head": download_head("checkVersionContent", "What the content of one version is"),
        },
        IN_PATH,
    ),
]
