"""Where a new password comes from: stdin, the person at the terminal, or chance."""

from __future__ import annotations

import getpass
import sys

from attrs import field, frozen

from stacksync.auth.password_policy import PasswordPolicy
from stacksync.auth.passwords import PASSWORD_BYTES_MAX
from stacksync.embedded.welcome import make_password
from stacksync.errors import InvalidRequest


@frozen
class NewPassword:
    """A password to set.

    :ivar made_up: whether the operator has yet to be told.
    """

    text: str = field(repr=False)
    made_up: bool = False


def read(from_stdin: bool, email: str, policy: PasswordPolicy) -> NewPassword:
    """The password that the operator wants for an account.

    A terminal is asked, twice and without echo, even with ``--password-stdin``;
    elsewhere stdin is read if ``from_stdin``, else a password is made up.

    :param policy: what it must be.
    :raises InvalidRequest: it is not what it must be, or the two differ.
    """
    if sys.stdin.isatty():
        try:
            text = getpass.getpass(f"New password for {email}: ")
            again = getpass.getpass("Once more: ")
        except EOFError:
            raise InvalidRequest("password", "none was given") from None
        if again != text:
            raise InvalidRequest("password", "the two are not the same")
    elif from_stdin:
        raw = sys.stdin.buffer.read(PASSWORD_BYTES_MAX + 3)
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            raise InvalidRequest("password", "is not UTF-8 text") from None
        text = text.removesuffix("\n").removesuffix("\r")
    else:
        return NewPassword(make_password(policy.minimum), made_up=True)
    policy.check(text, email)
    return NewPassword(text)
