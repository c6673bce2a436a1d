"""What one device commits through one protocol, another hears of through the other."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from tests.examples.running import Person
from tests.servers.proxy import Proxy
from tests.servers.rabbitmq import RabbitServer
from tests.servers.stacksync import StackSyncProcess

NOTHING = "0 folders, 0 files, 0 B, 0 deleted, 0 refused, 0 skipped"

both_ways = pytest.mark.parametrize(
    ("committing", "watching"), [("amqp", "http"), ("http", "amqp")]
)


@both_ways
def test_a_tree_is_committed_changed_and_thinned_out_while_another_device_watches(
    person: Person, tree: Path, committing: str, watching: str
) -> None:
    watch = person.watch(watching, "--once", "3")
    watch.wait_for("is at revision 0")

    first = person.commit_tree(tree, committing)
    assert first.status == 0
    assert first.summary.startswith("4 folders, 4 files, 1.3 MB, 0 deleted, 0 refused")

    again = person.commit_tree(tree, committing)
    assert again.status == 0
    assert again.summary.startswith(NOTHING)
    assert person.workspace()["latest_revision"] == 1

    (tree / "notes.txt").write_text("rain\n")
    (tree / "new.txt").write_text("new\n")
    (tree / "photos" / "2026" / "sea.jpg").unlink()
    changed = person.commit_tree(tree, committing)
    assert changed.summary.startswith("0 folders, 2 files, 9 B, 0 deleted, 0 refused")
    thinned = person.commit_tree(tree, committing, "--delete")
    assert thinned.summary.startswith("0 folders, 0 files, 0 B, 1 deleted, 0 refused")

    seen = watch.end()
    assert seen.status == 0
    told = seen.text.splitlines()[2:]
    assert told[0] == "StackSync revision 1: 8 items"
    assert sorted(told[1:9]) == [
        "  + 2026/  version 1",
        "  + empty/  version 1",
        "  + holiday/  version 1",
        "  + notes.txt  version 1, 4 B",
        "  + nothing  version 1, 0 B",
        "  + photos/  version 1",
        "  + sea.jpg  version 1, 1.3 MB",
        "  + Ünïcode 💾.bin  version 1, 1 B",
    ]
    assert told[9:] == [
        "StackSync revision 2: 2 items",
        "  + new.txt  version 1, 4 B",
        "  ~ notes.txt  version 2, 5 B",
        "StackSync revision 3: 1 item",
        "  - sea.jpg  version 2, 1.3 MB",
    ]


@both_ways
def test_a_watcher_that_was_away_is_shown_what_it_missed(
    person: Person, tree: Path, committing: str, watching: str
) -> None:
    watch = person.watch(watching, "--once", "1")
    watch.wait_for("is at revision 0")
    (tree / "notes.txt").rename(tree.with_name("notes.txt"))
    person.commit_tree(tree, committing)
    watch.end()

    (tree.with_name("notes.txt")).rename(tree / "notes.txt")
    person.commit_tree(tree, committing)
    (tree / "photos" / "nothing").unlink()
    person.commit_tree(tree, committing, "--delete")

    back = person.watch(watching, "--once", "2").end()
    assert back.text.splitlines()[2:] == [
        "StackSync revisions 2 to 3, missed: 2 items",
        "  - nothing  version 2, 0 B",
        "  + notes.txt  version 1, 4 B",
    ]


@pytest.mark.parametrize("watching", ["amqp", "http"])
def test_a_renamed_workspace_is_told(person: Person, tree: Path, watching: str) -> None:
    watch = person.watch(watching)
    watch.wait_for("is at revision 0")
    requests.put(
        f"{person.http_url}/api/workspaces/{person.workspace()['id']}",
        json={"name": "Böx"},
        auth=(person.user.email, person.user.password),
        timeout=60,
    ).raise_for_status()
    watch.wait_for("workspace StackSync is now called Böx")
    watch.kill()


@pytest.mark.parametrize("via", ["amqp", "http"])
def test_a_server_that_is_killed_in_the_middle_loses_and_doubles_nothing(
    start_server: Callable[..., StackSyncProcess],
    database_dsn: str,
    rabbitmq: RabbitServer,
    vhost: str,
    tmp_path: Path,
    via: str,
) -> None:
    server = start_server(database_dsn, rabbitmq.url(vhost), amqp={"identity": "message"})
    user = server.add_user("anna@example.org")
    person = Person(user, rabbitmq.url(vhost), server.http_url, tmp_path / "state")
    tree = tmp_path / "many"
    tree.mkdir()
    for number in range(300):
        (tree / f"{number}.txt").write_text(str(number))

    watch = person.watch("amqp" if via == "http" else "http", "--once", "301")
    watch.wait_for("is at revision 0")
    committing = person.start_commit_tree(tree, via, "--batch", "1")
    watch.wait_for("revision 100:")
    server.kill()
    server.start()

    done = committing.end()
    assert done.status == 0
    assert done.summary.startswith("1 folder, 300 files, 790 B, 0 deleted, 0 refused")
    assert person.workspace()["latest_revision"] == 301
    assert {item["version"] for item in person.items().values()} == {1}
    # What is committed while a watcher catches up it may be told twice, but never not at all.
    seen = watch.end()
    assert {line.split()[1] for line in seen.text.splitlines() if "  + " in line} == {
        "many/",
        *(f"{number}.txt" for number in range(300)),
    }


@pytest.mark.parametrize("via", ["amqp", "http"])
def test_a_commit_whose_answer_was_lost_is_sent_again_and_has_one_effect(
    person: Person, tmp_path: Path, via: str
) -> None:
    tree = tmp_path / "many"
    tree.mkdir()
    for number in range(200):
        (tree / f"{number}.txt").write_text(str(number))
    url = person.amqp_url if via == "amqp" else person.http_url
    port = urlsplit(url).port
    assert port is not None
    with closing(Proxy(port)) as network:
        through = url.replace(f":{port}", f":{network.port}")
        committing = person.start_commit_tree(tree, via, "--batch", "1", "--url", through)
        # Very many are still to come, however late we notice that.
        person.wait_for_revision(2)
        network.hold_answers()
        person.wait_until_quiet()
        network.cut()
        network.release()
        done = committing.end()

    assert done.status == 0
    assert "trying again" in done.text
    assert done.summary.startswith("1 folder, 200 files, 490 B, 0 deleted, 0 refused")
    assert person.workspace()["latest_revision"] == 201


def test_a_watcher_finds_a_broker_that_was_restarted(
    start_server: Callable[..., StackSyncProcess],
    database_dsn: str,
    own_rabbitmq: RabbitServer,
    tmp_path: Path,
    tree: Path,
) -> None:
    server = start_server(database_dsn, own_rabbitmq.url(), amqp={"identity": "message"})
    user = server.add_user("anna@example.org")
    person = Person(user, own_rabbitmq.url(), server.http_url, tmp_path / "state")
    watch = person.watch("amqp", "--once", "2")
    watch.wait_for("is at revision 0")
    person.commit_tree(tree, "amqp")
    watch.wait_for("revision 1:")

    own_rabbitmq.restart()
    (tree / "later.txt").write_text("later\n")
    assert person.commit_tree(tree, "http").status == 0

    seen = watch.end()
    assert seen.status == 0
    assert "trying again" in seen.text
    assert "  + later.txt  version 1, 6 B" in seen.text.splitlines()
