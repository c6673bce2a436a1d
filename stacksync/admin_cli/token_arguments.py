"""What may be written after ``stacksync-admin token`` and ``stacksync-admin device``."""

from __future__ import annotations

import argparse
from uuid import UUID

OF_ONE = "those of this account alone; without it, of all"


def add_tokens(token: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    """The verbs of ``token``."""
    token.description = "What devices and applications sign in with instead of the password."
    verbs = token.add_subparsers(dest="verb", required=True, metavar="list|revoke")
    listed = verbs.add_parser("list", help="everybody's tokens, or those of one account")
    listed.add_argument("email", nargs="?", metavar="EMAIL", help=OF_ONE)
    revoke = verbs.add_parser("revoke", help="end a token at once, and what is open because of it")
    which = revoke.add_mutually_exclusive_group(required=True)
    which.add_argument(
        "token_id", nargs="?", type=_uuid, metavar="ID", help="as token list tells it"
    )
    which.add_argument("--all", dest="email", metavar="EMAIL", help="all tokens of an account")
    return list(verbs.choices.values())


def add_devices(device: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    """The verbs of ``device``."""
    device.description = "What people have registered to synchronise with."
    verbs = device.add_subparsers(dest="verb", required=True, metavar="list|revoke")
    listed = verbs.add_parser("list", help="everybody's devices, or those of one account")
    listed.add_argument("email", nargs="?", metavar="EMAIL", help=OF_ONE)
    revoke = verbs.add_parser(
        "revoke", help="let a device do nothing any more: it was lost, or stolen"
    )
    revoke.add_argument("device_id", type=_uuid, metavar="ID", help="as device list tells it")
    return list(verbs.choices.values())


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no id (UUID)") from None
