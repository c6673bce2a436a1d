"""The requests that get every code of the calls on files, folders, shares, the trash and chunks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from attrs import field, frozen

LARGEST = 10_000
"""The most bytes that a file or another body may have where these are sent."""

TOO_LARGE = b"x" * (LARGEST + 1)


@frozen
class Case:
    """A request that gets a code.

    :ivar call: what the documentation calls it.
    :ivar path: with the names of what is on the :class:`Stage` in braces.
    :ivar content: JSON; or ``body``, bytes.
    :ivar role: what the caller is in the workspace.
    """

    call: str
    code: int
    path: str
    content: Any = None
    body: bytes | None = None
    headers: Mapping[str, str] = field(factory=dict)
    role: str = "owner"
    is_encrypted: bool = False

    def __str__(self) -> str:
        return f"{self.code} {self.call} {self.path} {dict(self.headers)}"


def cases(call: str, path: str, **valid: Any) -> Any:
    """Makes cases of one call; what they don't say differently is a request that is right."""

    def case(code: int, other_path: str | None = None, **differing: Any) -> Case:
        return Case(call, code, other_path or path, **{**valid, **differing})

    return case


STALE = {"If-Match": '"9"'}
PACKED = {"Content-Encoding": "gzip"}
PLAIN = {"Content-Type": "text/plain"}
JSON_TOO_LARGE = {"content": {"name": "x" * LARGEST}}

NEW_PASSWORD = cases(
    "PUT /account/password", "/account/password", content={"password": "another one"}
)
NEW_FILE = cases("POST /file", "/file?name=new", body=b"x", headers=PLAIN)
FILE = cases("GET /file/:id", "/file/{file}")
RENAME_FILE = cases("PUT /file/:id", "/file/{file}", content={"name": "new"})
DELETE_FILE = cases("DELETE /file/:id", "/file/{file}")
DATA = cases("GET /file/:id/data", "/file/{file}/data")
NEW_DATA = cases("PUT /file/:id/data", "/file/{file}/data", body=b"x", headers=PLAIN)
VERSIONS = cases("GET /file/:id/versions", "/file/{file}/versions")
VERSION = cases("GET /file/:id/version/:n", "/file/{file}/version/1")
OLD_DATA = cases("GET /file/:id/version/:n/data", "/file/{file}/version/1/data")
OLD_AGAIN = cases("POST /file/:id/version/:n", "/file/{file}/version/1")
FILE_BACK = cases("POST /file/:id/restore", "/file/{deleted_file}/restore", content={})
NEW_FOLDER = cases("POST /folder", "/folder", content={"name": "new"})
FOLDER = cases("GET /folder/:id", "/folder/{folder}")
CONTENTS = cases("GET /folder/:id/contents", "/folder/{folder}/contents")
RENAME_FOLDER = cases("PUT /folder/:id", "/folder/{folder}", content={"name": "new"})
DELETE_FOLDER = cases("DELETE /folder/:id", "/folder/{folder}")
FOLDER_BACK = cases("POST /folder/:id/restore", "/folder/{deleted_folder}/restore", content={})
TRASH = cases("GET /trash", "/trash")
CHUNK = cases("GET /workspaces/:id/chunks/:name", "/workspaces/{workspace}/chunks/here")
NEW_CHUNK = cases(
    "PUT /workspaces/:id/chunks/:name",
    "/workspaces/{workspace}/chunks/new",
    body=b"x",
    headers=PLAIN,
)

INVITED = "invited@example.org"
"""Whom the folder ``proposed`` of the stage is proposed to."""

SHARE = cases("POST /folder/:id/share", "/folder/{folder}/share", content=["x@example.org"])
FOLDER_SHARES = cases("GET /folder/:id/shares", "/folder/{proposed}/shares")
UNSHARE = cases("POST /folder/:id/unshare", "/folder/{proposed}/unshare", content=[INVITED])
MEMBERS = cases("GET /folder/:id/members", "/folder/{folder}/members")
LEAVE = cases("POST /folder/:id/leave", "/folder/{guests}/leave", content={})
SHARES = cases("GET /shares", "/shares")
WITHDRAW = cases("DELETE /shares/:id", "/shares/{made}")
ACCEPT = cases("POST /shares/:id/accept", "/shares/{waiting}/accept", content={})
DECLINE = cases("POST /shares/:id/decline", "/shares/{waiting}/decline", content={})

