"""What the descriptions of files and folders have in common."""

from __future__ import annotations

from stacksync.protocols.http.openapi.headers import LOCATION, VERSION_TAG
from stacksync.protocols.http.openapi.parameters import API, CHANGING, PAGING, shared, sort
from stacksync.protocols.http.openapi.parts import (
    Operation,
    Part,
    answer,
    json_body,
    link,
    schema,
)
from stacksync.protocols.http.openapi.problems import json_problems, problems

TAGGED = {"ETag": VERSION_TAG}
KNOWN = answer("The client has this version already.", headers=TAGGED)
READING = (API, shared("IfMatch"), shared("IfNoneMatch"))
CHANGE = (API, *CHANGING)
ITEM_ID = "$response.body#/id"
NEW_NAMES = {"File": "Été.jpg", "Folder": "Été"}
OTHER_NAMES = {"File": "Été (restored).jpg", "Folder": "Été (restored)"}


def item(kind: str, description: str, status: str = "", **more: Part) -> Part:
    """The answer that tells an item.

    :param kind: ``File`` or ``Folder``.
    :param status: what its last version did to it, where that is certain.
    """
    told = f"{description} Its status is `{status}`." if status else description
    return answer(told, schema(kind), headers={**TAGGED, **more})


def created(kind: str) -> Part:
    """The answer that tells a new item, and what can be done with it."""
    noun = kind.lower()
    names = [(f"show{kind}", "Its metadata."), (f"change{kind}", "Rename or move it.")]
    if kind == "File":
        names += [("downloadFile", "Its content."), ("replaceContent", "Give it new content.")]
        names += [("listVersions", "Its versions.")]
    else:
        names += [("listFolder", "What is in it.")]
    names += [(f"delete{kind}", "Delete it.")]
    return answer(
        f"The {noun}, with status `NEW`.",
        schema(kind),
        headers={**TAGGED, "Location": LOCATION},
        links={name: link(name, told, item=ITEM_ID) for name, told in names},
    )


def show(kind: str, schema_of_answer: Part, tag: Part) -> Operation:
    noun = kind.lower()
    return Operation(
        f"show{kind}",
        f"The metadata of a {noun}",
        {
            200: answer(f"The {noun}, deleted or not.", schema_of_answer, headers={"ETag": tag}),
            304: KNOWN,
            **problems(404, 412),
        },
        parameters=READING,
    )


def change(kind: str) -> Operation:
    noun = kind.lower()
    return Operation(
        f"change{kind}",
        f"Rename or move a {noun}",
        {
            200: item(kind, f"The {noun}, with status `RENAMED` or `MOVED`."),
            **json_problems(403, 404, 409, 412),
        },
        parameters=CHANGE,
        description="Give `name`, `parent` or both; 409 where the name is taken there"
        + ("." if kind == "File" else ", or where the folder would stand below itself."),
        body=json_body(schema("NewPlace"), {"name": NEW_NAMES[kind], "parent": 0}),
    )


def delete(kind: str, description: str) -> Operation:
    noun = kind.lower()
    return Operation(
        f"delete{kind}",
        f"Delete a {noun}",
        {
            200: answer(
                f"The {noun}, with status `DELETED`.",
                schema(kind),
                headers=TAGGED,
                links={
                    "restore": link(f"restore{kind}", "Bring it back.", item=ITEM_ID),
                },
            ),
            **problems(403, 404, 409, 412),
        },
        parameters=CHANGE,
        description=description,
    )


def restore(kind: str, description: str) -> Operation:
    noun = kind.lower()
    return Operation(
        f"restore{kind}",
        f"Bring a deleted {noun} back",
        {
            200: item(kind, f"The {noun}, live again."),
            **json_problems(403, 404, 409, 412),
        },
        parameters=CHANGE,
        description=f"{description} Without a body it comes back where it was. 409 where it is"
        " not deleted, or where its name is taken; 404 where its folder is gone: name another"
        " `parent` then.",
        body=json_body(
            schema("RestoredPlace"), {"name": OTHER_NAMES[kind], "parent": 0}, optional=True
        ),
    )


def page_parameters(default_sort: str) -> tuple[Part, ...]:
    return (API, *PAGING, sort(default_sort))
