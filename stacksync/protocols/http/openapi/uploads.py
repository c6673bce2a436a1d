"""``/uploads``, described: tus 1.0.0, as far as OpenAPI can tell it."""

from __future__ import annotations

from stacksync.protocols.http.content.upload_headers import PIECE_TYPE
from stacksync.protocols.http.openapi.headers import (
    LOCATION,
    TUS_ABILITIES,
    TUS_RESUMABLE,
    UPLOAD_ORDER,
    UPLOAD_STATE,
)
from stacksync.protocols.http.openapi.parameters import API, shared
from stacksync.protocols.http.openapi.parts import (
    Operation,
    Path,
    answer,
    bytes_body,
    parameter,
    schema,
)
from stacksync.protocols.http.openapi.problems import CHECKSUM_MISMATCH, problems, tus_problems
from stacksync.protocols.http.openapi.values import NUMBER, UUID

PIECE = PIECE_TYPE.decode()
TUS = (API, shared("Tus"))
STATE = {**UPLOAD_STATE, **UPLOAD_ORDER}


def abilities(name: str) -> Operation:
    return Operation(
        name,
        "What the server can do of tus",
        {204: answer("In the headers.", headers=TUS_ABILITIES), **problems(429, signed_in=False)},
        description="Needs no sign-in: browsers ask before they may say who they are.",
        open_to_all=True,
    )


CREATE = Operation(
    "createUpload",
    "Begin an upload",
    {
        201: answer("It can go on at `Location`.", headers={"Location": LOCATION, **UPLOAD_STATE}),
        **tus_problems(403, 404, 409, 413, 415, CHECKSUM_MISMATCH),
    },
    parameters=(
        *TUS,
        shared("Device"),
        shared("UploadLength"),
        parameter(
            "header",
            "Upload-Defer-Length",
            {"type": "string", "const": "1"},
            "Instead of `Upload-Length`, where the length is not known yet.",
        ),
        parameter(
            "header",
            "Upload-Metadata",
            {"type": "string", "pattern": "^[!-~ ]+$"},
            "Pairs of key and value in base64, separated by commas. `filename` (or `name`) for a"
            " new file, with `parent`, the id of a folder; or `file`, the id of a file that gets"
            " new content, with `if_match`, the version that it must have. For both `filetype`"
            " (MIME type) and `modified_at`. Other keys are kept and given back.",
            required=True,
            example="filename dGjDqHNlLnR4dA==,parent MA==",
        ),
        shared("UploadChecksum"),
    ),
    description="What can't succeed is refused at once: no such folder (404), the name is taken"
    " (409), another version (412), too large for the quota (413). The body, if there is one, is"
    " the first piece.",
    body=bytes_body("The first piece.", PIECE, optional=True),
)
CHECK = Operation(
    "checkUpload",
    "How far an upload is",
    {
        200: answer("In the headers.", headers=STATE),
        **tus_problems(403, 404, 409, 413),
    },
    parameters=TUS,
    description="Where all bytes are there but the file could not be made, it is tried again, and"
    " the answer says what is in the way.",
)
SHOW = Operation(
    "showUpload",
    "How far an upload is, in JSON",
    {
        200: answer("Also in the headers.", schema("Upload"), headers=STATE),
        **tus_problems(403, 404, 409, 413),
    },
    parameters=TUS,
    description="Not part of tus.",
)
GO_ON = Operation(
    "continueUpload",
    "Send the next piece",
    {
        204: answer(
            "So much has arrived; `StackSync-File` is the file, when that is all of it.",
            headers=UPLOAD_STATE,
        ),
        **tus_problems(403, 404, 409, 413, 415, CHECKSUM_MISMATCH),
    },
    parameters=(
        *TUS,
        parameter(
            "header",
            "Upload-Offset",
            NUMBER,
            "Where the piece starts, which is where the upload stands; else 409.",
            required=True,
            example=0,
        ),
        shared("UploadLength"),
        shared("UploadChecksum"),
    ),
    description="A piece that breaks off is kept as far as it came, unless it has a checksum: ask"
    " with HEAD, and go on from there. Clients that can't send PATCH send POST with"
    " `X-HTTP-Method-Override: PATCH`.",
    body=bytes_body("The piece.", PIECE),
)
TERMINATE = Operation(
    "terminateUpload",
    "Give an upload up",
    {
        204: answer("It is gone.", headers={"Tus-Resumable": TUS_RESUMABLE}),
        **tus_problems(404),
    },
    parameters=TUS,
    description="A file that it has become stays.",
)
UPLOAD_IN_PATH = parameter(
    "path",
    "upload",
    UUID,
    "The id of an upload of one's own.",
    example="0d5c2b6e-3b0e-4f37-9a0b-8f4a3f1c2d11",
)

PATHS = [
    Path("/api/uploads", "uploads", {"post": CREATE, "options": abilities("describeUploads")}),
    Path(
        "/api/uploads/{upload}",
        "uploads",
        {
            "get": SHOW,
            "head": CHECK,
            "patch": GO_ON,
            "delete": TERMINATE,
            "options": abilities("describeUpload"),
        },
        (UPLOAD_IN_PATH,),
    ),
]
