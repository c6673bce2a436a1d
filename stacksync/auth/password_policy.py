"""What a new password must be: long enough, none of the commonest, not the account's own name.

The rules are those of NIST SP 800-63B (section on passwords, "memorized secrets"): length
counts, as code points; a list of the commonest is refused; there are no rules of composition,
and none of expiry.  Passwords that people have already are not looked at: this is for
those that are set.  Nothing here hashes or keeps one, and no message repeats one.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from attrs import frozen

from stacksync.auth.passwords import normalised, problem_with
from stacksync.errors import InvalidRequest


@cache
def commonest() -> frozenset[str]:
    """The passwords that are guessed first, in lower case."""
    text = (files("stacksync.auth") / "common_passwords.txt").read_text("utf-8")
    return frozenset(text.split())


@frozen
class PasswordPolicy:
    """Says of a new password whether it will do.

    :ivar minimum: characters that it has at least: Unicode code points in the
        normalisation form that is hashed, NFC.
    """

    minimum: int

    def check(self, password: str, email: str) -> None:
        """Refuse a password that an account with this e-mail should not get.

        :raises InvalidRequest: says what would be right.
        """
        problem = self.problem_with(password, email)
        if problem is not None:
            raise InvalidRequest("password", problem)

    def problem_with(self, password: str, email: str) -> str | None:
        """What is wrong with it as a new password, and what would be right; or ``None``."""
        impossible = problem_with(password)
        if impossible is not None:
            return impossible
        text = normalised(password)
        if len(text) < self.minimum:
            return f"must have at least {self.minimum} characters; several words will do"
        folded = text.casefold()
        if folded in commonest():
            return (
                "is one of the commonest, which are guessed first: several words that do not"
                " belong together are better"
            )
        address = normalised(email).casefold()
        if folded in (address, address.rpartition("@")[0]):
            return "must not be the e-mail or its part before the @: these are guessed first"
        return None
