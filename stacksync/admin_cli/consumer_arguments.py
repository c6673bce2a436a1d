"""What may be written after ``stacksync-admin consumer``."""

from __future__ import annotations

import argparse


def add_consumer(consumer: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    """What may be written after ``consumer``; the parsers of its verbs."""
    consumer.description = (
        "Applications that may ask people for access to their files (OAuth 1.0a). They act for"
        " nobody who has not allowed it."
    )
    verbs = consumer.add_subparsers(dest="verb", required=True, metavar="add|list|revoke")
    add = verbs.add_parser("add", help="let an application ask people; makes its key and secret")
    add.add_argument("name", metavar="NAME", help="what people are told who asks")
    add.add_argument(
        "--callback",
        metavar="URL",
        help="where it sends people back to; without one they are shown a code, and type it",
    )
    verbs.add_parser("list", help="all applications")
    revoke = verbs.add_parser("revoke", help="end all access of an application, for good")
    revoke.add_argument("key", metavar="KEY", help="as consumer list tells it")
    return list(verbs.choices.values())
