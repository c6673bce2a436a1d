"""What can go wrong: the document's ``components/responses``.

Which error of the domain is which code is the table in ``protocols.http.errors``.
"""

from __future__ import annotations

from stacksync.protocols.http.openapi.headers import (
    CHALLENGE,
    RETRY_AFTER,
    TUS_RESUMABLE,
    UNSATISFIED,
)
from stacksync.protocols.http.openapi.parts import Part, answer, ref, schema

ERROR = schema("Error")
CHECKSUM_MISMATCH = 460

NAMES = {
    400: "BadRequest",
    401: "NotSignedIn",
    403: "Forbidden",
    404: "NotFound",
    408: "TooSlow",
    409: "Conflict",
    410: "CursorExpired",
    411: "LengthRequired",
    412: "PreconditionFailed",
    413: "TooLarge",
    414: "LineTooLong",
    415: "WrongType",
    416: "NoSuchPart",
    429: "TooManyRequests",
    431: "HeadTooLong",
    CHECKSUM_MISMATCH: "ChecksumMismatch",
    500: "ServerFailed",
    503: "Unavailable",
}

PROBLEMS: dict[str, Part] = {
    "BadRequest": answer(
        "The request can never be right as it stands; `parameter` names what is wrong.",
        schema("BadRequest"),
        example={
            "error": 400,
            "description": "name: holds a slash or a NUL",
            "parameter": "name",
        },
    ),
    "NotSignedIn": answer(
        "Not signed in, or not with a password, token or signature that is right.",
        ERROR,
        headers={"WWW-Authenticate": CHALLENGE},
    ),
    "Forbidden": answer(
        "Not yours to do: viewers can't change anything, nor can a read-only token or a web page of"
        " another site; and a token acts for its own device alone.",
        ERROR,
    ),
    "NotFound": answer("Unknown, or somebody else's: the two look alike.", ERROR),
    "TooSlow": answer("The request took too long to arrive.", ERROR),
    "Conflict": answer(
        "It does not fit what the server holds: the name is taken, the item is in the trash or"
        " keeps changing, a folder would stand below itself, the content is encrypted, a shared"
        " folder would stand in another, a proposal was answered already, or the request id was"
        " used for another request. `metadata` is the item that is in the way.",
        schema("Conflict"),
    ),
    "CursorExpired": answer(
        "Changes since that revision are not kept: start again from 0.", schema("CursorExpired")
    ),
    "LengthRequired": answer("Nobody says where the body ends.", ERROR),
    "PreconditionFailed": answer(
        "The item is not at the version of `If-Match`; `metadata` is what it is now.",
        schema("Conflict"),
    ),
    "TooLarge": answer(
        "More bytes than a body or a file may have, or than the owner's quota allows.", ERROR
    ),
    "WrongType": answer("The body is not of the type that is asked for, or is compressed.", ERROR),
    "NoSuchPart": answer(
        "There is nothing of the range that was asked for.",
        ERROR,
        headers={"Content-Range": UNSATISFIED},
    ),
    "TooManyRequests": answer(
        "Too many attempts to sign in, or requests; too many bodies of files at the same time, or"
        " event streams.",
        ERROR,
        headers={"Retry-After": RETRY_AFTER},
    ),
    "LineTooLong": answer("The request line is longer than 16 KiB.", ERROR),
    "HeadTooLong": answer(
        "A header field is longer than 16 KiB, all are longer than 32 KiB, or there are more than"
        " 100.",
        ERROR,
    ),
    "ChecksumMismatch": answer("The piece is not what `Upload-Checksum` says.", ERROR),
    "ServerFailed": answer(
        "A fault of the server's; the description has an id that its log has too.", ERROR
    ),
    "Unavailable": answer(
        "A part of the server is away, or the answer took too long: what was asked may still be"
        " carried out. Repeat it, with the same `Idempotency-Key`.",
        ERROR,
        headers={"Retry-After": RETRY_AFTER},
    ),
}

IN_TUS = "Upload"
TUS_CODES = (400, 401, 403, 404, 409, 412, 413, 415, 429, CHECKSUM_MISMATCH, 500, 503)
EVERYWHERE = (400, 408, 414, 431, 500)
SIGNED_IN = (*EVERYWHERE, 401, 403, 429, 503)


def problems(*codes: int, signed_in: bool = True) -> dict[int, Part]:
    """The answers for these codes, and for those that any request may get."""
    usual = SIGNED_IN if signed_in else EVERYWHERE
    return {code: ref("responses", NAMES[code]) for code in {*codes, *usual}}


def json_problems(*codes: int) -> dict[int, Part]:
    """Those of a request with a body in JSON."""
    return problems(*codes, 413, 415)


def tus_problems(*codes: int) -> dict[int, Part]:
    """Those of a request in tus, whose every answer says which version of tus is spoken."""
    # The connection may answer these, which knows nothing of tus.
    bare = (408, 414, 431)
    return {
        code: problem if code in bare else ref("responses", IN_TUS + NAMES[code])
        for code, problem in problems(*codes, 412).items()
    }


def in_tus(problem: Part) -> Part:
    """The same problem, told to a client that speaks tus."""
    return {**problem, "headers": {**problem.get("headers", {}), "Tus-Resumable": TUS_RESUMABLE}}


COMPONENTS: dict[str, Part] = {
    **{name: problem for name, problem in PROBLEMS.items() if name != NAMES[CHECKSUM_MISMATCH]},
    **{IN_TUS + NAMES[code]: in_tus(PROBLEMS[NAMES[code]]) for code in TUS_CODES},
}