CASES = [
    NEW_PASSWORD(204),
    NEW_PASSWORD(400, content={"password": "short"}),
    NEW_PASSWORD(413, content={"password": "x" * LARGEST}),
    NEW_PASSWORD(415, headers=PLAIN),
    NEW_FILE(201),
    NEW_FILE(400, "/file"),
    NEW_FILE(403, role="viewer"),
    NEW_FILE(404, "/file?name=new&parent={strangers}"),
    NEW_FILE(409, "/file?name=file"),
    NEW_FILE(409, is_encrypted=True),
    NEW_FILE(411, body=None),
    NEW_FILE(412, headers=PLAIN | STALE),
    NEW_FILE(413, body=TOO_LARGE),
    NEW_FILE(415, headers=PLAIN | PACKED),
    FILE(200),
    FILE(304, headers={"If-None-Match": '"2"'}),
    FILE(400, "/file/{file}?x=y"),
    FILE(404, "/file/{strangers}"),
    FILE(412, headers=STALE),
    RENAME_FILE(200),
    RENAME_FILE(400, content={}),
    RENAME_FILE(403, role="viewer"),
    RENAME_FILE(404, content={"parent": 987654321}),
    RENAME_FILE(409, content={"name": "folder"}),
    RENAME_FILE(412, headers=STALE),
    RENAME_FILE(413, **JSON_TOO_LARGE),
    RENAME_FILE(415, headers=PLAIN),
    DELETE_FILE(200),
    DELETE_FILE(400, headers={"If-Match": "2"}),
    DELETE_FILE(403, role="viewer"),
    DELETE_FILE(404, "/file/{folder}"),
    DELETE_FILE(409, "/file/{deleted_file}"),
    DELETE_FILE(412, headers=STALE),
    DATA(200),
    DATA(206, headers={"Range": "bytes=1-"}),
    DATA(304, headers={"If-None-Match": '"2"'}),
    DATA(400, headers={"If-None-Match": "2"}),
    DATA(404, "/file/{strangers}/data"),
    DATA(409, "/file/{deleted_file}/data"),
    DATA(412, headers=STALE),
    DATA(416, headers={"Range": "bytes=1000-"}),
    NEW_DATA(200),
    NEW_DATA(400, "/file/{file}/data?mimetype=x"),
    NEW_DATA(403, role="viewer"),
    NEW_DATA(404, "/file/{strangers}/data"),
    NEW_DATA(409, "/file/{deleted_file}/data"),
    NEW_DATA(411, body=None),
    NEW_DATA(412, headers=PLAIN | STALE),
    NEW_DATA(413, body=TOO_LARGE),
    NEW_DATA(415, headers={"Content-Type": "multipart/form-data; boundary=x"}),
    VERSIONS(200),
    VERSIONS(400, "/file/{file}/versions?limit=1"),
    VERSIONS(404, "/file/{strangers}/versions"),
    VERSION(200),
    VERSION(304, headers={"If-None-Match": '"1"'}),
    VERSION(400, "/file/{file}/version/1?x=y"),
    VERSION(404, "/file/{file}/version/9"),
    VERSION(412, headers=STALE),
    OLD_DATA(200),
    OLD_DATA(206, headers={"Range": "bytes=-1"}),
    OLD_DATA(304, headers={"If-None-Match": "*"}),
    OLD_DATA(400, "/file/{file}/version/1/data?x=y"),
    OLD_DATA(404, "/file/{file}/version/9/data"),
    OLD_DATA(409, is_encrypted=True),
    OLD_DATA(412, headers=STALE),
    OLD_DATA(416, headers={"Range": "bytes=1000-"}),
    OLD_AGAIN(200),
    OLD_AGAIN(400, content={"name": "new"}),
    OLD_AGAIN(403, role="viewer"),
    OLD_AGAIN(404, "/file/{file}/version/9"),
    OLD_AGAIN(409, "/file/{deleted_file}/version/1"),
    OLD_AGAIN(412, headers=STALE),
    OLD_AGAIN(413, body=TOO_LARGE),
    OLD_AGAIN(415, body=b"{}", headers=PLAIN),
    FILE_BACK(200),
    FILE_BACK(400, content={"x": 1}),
    FILE_BACK(403, role="viewer"),
    FILE_BACK(404, content={"parent": 987654321}),
    FILE_BACK(409, content={"name": "file"}),
    FILE_BACK(412, headers=STALE),
    FILE_BACK(413, **JSON_TOO_LARGE),
    FILE_BACK(415, headers=PLAIN),
    NEW_FOLDER(201),
    NEW_FOLDER(400, content={"name": "."}),
    NEW_FOLDER(403, role="viewer"),
    NEW_FOLDER(404, content={"name": "new", "parent": 987654321}),
    NEW_FOLDER(409, content={"name": "folder"}),
    NEW_FOLDER(412, headers=STALE),
    NEW_FOLDER(413, **JSON_TOO_LARGE),
    NEW_FOLDER(415, headers=PLAIN),
    FOLDER(200),
    FOLDER(200, "/folder/0"),
    FOLDER(304, headers={"If-None-Match": '"1"'}),
    FOLDER(400, "/folder/{folder}?x=y"),
    FOLDER(404, "/folder/{file}"),
    FOLDER(412, headers=STALE),
    CONTENTS(200),
    CONTENTS(400, "/folder/{folder}/contents?limit=0"),
    CONTENTS(404, "/folder/987654321/contents"),
    RENAME_FOLDER(200),
    RENAME_FOLDER(400, content={"name": 1}),
    RENAME_FOLDER(403, "/folder/0"),
    RENAME_FOLDER(404, "/folder/987654321"),
    RENAME_FOLDER(409, content={"parent": "{inner}"}),
    RENAME_FOLDER(412, headers=STALE),
    RENAME_FOLDER(413, **JSON_TOO_LARGE),
    RENAME_FOLDER(415, headers=PLAIN),
    DELETE_FOLDER(200),
    DELETE_FOLDER(400, headers={"If-Match": "1"}),
    DELETE_FOLDER(403, "/folder/0"),
    DELETE_FOLDER(404, "/folder/{file}"),
    DELETE_FOLDER(409, "/folder/{deleted_folder}"),
    DELETE_FOLDER(412, headers=STALE),
    FOLDER_BACK(200),
    FOLDER_BACK(400, content={"x": 1}),
    FOLDER_BACK(403, role="viewer"),
    FOLDER_BACK(404, "/folder/987654321/restore"),
    FOLDER_BACK(409, "/folder/{folder}/restore"),
    FOLDER_BACK(412, headers=STALE),
    FOLDER_BACK(413, **JSON_TOO_LARGE),
    FOLDER_BACK(415, headers=PLAIN),
    TRASH(200),
    TRASH(200, "/trash?workspace={workspace}", role="viewer"),
    TRASH(400, "/trash?sort=x"),
    TRASH(400, "/trash?workspace=x"),
    TRASH(404, f"/trash?workspace={UUID(int=1)}"),
    CHUNK(200),
    CHUNK(206, headers={"Range": "bytes=0-0"}),
    CHUNK(304, headers={"If-None-Match": "*"}),
    CHUNK(400, "/workspaces/{workspace}/chunks/%2e%2e%2f"),
    CHUNK(404, "/workspaces/{workspace}/chunks/nothing"),
    CHUNK(416, headers={"Range": "bytes=1000-"}),
    NEW_CHUNK(201),
    NEW_CHUNK(200, "/workspaces/{workspace}/chunks/here"),
    NEW_CHUNK(400, "/workspaces/{workspace}/chunks/a%2fb"),
    NEW_CHUNK(403, role="viewer"),
    NEW_CHUNK(404, "/workspaces/nonsense/chunks/new"),
    NEW_CHUNK(409, "/workspaces/{workspace}/chunks/here", body=b"other"),
    NEW_CHUNK(411, body=None),
    NEW_CHUNK(413, body=TOO_LARGE),
    NEW_CHUNK(415, headers=PLAIN | PACKED),
    SHARE(201),
    SHARE(201, content={"share_to": ["x@example.org"], "role": "viewer"}),
    SHARE(400, content=[]),
    SHARE(403, role="viewer"),
    SHARE(404, "/folder/{strangers}/share"),
    SHARE(409, "/folder/{below_guests}/share"),
    SHARE(413, content=None, body=TOO_LARGE),
    SHARE(415, headers=PLAIN),
    FOLDER_SHARES(200),
    FOLDER_SHARES(400, "/folder/{proposed}/shares?x=y"),
    FOLDER_SHARES(403, role="viewer"),
    FOLDER_SHARES(404, "/folder/{strangers}/shares"),
    UNSHARE(200),
    UNSHARE(400, content=["nobody@example.org"]),
    UNSHARE(403, role="viewer"),
    UNSHARE(404, "/folder/{strangers}/unshare"),
    UNSHARE(413, content=None, body=TOO_LARGE),
    UNSHARE(415, headers=PLAIN),
    MEMBERS(200),
    MEMBERS(400, "/folder/{folder}/members?x=y"),
    MEMBERS(403, "/folder/0/members"),
    MEMBERS(404, "/folder/{file}/members"),
    LEAVE(200),
    LEAVE(400, content={"x": 1}),
    LEAVE(403, "/folder/0/leave"),
    LEAVE(404, "/folder/{strangers}/leave"),
    LEAVE(409, "/folder/{folder}/leave"),
    LEAVE(413, content=None, body=TOO_LARGE),
    LEAVE(415, headers=PLAIN),
    SHARES(200),
    SHARES(400, "/shares?x=y"),
    WITHDRAW(200),
    WITHDRAW(400, "/shares/{made}?x=y"),
    WITHDRAW(403, role="viewer"),
    WITHDRAW(404, "/shares/nonsense"),
    WITHDRAW(409, "/shares/{accepted}"),
    ACCEPT(200),
    ACCEPT(400, content={"name": "."}),
    ACCEPT(404, "/shares/nonsense/accept"),
    ACCEPT(409, content={"name": "file"}),
    ACCEPT(413, content=None, body=TOO_LARGE),
    ACCEPT(415, headers=PLAIN),
    DECLINE(200),
    DECLINE(400, content={"x": 1}),
    DECLINE(404, "/shares/{made}/decline"),
    DECLINE(409, "/shares/{answered}/decline"),
    DECLINE(413, content=None, body=TOO_LARGE),
    DECLINE(415, headers=PLAIN),
]
