"""Commits a directory tree, as a desktop client would.

    python examples/commit_tree.py DIR --via http
    python examples/commit_tree.py DIR --via amqp --http-url http://127.0.0.1:8080

The directory becomes a folder in the root of the workspace.  Only what differs
from what the server has is committed, so a second run commits nothing: a file
is read if its size or time differs, and committed if its size or checksum does.
What is gone here is deleted there with --delete only.

A file is read in chunks.  Each that the server does not have yet goes there by
HTTP as it is read; the commit that names them comes after them.  With a login of
your own to the broker and no --http-url only metadata is committed, and nobody
can download the files; --all puts there later what is missing.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from committer import Committer, Report
from connections import Connection, Lost, Refused
from http_connection import HttpConnection
from local_tree import Entry, LocalTree, Skipped, read_file, read_tree
from remembering import Memory
from remote_tree import RemoteTree
from server_options import add_options, connect, connect_for_content
from tqdm import tqdm

Keep = Callable[[str, bytes], None]
"""What is done with a chunk: its name, its bytes."""

LARGEST_BATCH = 5000
"""The most that a server with default settings takes."""


def main() -> int:
    arguments = read_arguments()
    started = time.monotonic()
    try:
        tree = read_tree(arguments.directory, tqdm.write)
        connection = connect(arguments)
        content = connect_for_content(arguments, connection)
        workspace_id = find_workspace(connection, arguments.workspace)
        device_id = our_device(connection, arguments.device)
        _, items = connection.changes(workspace_id, 0)
        remote = RemoteTree(next(iter(tree.entries)), items)
        committer = Committer(
            connection, workspace_id, device_id, arguments.batch, remote, tqdm.write
        )
        if arguments.delete:
            delete_what_is_gone(tree, remote, committer)
        keep = chunk_keeper(content, workspace_id)
        commit_differences(tree, remote, committer, keep, arguments.all)
    except (Lost, Refused, OSError, Skipped) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; run it again to go on", file=sys.stderr)
        return 1
    if content is None and committer.report.files:
        print("only metadata was committed: --http-url says where the content goes")
    print(summary(committer.report, tree, time.monotonic() - started))
    return 1 if committer.report.refused else 0


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("directory", metavar="DIR", type=Path)
    add_options(parser)
    parser.add_argument("--workspace", metavar="NAME", help="which one (default: the first)")
    parser.add_argument("--batch", type=int, default=100, metavar="N", help="items in one commit")
    parser.add_argument("--delete", action="store_true", help="delete there what is gone here")
    parser.add_argument(
        "--all", action="store_true", help="read files that look the same as there, too"
    )
    arguments = parser.parse_args()
    if not 1 <= arguments.batch <= LARGEST_BATCH:
        parser.error(f"--batch: between 1 and {LARGEST_BATCH}")
    return arguments


def find_workspace(connection: Connection, name: str | None) -> str:
    """The id of the workspace that is called so.

    :raises Refused: there is none.
    """
    workspaces = connection.workspaces()
    for workspace in workspaces:
        if name is None or workspace["name"] == name:
            return str(workspace["id"])
    names = ", ".join(workspace["name"] for workspace in workspaces)
    raise Refused(f"no workspace is called {name}; there are: {names}")


def our_device(connection: Connection, name: str) -> str:
    """The id of this device, which makes itself known the first time only."""
    memory = Memory()
    key = ("device", connection.account["id"], name)
    known = memory.recall(*key)
    if known is None:
        known = connection.register_device(name)
        memory.remember(known, *key)
    return str(known)


def chunk_keeper(content: HttpConnection | None, workspace_id: str) -> Keep:
    """Puts chunks on the server, if there is a connection to do so by."""
    if content is None:
        return lambda name, chunk: None
    return partial(content.keep_chunk, workspace_id)


def delete_what_is_gone(tree: LocalTree, remote: RemoteTree, committer: Committer) -> None:
    for path in remote.gone(tree):
        committer.delete(path)


def commit_differences(
    tree: LocalTree, remote: RemoteTree, committer: Committer, keep: Keep, read_all: bool
) -> None:
    """Commit what differs: folders, then files.

    :param read_all: read files that look the same, too.
    """
    for entry in tree.entries.values():
        if entry.is_folder and not remote.has(entry):
            committer.create_folder(entry)
    files = [
        each
        for each in tree.entries.values()
        if not each.is_folder and (read_all or remote.differs(each))
    ]
    commit_files(files, tree, committer, keep)
    committer.flush()


def commit_files(files: list[Entry], tree: LocalTree, committer: Committer, keep: Keep) -> None:
    total = sum(file.size for file in files)
    # Shown on a terminal only.
    with tqdm(total=total, unit="B", unit_scale=True, disable=None, leave=False) as bar:

        def take(name: str, chunk: bytes) -> None:
            keep(name, chunk)
            bar.update(len(chunk))

        for number, file in enumerate(files, 1):
            bar.set_postfix_str(f"file {number} of {len(files)}", refresh=False)
            try:
                content = read_file(file, committer.chunk_owner(file), take)
            except Skipped as skipped:
                tree.skip(file.path, str(skipped), bar.write)
                continue
            committer.commit_file(file, content)


def summary(report: Report, tree: LocalTree, seconds: float) -> str:
    return f"{report}, {len(tree.skipped)} skipped; {seconds:.1f} s"


if __name__ == "__main__":
    raise SystemExit(main())
