"""``/oauth/…``, described: how an application comes to act for a person (RFC 5849, section 2)."""

from __future__ import annotations

from stacksync.model import Scope
from stacksync.protocols.http.openapi.headers import RETRY_AFTER
from stacksync.protocols.http.openapi.parts import (
    JSON,
    Operation,
    Part,
    Path,
    answer,
    header,
    parameter,
    schema,
)
from stacksync.protocols.http.openapi.problems import problems

FORM = "application/x-www-form-urlencoded"
HTML = "text/html; charset=utf-8"
TEXT = "text/plain; charset=utf-8"
CSS = "text/css; charset=utf-8"
ANY_TEXT: Part = {"type": "string"}

CREDENTIALS: Part = {
    "type": "object",
    "properties": {
        "oauth_token": {"type": "string"},
        "oauth_token_secret": {"type": "string"},
        "oauth_callback_confirmed": {"type": "string", "enum": ["true"]},
    },
    "required": ["oauth_token", "oauth_token_secret"],
}
CHALLENGE = header({"type": "string"}, "`OAuth`.")
SCOPE = parameter(
    "query",
    "scope",
    {"type": "string", "enum": [scope.value for scope in Scope], "default": Scope.SYNC.value},
    "What the application may do: all but manage sign-ins, or read.",
)

SIGNED = """
Signed with HMAC-SHA256, HMAC-SHA1 or PLAINTEXT; the parameters of OAuth stand in the header
`Authorization`, in the query, or in a form. Over TLS, or from the same machine, only.
"""


def refused() -> dict[int, Part]:
    """What both requests for tokens may get besides, in plain text."""
    told = {
        400: "It can't be told what was signed, or something is asked for that nobody gets.",
        403: "Others could read the answer: use TLS.",
    }
    plain = {code: answer(text, ANY_TEXT, media=TEXT) for code, text in told.items()}
    plain[401] = answer(
        "Signature, nonce, timestamp, token or verifier is not right; the text says which.",
        ANY_TEXT,
        headers={"WWW-Authenticate": CHALLENGE},
        media=TEXT,
    )
    for code, text in ((429, "Too many requests."), (503, "A part of the server is away.")):
        plain[code] = answer(text, ANY_TEXT, headers={"Retry-After": RETRY_AFTER}, media=TEXT)
    plain[500] = answer("A fault of the server's.", ANY_TEXT, media=TEXT)
    return problems(signed_in=False) | plain


def shown(description: str) -> Part:
    """A page."""
    return answer(description, ANY_TEXT, media=HTML)


def too_long() -> Part:
    """A page; or what the connection says, of what is longer than any body may be."""
    told = shown("The form is too long.")
    told["content"][JSON] = {"schema": schema("Error")}
    return told


PAGES = problems(signed_in=False) | {
    400: shown("This is no request of an application's."),
    403: shown("Not over TLS, from a page of another site, or not with the right password."),
    404: shown("The application's request has expired, or there is none."),
    409: shown("It was answered before; or the account has as many tokens as it may."),
    429: answer(
        "Too many attempts to sign in, or requests.",
        ANY_TEXT,
        headers={"Retry-After": RETRY_AFTER},
        media=HTML,
    ),
    500: shown("A fault of the server's."),
    503: answer(
        "A part of the server is away.",
        ANY_TEXT,
        headers={"Retry-After": RETRY_AFTER},
        media=HTML,
    ),
}

APPLICATION_PAGES = {code: told for code, told in PAGES.items() if code not in (404, 409)} | {
    400: shown("This is no form of the page's, or nothing was ticked."),
}

REQUEST_TOKEN = Operation(
    "giveRequestToken",
    "Temporary credentials, to send a person here with",
    {
        200: answer("They last some minutes.", CREDENTIALS, media=FORM),
        **refused(),
    },
    f"{SIGNED.strip()}\n\n`oauth_callback` is the URL that is registered for the application, whose"
    " query may be another, or `oob`, if none is.",
    (SCOPE,),
    by_applications=True,
)
ACCESS_TOKEN = Operation(
    "giveAccessToken",
    "What the application acts with",
    {
        200: answer("For the person who has allowed it.", CREDENTIALS, media=FORM),
        **refused(),
    },
    f"{SIGNED.strip()}\n\nWith the request token, once, and the verifier that the person brought.",
    by_applications=True,
)
QUESTION = Operation(
    "showQuestion",
    "The page on which a person allows or denies",
    {200: shown("Who asks, for what."), **PAGES},
    parameters=(
        parameter("query", "oauth_token", {"type": "string"}, "The request token.", required=True),
    ),
    open_to_all=True,
)
ANSWER = Operation(
    "answerQuestion",
    "What the form of that page sends",
    {
        200: shown("The verifier, to be typed into the application; or that it was denied."),
        303: answer(
            "Back to the application, with `oauth_verifier`, or `oauth_problem` if it was denied.",
            ANY_TEXT,
            headers={"Location": header({"type": "string"}, "Its callback.")},
            media=HTML,
        ),
        **PAGES,
        413: too_long(),
        415: shown("This is no form."),
    },
    "For nobody but that page, whose cookie comes with it.",
    open_to_all=True,
)
APPLICATIONS = Operation(
    "showApplicationsForm",
    "The page on which people end what can act for them",
    {200: shown("Asks who it is."), **APPLICATION_PAGES},
    open_to_all=True,
)
END_APPLICATIONS = Operation(
    "answerApplicationsForm",
    "What the forms of that page send",
    {
        200: shown("What can act for the person who has signed in, and what was ended."),
        **APPLICATION_PAGES,
        404: shown("What is to be ended is not there, or somebody else's."),
        413: too_long(),
        415: shown("This is no form."),
    },
    "For nobody but that page, whose cookie comes with it. Programs use `/api/tokens`.",
    open_to_all=True,
)
STYLE = Operation(
    "showStyle",
    "How the pages look",
    {200: answer("A style sheet.", ANY_TEXT, media=CSS), **problems(signed_in=False)},
    open_to_all=True,
)

PATHS = [
    Path("/oauth/request_token", "applications", {"post": REQUEST_TOKEN}),
    Path("/oauth/authorize", "applications", {"get": QUESTION, "post": ANSWER}),
    Path("/oauth/applications", "applications", {"get": APPLICATIONS, "post": END_APPLICATIONS}),
    Path("/oauth/access_token", "applications", {"post": ACCESS_TOKEN}),
    Path("/oauth/style.css", "applications", {"get": STYLE}),
]
