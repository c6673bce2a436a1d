"""Prints what a device is told: who commits what to the account's workspaces.

    python examples/watch.py --via http

Each commit is a line, and below it each of its items another one:

    + created   ~ changed   > renamed or moved   - deleted

The revision up to which it has shown a workspace is its cursor, which it keeps
from run to run: what was committed while it was away it asks for, and shows as
missed.  Ctrl-C ends it.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

from connections import Connection, Event, Item, Lost, Refused
from remembering import Memory
from server_options import add_options, connect
from wording import count, printable, size

SIGNS = {"NEW": "+", "CHANGED": "~", "RENAMED": ">", "MOVED": ">", "DELETED": "-"}


class Watcher:
    """Shows the events of one connection.

    :param name: under which the cursors are remembered.
    :ivar shown: how many commits have been shown, missed ones included.
    """

    def __init__(self, connection: Connection, memory: Memory, name: str) -> None:
        self._connection = connection
        self._memory = memory
        self._name = name
        self._names: dict[str, str] = {}
        self._cursors: dict[str, int] = {}
        self.shown = 0

    def take(self, event: Event) -> None:
        """Show an event."""
        if event.kind == "hello":
            self._hello(event.told["workspaces"])
        elif event.kind == "commit" and event.told["workspace_id"] in self._cursors:
            self._commit(event.told)
        elif event.kind == "workspace":
            self._renamed(event.told)

    def _hello(self, workspaces: list[dict[str, Any]]) -> None:
        self._names = {each["id"]: each["name"] for each in self._connection.workspaces()}
        email = self._connection.account["email"]
        say(f"hello {printable(email)}, {count(len(workspaces), 'workspace')}")
        for workspace in workspaces:
            identity, revision = workspace["id"], workspace["revision"]
            say(f"  {self._name_of(identity)} is at revision {revision}")
            cursor = self._memory.recall("cursor", self._name, identity)
            if cursor is None:
                self._advance(identity, revision)
                continue
            self._cursors[identity] = cursor
            if cursor != revision:
                self._catch_up(identity, revision)

    def _commit(self, told: dict[str, Any]) -> None:
        identity, revision = told["workspace_id"], told["revision"]
        cursor = self._cursors[identity]
        if revision <= cursor:
            return  # announced twice, or refused as a whole: nothing is new
        if revision > cursor + 1 or "items" not in told:
            self._catch_up(identity, revision)
            return
        committed = [each["metadata"] for each in told["items"] if each["committed"]]
        say(f"{self._name_of(identity)} revision {revision}: {count(len(committed), 'item')}")
        self._show(committed)
        self.shown += 1
        self._advance(identity, revision)

    def _catch_up(self, identity: str, revision: int) -> None:
        """Ask for what has happened since our cursor."""
        cursor = self._cursors[identity]
        try:
            revision, items = self._connection.changes(identity, cursor)
        except Refused as refused:
            # The server does not keep changes for ever, or has been restored from a backup.
            say(f"{self._name_of(identity)}: {refused}; going on from revision {revision}")
            self._advance(identity, revision)
            return
        span = f"revision {revision}"
        if revision > cursor + 1:
            span = f"revisions {cursor + 1} to {revision}"
        say(f"{self._name_of(identity)} {span}, missed: {count(len(items), 'item')}")
        self._show(items)
        self.shown += revision - cursor
        self._advance(identity, revision)

    def _renamed(self, told: dict[str, Any]) -> None:
        old = self._name_of(told["id"])
        self._names[told["id"]] = told["name"]
        say(f"workspace {old} is now called {printable(told['name'])}")

    def _show(self, items: list[Item]) -> None:
        for item in items:
            name = printable(item["filename"]) + ("/" if item["is_folder"] else "")
            told = f"  {SIGNS[item['status']]} {name}  version {item['version']}"
            say(told if item["is_folder"] else f"{told}, {size(item['size'])}")

    def _advance(self, identity: str, revision: int) -> None:
        self._cursors[identity] = revision
        self._memory.remember(revision, "cursor", self._name, identity)

    def _name_of(self, identity: str) -> str:
        return printable(self._names.get(identity, identity))


def say(line: str) -> None:
    print(line, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_options(parser)
    parser.add_argument("--once", type=int, metavar="N", help="end after N commits")
    arguments = parser.parse_args()
    try:
        connection = connect(arguments)
        watcher = Watcher(connection, Memory(), arguments.via)
        for event in connection.notifications():
            watcher.take(event)
            if arguments.once is not None and watcher.shown >= arguments.once:
                break
    except (Lost, Refused) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
