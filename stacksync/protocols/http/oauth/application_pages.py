"""The pages on which people see and end what may act for them, as HTML that needs no script.

No secret is in them, and no password; whose tokens they show was found out before.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from datetime import UTC, datetime
from html import escape

from stacksync.model import Scope, Token
from stacksync.protocols.http.oauth.pages import alert, page, text_field

TITLE = "Applications and devices that can act for you"

MAY = {
    Scope.SYNC: "May see, change and share all your files and folders.",
    Scope.READ_ONLY: "May see all your files and folders, and change nothing.",
}

INTRO = (
    "<p>They act without your password. Tick those that should not any more. A new password"
    " ends all of them.</p>\n"
)
NOTHING = "<p>No application can act for you, and no device without your password.</p>\n"
HINT = (
    '<p class="about" id="password-hint">It is asked for again, so that nobody can end anything'
    " who only finds this page open.</p>\n"
)


def sign_in_page(
    confirmation: str, *, email: str = "", problem: str = "", chosen: Sequence[str] = ()
) -> bytes:
    """The form that asks who somebody is.

    :param email: what was typed before.
    :param problem: why that was not taken.
    :param chosen: ids of what was ticked to be ended; what that is only its owner may see.
    """
    if chosen:
        intro = f"You have ticked {len(chosen)} to be ended. That takes the right password."
        button = submit("end", "Sign in and end access")
    else:
        intro = "Sign in to see them, and to end the access of those that should have none."
        button = submit("show", "Sign in")
    kept = "".join(
        f'<input type="hidden" name="token" value="{escape(each)}">\n' for each in chosen
    )
    return page(
        after("Not signed in") if problem else TITLE,
        f"{alert(problem)}<p>{intro}</p>\n{form(confirmation)}{kept}"
        f"{text_field('email', 'E-mail', 'email', 'username', email, problem)}"
        f"{text_field('password', 'Password', 'password', 'current-password', '', problem)}"
        f"{button}</form>\n",
    )


def list_page(
    confirmation: str,
    email: str,
    tokens: Sequence[Token],
    *,
    ended: Sequence[Token] = (),
    problem: str = "",
    chosen: Set[str] = frozenset(),
) -> bytes:
    """What can act for somebody, each with a box to be ticked.

    :param email: whose tokens they are.
    :param tokens: oldest first.
    :param ended: those that have just been ended.
    :param problem: why nothing was ended.
    :param chosen: ids of what was ticked.
    """
    rows = choices(tokens, problem, chosen) if tokens else ""
    shown = f"{form(confirmation)}{rows}{proof(email)}</form>\n" if tokens else NOTHING
    if ended:
        heading = "<h2>What can still act for you</h2>\n"
        return page("Access has ended", told_ended(ended) + heading + shown)
    if problem:
        return page(after("Nothing was ended"), alert(problem) + shown)
    return page(TITLE, (INTRO if tokens else "") + shown)


def told_ended(ended: Sequence[Token]) -> str:
    """In words what has just been ended."""
    lines = "".join(f"<li>{escape(end_of(each))}</li>\n" for each in ended)
    return (
        f'<div class="done" role="status" tabindex="-1" autofocus>\n<ul>\n{lines}</ul>\n</div>\n'
        "<p>What was downloaded before is still where it was downloaded to.</p>\n"
    )


def end_of(token: Token) -> str:
    if token.device_id is None:
        return f"{name_of(token)} can no longer act for you."
    return f"{name_of(token)} is signed out."


def name_of(token: Token) -> str:
    """What people know it by."""
    return token.application or token.name


def choices(tokens: Sequence[Token], problem: str, chosen: Set[str]) -> str:
    """The boxes, applications first."""
    # The problem is that of the boxes where none was ticked.
    marks = problem if not chosen else ""
    numbered = list(enumerate(tokens, 1))
    groups = (
        ("Applications", [each for each in numbered if each[1].device_id is None]),
        ("Devices", [each for each in numbered if each[1].device_id is not None]),
    )
    return "".join(
        f"<fieldset>\n<legend>{legend}</legend>\n<ul>\n"
        + "".join(row(number, token, marks, chosen) for number, token in group)
        + "</ul>\n</fieldset>\n"
        for legend, group in groups
        if group
    )


def row(number: int, token: Token, problem: str, chosen: Set[str]) -> str:
    """One box, with what is to be known of whatever it stands for."""
    identity = str(token.id)
    described = f"about-{number} problem" if problem else f"about-{number}"
    marks = ' aria-invalid="true"' if problem else ""
    ticked = " checked" if identity in chosen else ""
    return (
        f'<li>\n<input type="checkbox" id="token-{number}" name="token" value="{identity}"'
        f' aria-describedby="{described}"{marks}{ticked}>\n'
        f'<label for="token-{number}">{escape(name_of(token))}</label>\n'
        f'<p class="about" id="about-{number}">{about(token)}</p>\n</li>\n'
    )


def about(token: Token) -> str:
    """Since when, what, until when; as HTML."""
    until = f"Until {instant(token.expires_at)}." if token.expires_at else "Until you end it."
    used = f" Last seen {instant(token.used_at)}." if token.used_at else ""
    return f"{MAY[token.scope]} Since {instant(token.created_at)}. {until}{used}"


def instant(when: datetime) -> str:
    """A time as people read it, and as programs do."""
    utc = when.astimezone(UTC)
    read = f"{utc.day} {utc:%B %Y, %H:%M} UTC"
    return f'<time datetime="{utc:%Y-%m-%dT%H:%M}Z">{read}</time>'


def proof(email: str) -> str:
    """What is to be typed to end something."""
    return (
        '<label for="email">E-mail</label>\n'
        '<input id="email" name="email" type="email" autocomplete="username"'
        f' value="{escape(email)}" readonly>\n'
        '<label for="password">Password</label>\n'
        '<input id="password" name="password" type="password" autocomplete="current-password"'
        f' aria-describedby="password-hint" required>\n{HINT}'
        + submit("end", "End access of those ticked")
    )


def after(news: str) -> str:
    """The title, where there is something that people should hear first."""
    return f"{news}: {TITLE[0].lower()}{TITLE[1:]}"


def form(confirmation: str) -> str:
    """The beginning of a form."""
    return (
        '<form method="post" action="applications">\n'
        f'<input type="hidden" name="confirmation" value="{escape(confirmation)}">\n'
    )


def submit(decision: str, label: str) -> str:
    # One to a form, so that the Enter key does what the form is for.
    return (
        '<p class="choice">\n<button class="allow" type="submit" name="decision"'
        f' value="{decision}">{label}</button>\n</p>\n'
    )


def problem_page(title: str, problem: str) -> bytes:
    """Nothing can be shown or ended so."""
    return page(title, f'{alert(problem)}<p><a href="applications">Begin again</a></p>\n')
