"""The declared options, and the profile without a file."""

from __future__ import annotations

from pathlib import Path

import pytest
from attrs.exceptions import FrozenInstanceError

from stacksync.config import Config, default_home
from stacksync.config.checks import contradictions
from stacksync.config.declaration import options, sections

OPTIONS = [
    pytest.param(section, name, id=f"{section}.{name}")
    for section, cls in sections(Config).items()
    for name in options(cls)
]


@pytest.mark.parametrize(("section", "name"), OPTIONS)
def test_every_default_is_a_value_that_a_file_could_set(section: str, name: str) -> None:
    default = getattr(getattr(Config(), section), name)
    kind = options(sections(Config)[section])[name].kind

    assert kind.read(kind.write(default)) == default


def test_the_defaults_do_not_contradict_each_other() -> None:
    assert list(contradictions(Config())) == []


def test_settings_can_not_be_changed_later() -> None:
    with pytest.raises(FrozenInstanceError):
        Config().amqp.prefetch = 1  # type: ignore[misc]


def test_by_default_the_broker_says_who_sent_a_request() -> None:
    assert Config().amqp.identity == "broker"


def test_the_embedded_profile_brings_its_own_parts_and_believes_no_message() -> None:
    config = Config.embedded(Path("/srv/stacksync"))

    assert config.service.home == Path("/srv/stacksync")
    assert config.database.url == "embedded"
    assert config.amqp.url == "auto"
    assert config.amqp.identity == "broker"
    assert config.http.listen == "tcp:8080:interface=127.0.0.1"


@pytest.mark.parametrize(
    ("user", "stacksync_home", "xdg_data_home", "expected"),
    [
        (1000, "/srv/sync", "/data", "/srv/sync"),
        (1000, "~/sync", "/data", "/home/ada/sync"),
        (1000, "", "/data", "/data/stacksync"),
        (1000, "", "relative", "/home/ada/.local/share/stacksync"),
        (1000, "", "", "/home/ada/.local/share/stacksync"),
        (0, "", "", "/var/lib/stacksync"),
        (0, "", "/data", "/data/stacksync"),
    ],
)
def test_state_is_kept_where_the_environment_says(
    monkeypatch: pytest.MonkeyPatch,
    user: int,
    stacksync_home: str,
    xdg_data_home: str,
    expected: str,
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: user)
    monkeypatch.setenv("HOME", "/home/ada")
    monkeypatch.setenv("STACKSYNC_HOME", stacksync_home)
    monkeypatch.setenv("XDG_DATA_HOME", xdg_data_home)

    assert default_home() == Path(expected)
    assert Config().service.home == Path(expected)
