"""What an operator is told of a configuration file."""

from __future__ import annotations

from pathlib import Path

import pytest

from stacksync.config import Config, load, parse
from stacksync.errors import ConfigurationError


def problems_of(text: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        parse(text, "stacksync.ini")
    return str(caught.value).split("\n")


def test_an_empty_file_is_all_defaults() -> None:
    assert parse("", "stacksync.ini") == Config()


def test_a_file_sets_what_it_names_and_leaves_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "stacksync.ini"
    path.write_text(
        "[database]\nurl = postgresql://ada:50%@db/x\npool_size = 8\n"
        "[amqp]\ndurable = yes\nmax_message = 1M\n[service]\nhint_gather = 20ms\n"
    )

    config = load(path)

    assert config.database.url == "postgresql://ada:50%@db/x"
    assert config.database.pool_size == 8
    assert config.amqp.durable is True
    assert config.amqp.max_message == 1024**2
    assert config.service.hint_gather == 0.02
    assert config.http == Config().http


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "stacksync.ini"
    path.write_bytes(b"\xef\xbb\xbf[log]\nlevel = warn\n")

    assert load(path).log.level == "warn"


def test_a_misspelt_option_is_told_with_the_nearest() -> None:
    assert problems_of("[amqp]\n\nprefetsh = 10") == [
        "stacksync.ini:3: [amqp] prefetsh: no such option; did you mean prefetch?"
    ]


@pytest.mark.parametrize("name", ["max-body", "MAX_BODY"])
def test_another_spelling_of_an_option_is_told_with_the_right_one(name: str) -> None:
    assert problems_of(f"[http]\n{name} = 1M") == [
        f"stacksync.ini:2: [http] {name}: no such option; did you mean max_body?"
    ]


def test_an_option_of_another_section_is_told_with_that_section() -> None:
    assert problems_of("[http]\nprefetch = 10") == [
        "stacksync.ini:2: [http] prefetch: no such option; it belongs in [amqp]"
    ]


def test_an_option_like_no_other_is_told_with_all_there_are() -> None:
    assert problems_of("[log]\nxyzzy = 10") == [
        "stacksync.ini:2: [log] xyzzy: no such option; there are level"
    ]


def test_a_misspelt_section_is_told_once_and_with_the_nearest() -> None:
    assert problems_of("[databse]\nurl = embedded\npool_size = 4") == [
        "stacksync.ini:1: [databse]: no such section; did you mean database?"
    ]


def test_a_bad_value_is_told_with_what_would_be_right() -> None:
    assert problems_of("[http]\nmax_body = lots") == [
        "stacksync.ini:2: [http] max_body: 'lots' is not a size; write 4096 (bytes), 512K, 8M or 5G"
    ]


def test_a_comment_after_a_value_is_recognised() -> None:
    assert problems_of("[amqp]\nprefetch = 10  # not too many") == [
        "stacksync.ini:2: [amqp] prefetch: '10  # not too many' is not a whole number; "
        "a comment stands on a line of its own"
    ]


def test_all_problems_are_told_at_once_in_the_order_of_the_file() -> None:
    text = "[amqp]\nprefetsh = 1\nurl\nidentity = me\n[htp]\n[amqp]\nprefetch = 1\nprefetch = 2"

    assert [problem.split(": ")[0] for problem in problems_of(text)] == [
        "stacksync.ini:2",
        "stacksync.ini:3",
        "stacksync.ini:4",
        "stacksync.ini:5",
        "stacksync.ini:6",
        "stacksync.ini:8",
    ]


@pytest.mark.parametrize(
    "line",
    [
        "url = postgresql://ada:s3cret@db:x/y",
        "url = mysql://ada:s3cret@db/y",
        "url postgresql://ada:s3cret@db/y",
        "url: postgresql://ada:s3cret@db/y?a=b",
        "url = postgresql://ada:s3cret@db/y # here",
    ],
)
def test_no_problem_repeats_a_password(line: str) -> None:
    assert "s3cret" not in "".join(problems_of(f"[database]\n{line}"))


def test_a_configuration_can_be_printed_without_its_passwords() -> None:
    config = parse(
        "[database]\nurl = postgresql://ada:s3cret@db/x\n[amqp]\nurl = amqp://ada:s3cret@b/",
        "stacksync.ini",
    )

    assert "s3cret" not in repr(config)
    assert "postgresql://ada:***@db/x" in repr(config.database)
    assert "amqp://ada:***@b/" in repr(config.amqp)


def test_a_service_without_a_front_end_is_refused() -> None:
    assert problems_of("[amqp]\nurl = off\n[http]\nlisten = off") == [
        "stacksync.ini:4: [http] listen: [amqp] url is off too, so there is nothing to serve"
    ]


def test_dead_letters_need_a_queue_of_their_own() -> None:
    assert problems_of("[amqp]\nrequest_queue = ISyncService.dead-letter") == [
        "stacksync.ini:2: [amqp] dead_letter_queue: is the request queue itself, "
        "so a dead letter would be a request for ever"
    ]


@pytest.mark.parametrize("section", ["http", "amqp"])
@pytest.mark.parametrize("name", ["certificate", "key"])
def test_a_certificate_needs_its_key(section: str, name: str) -> None:
    url = "\n[amqp]\nurl = amqps://broker" if section == "http" else "\nurl = amqps://broker"
    assert problems_of(f"[{section}]\n{name} = /etc/x.pem{url}") == [
        f"stacksync.ini:2: [{section}] certificate: certificate and key are both needed, or neither"
    ]


def test_an_ssl_endpoint_brings_its_own_certificate() -> None:
    assert problems_of(
        "[http]\nlisten = ssl:443:privateKey=a.pem\ncertificate = /b.pem\nkey = /b.pem"
    ) == [
        "stacksync.ini:3: [http] certificate: an ssl: endpoint names its certificate itself;"
        " write tcp: there"
    ]


@pytest.mark.parametrize("url", ["", "url = auto\n", "url = amqp://broker\n"])
def test_trust_in_a_broker_is_about_one_that_is_reached_by_tls(url: str) -> None:
    (problem,) = problems_of(f"[amqp]\n{url}ca_file = /etc/ca.pem")

    assert problem.endswith(
        "[amqp] ca_file: is for a broker that is reached by TLS; write amqps:// in [amqp] url"
    )


def test_argon2_needs_memory_for_every_lane() -> None:
    assert problems_of("[auth]\nargon2_memory = 16K\nargon2_parallelism = 4") == [
        "stacksync.ini:2: [auth] argon2_memory: 4 lanes need at least 32K"
    ]


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"^/nowhere/s\.ini: can't be read: No such file"):
        load("/nowhere/s.ini")


def test_a_file_that_is_not_text_is_told_with_the_line(tmp_path: Path) -> None:
    path = tmp_path / "stacksync.ini"
    path.write_bytes(b"[log]\nlevel = \xff\n")

    with pytest.raises(ConfigurationError, match=r"stacksync\.ini:2: this is not UTF-8 text"):
        load(path)
