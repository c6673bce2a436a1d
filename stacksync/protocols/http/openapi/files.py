"""``/file``, described."""

from __future__ import annotations

from stacksync.protocols.http.openapi.headers import CONTENT_RANGE, FILE_CONTENT, VERSION_TAG
from stacksync.protocols.http.openapi.items import (
    CHANGE,
    READING,
    change,
    created,
    delete,
    item,
    show,
)
from stacksync.protocols.http.openapi.parameters import API, WRITING, item_in_path, shared
from stacksync.protocols.http.openapi.parts import (
    Operation,
    Part,
    Path,
    answer,
    bytes_answer,
    bytes_body,
    parameter,
    schema,
)
from stacksync.protocols.http.openapi.problems import problems
from stacksync.protocols.http.openapi.values import NAME, PARENT

OF_CONTENT = (shared("MimeType"), shared("ModifiedAt"))
CONTENT = "The content itself, of any type but `multipart/form-data`, and not compressed."
ANY = "*/*"

CREATE = Operation(
    "createFile",
    "Make a file; the body is its content",
    {201: created("File"), **problems(403, 404, 409, 411, 412, 413, 415)},
    parameters=(
        API,
        *WRITING,
        parameter("query", "name", NAME, "What it is called.", required=True, example="été.txt"),
        parameter(
            "query",
            "parent",
            {**PARENT, "default": 0},
            "The id of the folder to put it in; 0 is the root of the default workspace.",
            example=0,
        ),
        *OF_CONTENT,
    ),
    description="The body is streamed, of any size. With `Expect: 100-continue` what can't succeed"
    " is refused before the body is sent: no such parent (404), the name is taken (409), too large"
    " for the quota (413). A large body may also be uploaded in pieces, see *uploads*.",
    body=bytes_body(CONTENT),
)
REPLACE = Operation(
    "replaceContent",
    "Give a file new content",
    {
        200: item("File", "The file.", "CHANGED"),
        **problems(403, 404, 409, 411, 412, 413, 415),
    },
    parameters=(*CHANGE, *OF_CONTENT),
    description="Makes a new version; those before it stay. With `If-Match` two editors can't"
    " overwrite each other unseen. Nothing is to be seen of it until all of it has arrived.",
    body=bytes_body(CONTENT),
)


def download(name: str, summary: str) -> Operation:
    return Operation(
        name,
        summary,
        {
            200: bytes_answer("All of it.", FILE_CONTENT),
            206: bytes_answer(
                "The part that was asked for.", {**FILE_CONTENT, "Content-Range": CONTENT_RANGE}
            ),
            304: known_content(),
            **problems(404, 409, 412, 416),
        },
        parameters=(*READING, shared("Range"), shared("IfRange")),
        description="Of its own MIME type, streamed. 409 where the file is in the trash (its"
        " versions can be read all the same) or the workspace is encrypted: then fetch its chunks."
        " A connection that is cut before `Content-Length` bytes means that the rest could not be"
        " read; ask again for what is missing, with `Range` and `If-Range`.",
    )


def download_head(name: str, summary: str) -> Operation:
    return Operation(
        name,
        summary,
        {
            200: answer("What a download would have.", headers=FILE_CONTENT),
            304: known_content(),
            **problems(404, 409, 412),
        },
        parameters=READING,
    )


def known_content() -> Part:
    headers = {name: FILE_CONTENT[name] for name in ("ETag", "Last-Modified", "Cache-Control")}
    return answer("The client has this version already.", headers=headers)


PATHS = [
    Path("/api/file", "files", {"post": CREATE}),
    Path(
        "/api/file/{item}",
        "files",
        {
            "get": show("File", schema("File"), VERSION_TAG),
            "put": change("File"),
            "delete": delete(
                "File", "Puts it into the trash; its versions and their content stay."
            ),
        },
        (item_in_path("file"),),
    ),
    Path(
        "/api/file/{item}/data",
        "files",
        {
            "get": download("downloadFile", "The content of a file"),
            "head": download_head("checkContent", "What the content of a file is"),
            "put": REPLACE,
        },
        (item_in_path("file"),),
    ),
]
