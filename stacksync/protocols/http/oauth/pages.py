"""The pages that people see, as HTML that needs no script.

Whatever comes from applications, people or the database is escaped here, and
nowhere else.
"""

from __future__ import annotations

from html import escape
from urllib.parse import urlsplit

from stacksync.model import Asked, Scope

MAY = {
    Scope.SYNC: (
        "see and download all files and folders of your account, and those shared with you",
        "add, change, move and delete them",
        "share folders with other people",
    ),
    Scope.READ_ONLY: (
        "see and download all files and folders of your account, and those shared with you",
    ),
}
MAY_NOT = {
    Scope.SYNC: "It cannot see or change your password, nor let other applications in.",
    Scope.READ_ONLY: "It cannot change anything.",
}

END = 'You can <a href="applications">end this at any time</a>.'


def page(title: str, body: str) -> bytes:
    """A whole page; the body is HTML."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{escape(title)} &#183; StackSync</title>\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="robots" content="noindex">\n'
        '<link rel="stylesheet" href="style.css">\n</head>\n<body>\n<main>\n'
        f"<h1>{escape(title)}</h1>\n{body}</main>\n</body>\n</html>\n"
    ).encode()


def question(asked: Asked, confirmation: str, *, email: str = "", problem: str = "") -> bytes:
    """The form: who asks, for what, who you are, yes or no.

    :param email: what was typed before.
    :param problem: why that was not taken.
    """
    told = escape(asked.application)
    title = f"{asked.application} asks for access to your files"
    if problem:
        title = f"Not signed in: {title}"
    may = "".join(f"<li>{each}</li>\n" for each in MAY[asked.token.scope])
    return page(
        title,
        alert(problem) + f"<p>If you allow it, <strong>{told}</strong> may</p>\n<ul>\n{may}</ul>\n"
        f"<p>{MAY_NOT[asked.token.scope]} {END}</p>\n"
        f"<p>{afterwards(asked)}</p>\n"
        '<form method="post" action="authorize">\n'
        f'<input type="hidden" name="oauth_token" value="{escape(asked.token.key)}">\n'
        f'<input type="hidden" name="confirmation" value="{escape(confirmation)}">\n'
        f"{text_field('email', 'E-mail', 'email', 'username', email, problem)}"
        f"{text_field('password', 'Password', 'password', 'current-password', '', problem)}"
        '<p class="choice">\n'
        '<button class="allow" type="submit" name="decision" value="allow">'
        "Sign in and allow</button>\n"
        '<button type="submit" name="decision" value="deny" formnovalidate>Deny</button>\n'
        "</p>\n</form>\n",
    )


def afterwards(asked: Asked) -> str:
    """Where the person comes to, as HTML."""
    place = place_of(asked.token.callback)
    if place is None:
        return "Then this page shows you a code, which you type into the application."
    return f"Then, or if you deny it, you are sent to <strong>{escape(place)}</strong>."


def place_of(callback: str) -> str | None:
    """Where a callback leads, in what people can judge; ``None``: nowhere."""
    parts = urlsplit(callback)
    if not parts.scheme:
        return None
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else f"{parts.scheme}:"


def text_field(name: str, label: str, kind: str, completion: str, value: str, problem: str) -> str:
    """One line to be typed, with its label."""
    marks = ' aria-invalid="true" aria-describedby="problem"' if problem else ""
    return (
        f'<label for="{name}">{label}</label>\n'
        f'<input id="{name}" name="{name}" type="{kind}" autocomplete="{completion}"'
        f' value="{escape(value)}" required{marks}>\n'
    )


def alert(problem: str) -> str:
    """What went wrong, where the reader is put first."""
    if not problem:
        return ""
    return (
        '<div class="alert" id="problem" role="alert" tabindex="-1" autofocus>'
        f"{escape(sentence(problem))}</div>\n"
    )


def verifier_page(asked: Asked, verifier: str) -> bytes:
    """The code that the person types into the application."""
    return page(
        f"Type this code into {asked.application}",
        f'<p><code class="verifier">{escape(verifier)}</code></p>\n'
        f"<p>You have allowed <strong>{escape(asked.application)}</strong> access. It works when"
        " you have typed the code there, within a few minutes. Give it to nobody else. You can"
        " close this page then.</p>\n",
    )


def denied_page(asked: Asked) -> bytes:
    """There is nowhere to go back to."""
    return page(
        "You have denied access",
        f"<p><strong>{escape(asked.application)}</strong> was not let in. You can close this"
        " page.</p>\n",
    )


def leaving_page(asked: Asked, url: str) -> bytes:
    """For the browser that does not go there by itself."""
    return page(
        f"Back to {asked.application}",
        f'<p><a href="{escape(url)}" rel="noreferrer">Go on</a></p>\n',
    )


def problem_page(title: str, problem: str, *, is_over: bool) -> bytes:
    """Nothing can be answered here.

    :param is_over: only the application can begin anew, so that is where to go.
    """
    again = "<p>Go back to the application and begin again there.</p>\n" if is_over else ""
    return page(title, alert(problem) + again)


def sentence(text: str) -> str:
    """What an error says, as people write."""
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")
